"""Errors of running second moments, recorded in a run: against its own outputs, bit for bit."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.metrics import empirical_errors, sampling_floor
from adaptnet.simulation.verify import verify
from environments import SwitchingEnvironment
from environments import from_parameters as environment_from_parameters
from tests.adaptnet.circuits.catalogue import INTEGRATED, examples

ENVIRONMENT = SwitchingEnvironment([np.eye(3), np.diag([4.0, 1.0, 0.5])], block_length=60)
ERRORS = ["empirical_whitening_error", "empirical_frobenius_error"]
EXAMPLES = examples()


def run(n_samples=150, circuits=EXAMPLES, **settings):
    defaults = {
        "n_replicates": 3,
        "rng": 1,
        "record_every": 7,
        "record": ["whitening_error", *ERRORS],
        "output_timescale": 12.5,
    }
    return an.simulate(circuits, ENVIRONMENT, n_samples, **(defaults | settings))


def bits(dataset):
    return dataset.drop_attrs(deep=False).load()


@pytest.fixture(scope="module")
def whole():
    return run()


def test_errors_are_those_of_all_outputs_so_far(whole):
    outputs = an.simulate(EXAMPLES, ENVIRONMENT, 150, n_replicates=3, rng=1, record=["outputs"])
    at = whole["sample"].values[1:]
    y = outputs["outputs"].isel(sample=slice(150)).values
    expected = empirical_errors(y, at, timescale=12.5)
    for name, errors in zip(ERRORS, expected[:2], strict=True):
        assert whole[name][..., 0].isnull().all()
        # Sums in another order; outputs solved from recorded weights.
        np.testing.assert_allclose(whole[name].values[..., 1:], errors, rtol=1e-9)


def test_what_is_observed_changes_nothing_else(whole):
    alone = run(record=["whitening_error"], output_timescale=None)
    xr.testing.assert_identical(bits(whole.drop_vars(ERRORS)), bits(alone))


def test_blocks_and_threads_change_no_bit(whole):
    for settings in ({"block_size": 1}, {"block_size": 33, "n_threads": 3}):
        xr.testing.assert_identical(bits(run(**settings)), bits(whole))


def test_executors_change_no_bit(whole, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        xr.testing.assert_identical(bits(run(executor=threads)), bits(whole))
        on_disk = run(executor=threads, path=tmp_path / "run.nc")
    xr.testing.assert_identical(bits(on_disk), bits(whole))


def test_an_interrupted_run_resumes_to_the_same_bits(whole, tmp_path, monkeypatch):
    original, calls = an.DirectCircuit.advance, []

    def interrupted(*args, **kwargs):
        calls.append(None)
        if len(calls) == 17:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    path = {"path": tmp_path / "run.nc", "block_size": 20}
    with monkeypatch.context() as patch:
        patch.setattr(an.DirectCircuit, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(**path, checkpoint_seconds=0, n_threads=1)
    xr.testing.assert_identical(bits(run(**path)), bits(whole))


def test_a_stored_run_states_its_sampling_floor_and_is_verified(whole, tmp_path):
    an.save(whole, tmp_path / "run.nc")
    stored = an.load(tmp_path / "run.nc")
    floor = sampling_floor(3, 2 * 12.5 - 1)
    for name, value in zip(ERRORS, floor, strict=True):
        assert stored[name].attrs["sampling_floor"] == value
    environment = environment_from_parameters(json.loads(stored.attrs["environment"]))
    assert verify(stored, environment).differing == ()


def test_outputs_of_a_circuit_that_diverges_end_with_it():
    inputs = np.random.default_rng(0).normal(size=(50, 2))
    inputs[20] *= 1e200
    with pytest.warns(an.DivergenceWarning):
        seen = an.simulate(
            an.DirectCircuit(learning_rate=0.1), inputs, record=ERRORS, output_timescale=5
        )
    diverged = seen["diverged_sample"].item()
    errors = seen[ERRORS[0]][0, 0]
    assert errors.sel(sample=slice(1, diverged - 1)).notnull().all()
    assert errors.sel(sample=slice(diverged + 1, None)).isnull().all()


def test_what_cannot_be_observed_is_refused(whole):
    circuits = {"it": an.DirectCircuit()}
    with pytest.raises(ValueError, match="output_timescale must be given to record empirical_whit"):
        run(circuits=circuits, output_timescale=None)
    with pytest.raises(ValueError, match="output_timescale is of empirical errors alone"):
        run(circuits=circuits, record=["whitening_error"])
    with pytest.raises(ValueError, match=r"at least 1 sample, got 0\.5"):
        run(circuits=circuits, output_timescale=0.5)
    with pytest.raises(ValueError, match="integrated, as those of circuit 'it'"):
        run(circuits={"it": an.DirectCircuit(dynamics=INTEGRATED)})
    with pytest.raises(ValueError, match="record must not name 'empirical_whitening_error'"):
        an.flow(an.DirectCircuit(), np.eye(2), 10, record=ERRORS)
    with pytest.raises(ValueError, match="run it again for all samples"):
        an.extend(run(circuits=circuits), ENVIRONMENT, 10)
