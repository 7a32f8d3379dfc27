"""What every circuit promises, whichever it is: found by inspection, checked alike."""

import dataclasses
import json
import re
import warnings

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.circuits import from_parameters
from adaptnet.circuits.plastic import PlasticCircuit
from adaptnet.simulation.verify import verify
from environments import SwitchingEnvironment
from environments import from_parameters as environment_from_parameters
from tests import naive
from tests.adaptnet.circuits.catalogue import (
    EXAMPLES,
    INTEGRATED,
    by_kind,
    default,
    examples,
    kinds,
)

C1, C2 = np.diag([1.0, 2.0, 3.0]), naive.random_covariance(np.random.default_rng(0), 3)
ENVIRONMENT = SwitchingEnvironment([C1, C2], block_length=70)
every_circuit = pytest.mark.parametrize("circuit", examples().values(), ids=examples().keys())
# The default suite takes one example of each kind for what needs many runs.
many_runs = by_kind(examples())


def run(circuit, n_samples=200, **settings):
    defaults = {"n_replicates": 5, "rng": 1, "record_every": 6}
    record = ("whitening_error", *circuit.recordable())
    return an.simulate(
        {"it": circuit}, ENVIRONMENT, n_samples, **(defaults | {"record": record} | settings)
    )


def variables(dataset):
    """Return the dataset without what differs between runs: the time and the command."""
    return dataset.drop_attrs(deep=False).load()


@pytest.mark.parametrize("name", kinds())
def test_every_circuit_has_a_twin_and_examples(name):
    assert name in naive.TWINS, (
        f"{name} has no twin: write its equations in plain NumPy and name it in tests/naive.py, "
        "TWINS"
    )
    assert name in EXAMPLES, f"{name} has no examples: add some to circuits/catalogue.py"


@every_circuit
def test_notebooks_show_its_parameters(circuit):
    shown = circuit._repr_html_()
    assert shown.startswith(f"<b>{type(circuit).__name__}</b><table>")
    fields = [field.name for field in dataclasses.fields(circuit)]
    assert re.findall("<th>(.*?)</th>", shown) == fields


@every_circuit
def test_weights_equal_the_twin_after_every_sample(circuit):
    inputs = np.random.default_rng(1).normal(size=(300, 3)) @ np.diag([1.0, 2.0, 0.5])
    ours = an.simulate(circuit, inputs, record=["effective_weights"])["effective_weights"]
    twin = naive.TWINS[type(circuit).__name__](circuit, inputs)
    # Rounding of 300 updates, of weights of about 1.
    np.testing.assert_allclose(ours[0, 0, 1:], twin, rtol=0, atol=1e-11)


@pytest.mark.parametrize("n", [2, 5, 10, 13, 33])
@pytest.mark.parametrize("name", kinds())
def test_weights_equal_the_twin_for_any_number_of_neurons(name, n):
    circuit = default(name, n)
    rng = np.random.default_rng(n)
    C = naive.random_covariance(rng, n)
    inputs = rng.multivariate_normal(np.zeros(n), C, size=500)
    ours = an.simulate(circuit, inputs, record_every=100, record=["effective_weights"])
    twin = naive.TWINS[name](circuit, inputs)[99::100]
    difference = np.abs(ours["effective_weights"][0, 0, 1:].values - twin).max()
    # Fixed points are solved to a relative residual of 1e-11, which 500 updates of 0.001 halve; the
    # weights move by some of their own size meanwhile.
    assert difference < 5e-11 * np.abs(twin).max()


@every_circuit
def test_parameters_are_plain_json_and_lead_back(circuit):
    parameters = json.loads(json.dumps(circuit.parameters()))
    again = from_parameters(parameters)
    assert type(again) is type(circuit)
    assert again.parameters() == parameters
    assert repr(again) == repr(circuit)


@many_runs
def test_blocks_threads_and_groups_change_no_bit(circuit):
    whole = variables(run(circuit, n_threads=1))
    for settings in ({"block_size": 1}, {"block_size": 33, "n_threads": 3}):
        xr.testing.assert_identical(variables(run(circuit, **settings)), whole)
    alone = variables(run(circuit, n_replicates=2))
    xr.testing.assert_identical(alone, whole.isel(replicate=slice(2)))


@many_runs
def test_a_run_that_is_interrupted_resumes_to_the_same_bits(circuit, tmp_path, monkeypatch):
    whole = variables(run(circuit, path=tmp_path / "whole.nc", block_size=20))
    original, calls = type(circuit).advance, []

    def interrupted(*args, **kwargs):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(circuit), "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(circuit, path=tmp_path / "run.nc", block_size=20, checkpoint_seconds=0, n_threads=1)
    resumed = run(circuit, path=tmp_path / "run.nc", block_size=20)
    xr.testing.assert_identical(variables(resumed), whole)


