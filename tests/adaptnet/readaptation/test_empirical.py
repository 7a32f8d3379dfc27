"""Errors that outputs themselves show, beside the true ones."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.metrics import empirical_errors, sampling_floor
from adaptnet.readaptation import readaptation_times, with_empirical_errors
from environments import SwitchingEnvironment

ENVIRONMENT = SwitchingEnvironment([np.eye(2), np.diag([4.0, 9.0])], block_length=2000)
RECORD = {"record": ["whitening_error", "outputs", "inputs"], "rng": 0, "n_replicates": 2}


def test_errors_are_those_of_the_outputs_before_each_sample():
    circuits = {"it": an.DirectCircuit(learning_rate=0.01), "still": an.StaticCircuit()}
    plain = an.simulate(circuits, ENVIRONMENT, 300, **RECORD)
    run = with_empirical_errors(plain, window=50)
    y = plain["outputs"].sel(circuit="it", replicate=1).values
    for s in (1, 20, 50, 51, 300):
        found = empirical_errors(y[max(0, s - 50) : s], [min(s, 50)])
        at = {"circuit": "it", "replicate": 1, "sample": s}
        error = run["empirical_whitening_error"].sel(at).item()
        assert error == pytest.approx(found.whitening_error.item(), rel=1e-12)
        floor = run["empirical_frobenius_error_sampling_floor"].sel(sample=s)
        assert floor.item() == pytest.approx(float(sampling_floor(2, min(s, 50)).frobenius_error))
    assert run["sample"][0] == 1  # no output precedes sample 0
    # Of a circuit that leaves inputs as they are, they are errors of the inputs.
    x = plain["inputs"].sel(replicate=0).values
    found = empirical_errors(x[250:300], [50])
    still = run["empirical_frobenius_error"].sel(circuit="still", replicate=0, sample=300)
    assert still.item() == pytest.approx(float(found.frobenius_error[0]))


def test_a_settled_circuit_shows_its_own_floor_and_that_of_sampling():
    circuit = an.InterneuronCircuit(learning_rate=1e-4)
    environment = SwitchingEnvironment([np.eye(2), np.eye(2)], block_length=20_000)
    run = an.simulate(circuit, environment, 20_000, **RECORD)
    seen = with_empirical_errors(run, timescale=100).sel(sample=slice(1000, None))
    shown = np.sqrt((seen["empirical_frobenius_error"] ** 2).mean())
    floor = seen["empirical_frobenius_error_sampling_floor"][-1]
    # Weights err by 0.03, a fiftieth of the floor squared; 400 windows are independent.
    assert shown.item() == pytest.approx(floor.item(), rel=0.06)


def test_windows_around_changes_begin_anew_and_measures_take_their_errors():
    circuit = an.DirectCircuit(initial_weights=1.0, learning_rate=0.02)
    run = an.simulate(
        circuit, ENVIRONMENT, 4000, record_every=1000, record_around=(300, 900), **RECORD
    )
    both = with_empirical_errors(run, window=200)
    error = both["empirical_whitening_error"][0, 0]
    # No output before 0, 1000, 1700, 3000 and 4000 is known.
    np.testing.assert_array_equal(error["sample"], np.arange(1701, 2901))
    assert error.notnull().all()
    assert both["empirical_whitening_error_sampling_floor"].sel(sample=1701).item() > 1
    times = readaptation_times(both, 0.3, variable="empirical_whitening_error")
    true = readaptation_times(both, 0.3)
    # The window has to forget the outputs of before.
    assert (times["samples"] > true["samples"]).all()
    assert (times["samples"] < true["samples"] + 400).all()


def test_outputs_of_a_diverged_circuit_end_with_it():
    inputs = np.random.default_rng(0).normal(size=(50, 2))
    inputs[20] *= 1e200
    with pytest.warns(an.DivergenceWarning):
        run = an.simulate(an.DirectCircuit(learning_rate=0.1), inputs, record=["outputs"])
    error = with_empirical_errors(run)["empirical_whitening_error"][0, 0]
    diverged = run["diverged_sample"].item()
    assert error.sel(sample=slice(1, diverged)).notnull().all()
    assert error.sel(sample=slice(diverged + 1, None)).isnull().all()


def test_runs_without_outputs_in_a_row_are_refused():
    circuit = an.DirectCircuit()
    with pytest.raises(ValueError, match=r'record=\["outputs", \.\.\.\]'):
        with_empirical_errors(an.simulate(circuit, ENVIRONMENT, 100, rng=0))
    run = an.simulate(circuit, ENVIRONMENT, 100, rng=0, record_every=10, record=["outputs"])
    with pytest.raises(ValueError, match="samples in a row"):
        with_empirical_errors(run)
    run = an.simulate(circuit, ENVIRONMENT, 100, rng=0, record=["outputs"])
    with pytest.raises(ValueError, match="not both"):
        with_empirical_errors(run, window=3, timescale=3.0)
