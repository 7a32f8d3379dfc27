"""Circuits that are as precise as the direct one where they are compared with it."""

import numpy as np
import pytest

import adaptnet as an
import scenarios
from adaptnet import theory
from adaptnet.readaptation import readaptation_times
from scenarios.equal_floors import at_equal_floors, matched_rates

RACES = ["contrast", "drifting", "markov", "switching"]


@pytest.mark.parametrize("name", RACES)
def test_floors_are_equal_in_the_contexts_entered(name):
    scenario = scenarios.find(name)()
    circuits, names = scenario.circuits(), scenario.matched_names()
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
    assert list(scenario.circuits()) == ["direct", "interneuron"]


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
    scenario = kind.from_values({**kind.preview, "compared": names, "leak": 0.01})
    assert isinstance(scenario.circuits()["leaky_interneuron"], an.LeakyInterneuronCircuit)
    assert scenario.circuits()["leaky_interneuron"].leak == 0.01
    run = scenario.run(n_replicates=2, rng=0)
    assert set(names) < set(run["circuit"].values.tolist())
    report = scenario.report(run)
    assert "  leaky_interneuron " in report
    assert report.count("; at equal floors") == 3  # of the one that has equal floors
    assert {"matched_rotated"} < set(scenario.circuits())
    alone = kind.from_values({**kind.preview, "compared": ["leaky_interneuron"]})
    assert list(alone.circuits()) == ["leaky_interneuron"]
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
        scenarios.find("switching")(compared=names).circuits()


def test_a_circuit_that_diverged_is_not_compared_with():
    kind = scenarios.find("switching")
    scenario = kind.from_values(kind.preview)
    run = scenario.run(n_replicates=2, rng=0)
    run["diverged_sample"].loc[{"circuit": "matched_rotated", "replicate": 1}] = 5000
    equal = at_equal_floors(run, scenario.matched_names())
    assert equal["diverged_sample"].sel(circuit="interneuron").values.tolist() == [-1, 5000]
