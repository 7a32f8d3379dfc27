"""What a run promises whatever the circuit: labels, determinism, causality, refusals."""

import json

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.files.validation import validate
from environments import StationaryEnvironment, SwitchingEnvironment
from tests import naive

C1 = np.diag([1.0, 2.0, 3.0])
C2 = naive.random_covariance(np.random.default_rng(0), 3)
ENVIRONMENT = SwitchingEnvironment([C1, C2], block_length=70, context_names=["a", "b"])


def circuits():
    return {
        "direct": an.DirectCircuit(initial_weights=2.0, learning_rate=0.01),
        "interneuron": an.InterneuronCircuit(n_interneurons=4, learning_rate=0.01),
    }


def run(**settings):
    defaults = {"n_samples": 200, "n_replicates": 3, "rng": 1, "record_every": 5}
    record = ("whitening_error", "frobenius_error", "effective_weights", "covariance")
    return an.simulate(circuits(), ENVIRONMENT, **(defaults | {"record": record} | settings))


def variables(dataset):
    """Return the dataset without what differs from run to run: the time and the command."""
    return dataset.drop_attrs(deep=False)


def test_the_dataset_is_labelled():
    ds = validate(run())
    assert ds.sizes["word"] == ds["final_state"].sizes["word"]
    assert {dim: size for dim, size in ds.sizes.items() if dim != "word"} == {
        "circuit": 2,
        "replicate": 3,
        "sample": 41,
        "neuron": 3,
        "neuron_2": 3,
        "change": 2,
    }
    assert ds["circuit"].values.tolist() == ["direct", "interneuron"]
    assert ds["sample"].values.tolist() == list(range(0, 201, 5))
    assert ds["change_sample"].values.tolist() == [70, 140]
    assert ds["context_left"].values.tolist() == [0, 1]
    assert ds["context_entered"].values.tolist() == [1, 0]
    assert ds["context"].attrs["flag_meanings"] == "a b"
    assert ds["context"].sel(sample=[65, 70]).values.tolist() == [0, 1]
    assert all("long_name" in ds[name].attrs for name in ds.variables)
    assert ds["whitening_error"].attrs["units"] == "1"


def test_errors_are_of_the_current_weights_under_the_covariance_in_force():
    ds = run()
    np.testing.assert_array_equal(ds["covariance"].sel(sample=65), C1)
    np.testing.assert_array_equal(ds["covariance"].sel(sample=70), C2)
    worst, total = an.whitening_errors(ds["effective_weights"], ds["covariance"].values)
    np.testing.assert_allclose(ds["whitening_error"], worst, rtol=1e-10)
    np.testing.assert_allclose(ds["frobenius_error"], total, rtol=1e-10)


def test_provenance_is_stored():
    attrs = run().attrs
    assert json.loads(attrs["seed_entropy"]) == 1
    assert json.loads(attrs["seed_spawn_key"]) == []
    assert json.loads(attrs["circuits"])["direct"]["learning_rate"] == 0.01
    assert json.loads(attrs["environment"])["schedule"]["block_length"] == 70
    assert {"python", "adaptnet", "numba", "numpy"} <= json.loads(attrs["versions"]).keys()
    assert attrs["truth"] == "exact"
    assert attrs["n_samples"] == 200


@pytest.mark.parametrize("settings", [{"block_size": 1}, {"block_size": 33}, {"n_threads": 1}])
def test_no_block_size_and_no_number_of_threads_changes_a_bit(settings):
    xr.testing.assert_identical(variables(run(**settings)), variables(run(n_threads=3)))


def test_one_seed_is_one_run_and_two_are_two():
    one = variables(run(rng=5))
    xr.testing.assert_identical(one, variables(run(rng=np.random.SeedSequence(5))))
    assert not one.equals(variables(run(rng=6)))
    weights = one["effective_weights"]
    assert not weights.isel(replicate=0).equals(weights.isel(replicate=1))


def test_a_generator_moves_on_between_runs():
    rng = np.random.default_rng(0)
    first, second = run(rng=rng), run(rng=rng)
    assert not variables(first).equals(variables(second))
    again = np.random.SeedSequence(json.loads(first.attrs["seed_entropy"]))
    xr.testing.assert_identical(variables(run(rng=again)), variables(first))


def test_replicates_come_one_by_one_or_together():
    xr.testing.assert_identical(
        variables(run(n_replicates=1)), variables(run().isel(replicate=slice(1)))
    )


def test_a_longer_run_begins_with_the_shorter_one():
    longer, shorter = run(n_samples=200), run(n_samples=140)
    xr.testing.assert_identical(
        variables(shorter).drop_dims(["change", "word"]),  # states are those of the end
        variables(longer).sel(sample=slice(0, 140)).drop_dims(["change", "word"]),
    )