@many_runs
def test_a_stored_run_is_rebuilt_and_verified(circuit, tmp_path):
    an.save(run(circuit), tmp_path / "run.nc")
    stored = an.load(tmp_path / "run.nc")
    environment = environment_from_parameters(json.loads(stored.attrs["environment"]))
    assert verify(stored, environment).differing == ()


@every_circuit
def test_what_a_circuit_declares_is_recorded_stored_and_described(circuit, tmp_path):
    an.save(run(circuit), tmp_path / "run.nc")
    stored = an.load(tmp_path / "run.nc")
    for name, variable in circuit.recordable().items():
        assert stored[name].dims == variable.dims
        assert stored[name].attrs["long_name"] == variable.long_name
        assert stored[name].attrs["units"] == variable.units
        assert stored[name].notnull().all()


@every_circuit
def test_no_weights_are_without_a_number_unless_the_circuit_diverged(circuit):
    inputs = np.random.default_rng(2).normal(size=(50, 3))
    inputs[20] *= 1e200
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", an.DivergenceWarning)
        result = an.simulate(circuit, inputs, record=["effective_weights"])
    finite = np.isfinite(result["effective_weights"].values).all(axis=(-1, -2))[0, 0]
    diverged = result["diverged_sample"].item()
    last = diverged if diverged >= 0 else 50
    assert finite[: last + 1].all()
    assert not finite[last + 1 :].any()


@pytest.mark.parametrize(
    ("name", "learning_rate"),
    [("DirectCircuit", 0.6), ("GainCircuit", 3), ("GainPlasticCircuit", 3)],
)
@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize("record_every", [1, 2])
def test_unstable_weights_have_neither_errors_nor_activities(
    name, learning_rate, record_every, errors
):
    circuit = default(name, 3, learning_rate=learning_rate)
    environment = SwitchingEnvironment([9 * C1, C1], block_length=60)
    numbers = [name for name, v in circuit.recordable().items() if v.dtype == "f8"]
    names = ["whitening_error", "frobenius_error", *numbers] if errors else numbers
    with pytest.warns(an.DivergenceWarning):
        result = an.simulate(
            circuit, environment, 120, record=names, rng=0, record_every=record_every
        ).squeeze()
    diverged, samples = result["diverged_sample"].item(), result["sample"].values
    states = {"effective_weights", "gains", "synapses"}
    for variable in names:
        values = result[variable].values.reshape(len(samples), -1)
        finite = np.isfinite(values).all(axis=-1)
        until = samples <= diverged if variable in states else samples < diverged
        np.testing.assert_array_equal(finite, until, err_msg=variable)
    if record_every == 1:
        failed = result["effective_weights"].sel(sample=diverged)
        assert np.linalg.eigvalsh(failed.values)[0] <= 0


@every_circuit
def test_the_error_is_that_of_the_recorded_response(circuit):
    result = run(circuit, record=("whitening_error", "covariance", circuit.response))
    response = result[circuit.response].values
    G = response if circuit.response == "response" else np.linalg.inv(response)
    C = result["covariance"].values
    outputs = G @ C @ np.swapaxes(G, -1, -2)
    worst = np.abs(np.linalg.eigvalsh(outputs - np.eye(3))).max(axis=-1)
    np.testing.assert_allclose(result["whitening_error"], worst, rtol=1e-9)


@pytest.mark.parametrize("name", kinds())
def test_integrated_dynamics_conform_too(name, tmp_path):
    if not issubclass(kinds()[name], PlasticCircuit):
        return
    circuit = default(name, 3, dynamics=INTEGRATED, learning_rate=0.01)
    test_parameters_are_plain_json_and_lead_back(circuit)
    test_blocks_threads_and_groups_change_no_bit(circuit)
    test_a_stored_run_is_rebuilt_and_verified(circuit, tmp_path)
    test_the_error_is_that_of_the_recorded_response(circuit)


def test_subclasses_at_any_depth_are_known_and_abstract_ones_are_not():
    class Narrow(an.DirectCircuit):
        """A subclass of a concrete circuit."""

    assert type(from_parameters({"type": "Narrow"})) is Narrow
    for abstract in ("Comparator", "PlasticCircuit", "Circuit"):
        with pytest.raises(ValueError, match="type must be one of"):
            from_parameters({"type": abstract})
    with pytest.raises(ValueError, match="did you mean 'DirectCircuit'"):
        from_parameters({"type": "DirectCircuits"})
