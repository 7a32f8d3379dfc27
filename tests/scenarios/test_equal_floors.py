"""Circuits that are as precise as the direct one where they are compared with it."""

import numpy as np
import pytest

import adaptnet as an
import scenarios
from adaptnet import theory
from adaptnet.readaptation import readaptation_times
from scenarios import Race, find
from scenarios.equal_floors import at_equal_floors, matched_rates

RACES = ["contrast", "drifting", "markov", "switching"]


@pytest.mark.parametrize("name", RACES)
def test_floors_are_equal_in_the_contexts_entered(name):
    scenario = scenarios.find(name)()
    circuits, names = scenario.compared(), scenario.matched_names()
    environment = scenario.environment()
    realization = environment.realize(np.random.SeedSequence(3))
    ends = np.append(realization.change_samples(scenario.n_samples)[1:], scenario.n_samples) - 1
    for end in ends:
        (context,) = realization.contexts(np.array([end]))
        (covariance,) = realization.covariances(np.array([end]))
        direct, matched = (
            theory.noise_floor(circuits[circuit], covariance).frobenius_error
            for circuit in ("direct", names[environment.context_names[context]])
        )
        assert matched == pytest.approx(direct, rel=1e-6)


def test_a_rate_beyond_stability_is_not_compared():
    scenario = scenarios.find("switching")(learning_rate=0.9)
    assert matched_rates(scenario.environment(), scenario.n_samples, 0.9) == {}
    assert list(scenario.compared()) == ["direct", "interneuron"]


def test_each_segment_shows_the_circuit_of_its_context():
    kind = scenarios.find("switching")
    scenario = kind.from_values(kind.preview)
    run = scenario.run(n_replicates=2, rng=0)
    equal = at_equal_floors(run, scenario.matched_names())
    assert equal["circuit"].values.tolist() == ["direct", "interneuron"]
    errors = equal["whitening_error"].sel(circuit="interneuron")
    low = (run["context"] == 2).values
    for name, there in (("matched_rotated_low_contrast", low), ("matched_rotated", ~low)):
        theirs = run["whitening_error"].sel(circuit=name)
        entered = (run["sample"] >= scenario.block_length).values  # before, no circuit is meant
        np.testing.assert_array_equal(errors[:, there & entered], theirs[:, there & entered])
    floors = equal["frobenius_error_floor"]
    np.testing.assert_allclose(
        floors.sel(circuit="interneuron"), floors.sel(circuit="direct"), rtol=1e-9
    )
    times = readaptation_times(equal, scenario.threshold)
    alone = readaptation_times(run.sel(circuit=["matched_rotated"]), scenario.threshold)
    np.testing.assert_array_equal(
        times["samples"].sel(circuit="interneuron").isel(change=[0, 2]),
        alone["samples"].isel(circuit=0, change=[0, 2]),
    )


def test_other_circuits_are_compared_beside_these_two(tmp_path):
    kind = scenarios.find("switching")
    names = ("direct", "interneuron", "leaky_interneuron")
    scenario = kind.from_values({**kind.preview, "circuits": names, "leak": 0.01})
    assert isinstance(scenario.compared()["leaky_interneuron"], an.LeakyInterneuronCircuit)
    assert scenario.compared()["leaky_interneuron"].leak == 0.01
    run = scenario.run(n_replicates=2, rng=0)
    assert set(names) < set(run["circuit"].values.tolist())
    report = scenario.report(run)
    assert "  leaky_interneuron " in report
    assert report.count("; at equal floors") == 3  # of the one that has equal floors
    assert {"matched_rotated"} < set(scenario.compared())
    alone = kind.from_values({**kind.preview, "circuits": ["leaky_interneuron"]})
    assert list(alone.compared()) == ["leaky_interneuron"]
    assert "leaky_interneuron" in alone.report(alone.run(n_replicates=1))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["direct", "interneurons"], "did you mean 'interneuron'"),
        (["direct", "direct"], "each circuit once"),
        (["direct", "batch_estimator"], "whose window this scenario does not set"),
    ],
)
def test_circuits_that_cannot_be_compared_are_named(names, message):
    with pytest.raises(ValueError, match=message):
        scenarios.find("switching")(circuits=names).compared()


def test_a_circuit_that_diverged_is_not_compared_with():
    kind = scenarios.find("switching")
    scenario = kind.from_values(kind.preview)
    run = scenario.run(n_replicates=2, rng=0)
    run["diverged_sample"].loc[{"circuit": "matched_rotated", "replicate": 1}] = 5000
    equal = at_equal_floors(run, scenario.matched_names())
    assert equal["diverged_sample"].sel(circuit="interneuron").values.tolist() == [-1, 5000]


@pytest.mark.parametrize("name", [n for n in scenarios.names() if issubclass(find(n), Race)])
def test_every_race_takes_circuits_with_gains(name):
    kind = find(name)
    small = {"n_neurons": 3} if "n_neurons" in kind.__dataclass_fields__ else {}
    settings = {**kind.preview, **small, "initial_weights": 2.0, "batch_size": 2}
    chosen = ["direct", "interneuron", "gain", "gain_plastic"]
    compared = kind.from_values({**settings, "circuits": chosen}).compared()
    for each in chosen:
        circuit = compared[each]
        assert circuit.batch_size == 2
        n = 3 if small else kind.from_values(settings).environment().n_neurons
        weights = circuit.effective_weights(circuit.initial_state(n))
        np.testing.assert_allclose(weights, 2 * np.eye(n), atol=1e-12)


def test_gains_race_along_the_switches():
    kind = scenarios.find("switching")
    settings = {**kind.preview, "n_neurons": 3, "circuits": ["direct", "interneuron", "gain"]}
    run = kind.from_values(settings).run(n_replicates=1, rng=0)
    assert run["whitening_error"].sel(circuit="gain").notnull().all()
    assert "gain" in kind.from_values(settings).report(run)


@pytest.mark.parametrize("kept", [["interneuron"], ["direct", "interneuron"]])
def test_a_selection_of_circuits_is_shown_without_a_comparison(kept):
    scenario = find("switching").from_values({"block_length": 50, "records": 40})
    run = scenario.run(n_replicates=2)
    some = run.sel(circuit=kept)
    assert "equal floors" in scenario.readaptation(run)
    table = scenario.readaptation(some)
    assert "equal floors" not in table
    assert all(name in table for name in kept)
    assert len(scenario.plot(run).axes) == 2
    assert len(scenario.plot(some).axes) == 1