def test_a_circuit_does_not_depend_on_its_companions():
    alone = an.simulate(
        {"interneuron": circuits()["interneuron"]},
        ENVIRONMENT,
        200,
        n_replicates=3,
        rng=1,
        record_every=5,
    )
    together = run().sel(circuit=["interneuron"])
    states, n_words = together["final_state"], alone.sizes["word"]
    assert not states[..., n_words:].any()  # the companion's state is longer
    together = together.isel(word=slice(n_words))
    for name in alone.data_vars:
        xr.testing.assert_identical(alone[name].drop_attrs(), together[name].drop_attrs())


def test_one_circuit_goes_by_its_kind():
    ds = an.simulate(an.InterneuronCircuit(), ENVIRONMENT, 10, rng=0)
    assert ds["circuit"].values.tolist() == ["interneuron"]


def test_an_array_of_inputs_has_no_errors_but_weights():
    ds = an.simulate(an.DirectCircuit(), np.ones((20, 2)), record_every=10)
    assert "whitening_error" not in ds
    assert ds["effective_weights"].shape == (1, 1, 3, 2, 2)
    assert ds.sizes["change"] == 0
    assert ds.attrs["truth"] == "absent"


def test_the_same_inputs_by_array_and_by_environment_give_the_same_weights():
    environment = StationaryEnvironment(C2)
    seed = np.random.SeedSequence(3)
    child = np.random.SeedSequence(3, spawn_key=(0,))
    inputs = np.concatenate(list(environment.realize(child).blocks(100, 100)))
    settings = {"record": ("effective_weights",), "record_every": 10}
    xr.testing.assert_equal(
        an.simulate(circuits(), environment, 100, rng=seed, **settings)["effective_weights"],
        an.simulate(circuits(), inputs, **settings)["effective_weights"],
    )


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples must be a whole number of at least 1, got 0"),
        ({"n_samples": 1.5}, TypeError, "n_samples must be a whole number"),
        ({"n_samples": None}, TypeError, "n_samples must be given"),
        ({"n_replicates": 0}, ValueError, "n_replicates .* at least 1"),
        ({"record_every": 0}, ValueError, "record_every .* at least 1"),
        ({"block_size": 0}, ValueError, "block_size .* at least 1"),
        ({"n_threads": -1}, ValueError, "n_threads .* at least 1"),
        ({"record": ("weights",)}, ValueError, "record must name .* got 'weights'"),
        ({"rng": -1}, ValueError, "rng must not be negative"),
        ({"rng": "seed"}, TypeError, "rng must be None, an int"),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        run(**settings)


@pytest.mark.parametrize(
    ("inputs", "settings", "error", "message"),
    [
        (np.ones(5), {}, ValueError, r"shape \(sample, neuron\), got \(5,\)"),
        (np.ones((5, 0)), {}, ValueError, r"shape \(sample, neuron\)"),
        ([["a"]], {}, TypeError, "array .* of real numbers"),
        (np.ones((5, 2)), {"n_samples": 6}, ValueError, "at most 5, the number of inputs"),
        (np.ones((5, 2)), {"n_replicates": 2}, ValueError, "n_replicates must be 1"),
        (np.ones((5, 2)), {"record": "covariance"}, ValueError, "true covariance"),
    ],
)
def test_bad_inputs_are_refused(inputs, settings, error, message):
    with pytest.raises(error, match=message):
        an.simulate(an.DirectCircuit(), inputs, **settings)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("block_size", [2, 100])
def test_the_first_input_that_is_not_finite_is_named(bad, block_size):
    inputs = np.ones((20, 3))
    inputs[13, 1] = inputs[15, 0] = bad
    with pytest.raises(ValueError, match="at sample 13, neuron 1"):
        an.simulate(an.DirectCircuit(), inputs, block_size=block_size)


@pytest.mark.parametrize(
    ("given", "error"), [({}, ValueError), ({"a": 1}, TypeError), (["direct"], TypeError)]
)
def test_circuits_must_be_circuits(given, error):
    with pytest.raises(error, match="circuits must be a circuit or a mapping"):
        an.simulate(given, ENVIRONMENT, 10)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must be 3 x 3, since the inputs have 3"):
        an.simulate(an.DirectCircuit(initial_weights=np.eye(2)), ENVIRONMENT, 10)


def test_progress_is_silent_off_a_terminal_and_counts_when_asked(capsys):
    run()
    assert capsys.readouterr().err == ""
    run(progress=True)
    assert "600" in capsys.readouterr().err  # 3 replicates of 200 samples
