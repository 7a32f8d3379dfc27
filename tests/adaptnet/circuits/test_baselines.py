"""Circuits to compare with, against plain NumPy."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.files.parameters import circuit_parameters
from environments import SwitchingEnvironment


def roots(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values)) @ vectors.T


def test_batch_estimator_is_the_root_of_the_window_s_covariance():
    inputs = np.random.default_rng(0).normal(size=(100, 3)) @ np.diag([1.0, 2.0, 3.0])
    prior = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    circuit = an.BatchEstimator(window=16, initial_weights=prior)
    run = an.simulate(circuit, inputs)
    for s in range(101):
        taken = inputs[max(0, s - 16) : s]
        expected = roots((taken.T @ taken + (16 - len(taken)) * prior @ prior) / 16)
        # Sums of 16 squares of size 10 that samples enter and leave: 1e-13 relative at most.
        np.testing.assert_allclose(run.effective_weights[0, 0, s], expected, rtol=0, atol=1e-10)


def test_block_size_is_invisible():
    environment = SwitchingEnvironment([np.eye(2), np.diag([4.0, 1.0])], block_length=30)
    circuits = {"batch": an.BatchEstimator(window=20), "static": an.StaticCircuit()}
    one, other = (
        an.simulate(circuits, environment, 100, rng=0, record_every=7, block_size=size)
        for size in (100, 9)
    )
    assert one.whitening_error.identical(other.whitening_error)


def test_static_circuit_is_white_in_its_own_context_alone():
    contexts = [np.diag([1.0, 4.0]), np.diag([4.0, 1.0])]
    run = an.simulate(
        an.StaticCircuit(initial_weights=np.diag([1.0, 2.0])),
        SwitchingEnvironment(contexts, block_length=20),
        40,
        rng=0,
    )
    error = run.whitening_error.values.ravel()
    assert error[:20].max() < 1e-12  # rounding
    assert error[20:40] == pytest.approx(3.0)  # 4 / 1 - 1
    times = an.readaptation_times(run, 0.1)
    assert not times.observed.any()
    assert np.isnan(times.synaptic_time).all()
    assert "learning rate" in times.synaptic_time.long_name
    assert "learning_rate" not in circuit_parameters(run)["static"]


def test_a_window_that_inputs_do_not_span_is_reported():
    inputs = np.random.default_rng(0).normal(size=(60, 2))
    inputs[20:] = inputs[20:, :1]
    with pytest.warns(an.DivergenceWarning, match="lengthen the window"):
        run = an.simulate(an.BatchEstimator(window=10), inputs, record_every=3)
    # From sample 30 on the window holds inputs on a line; 30 is the first record to see it.
    assert run.diverged_sample.item() == 29
    sound = np.isfinite(run.effective_weights.values).all(axis=(0, 1, 3, 4))
    assert run.sample.values[sound].max() == 27


def test_bad_windows_are_refused():
    with pytest.raises(ValueError, match="window must be at least the number of neurons"):
        an.simulate(an.BatchEstimator(window=2), np.ones((5, 3)))
    with pytest.raises(TypeError, match="window must be a whole number"):
        an.BatchEstimator(window=2.5)
    with pytest.raises(TypeError, match="learning_rate"):
        an.StaticCircuit(learning_rate=0.1)
