"""The kernels on their own, small enough to run interpreted too (NUMBA_DISABLE_JIT=1)."""

import os

import numpy as np
import pytest

from adaptnet.kernels import direct, interneuron, status
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.linalg import factorise, solve
from tests import naive

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
FAST = FastDynamics(0.05, 1e-300, 20, 2.0)


def records(n, length):
    return np.zeros((length, n, n)), np.zeros(length, np.int64)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_cholesky_solves_what_it_factorises(n):
    rng = np.random.default_rng(n)
    C, x = naive.random_covariance(rng, n), rng.normal(size=n)
    factor, out = np.zeros((n, n)), np.zeros(n)
    assert factorise(C, factor)
    np.testing.assert_allclose(factor, np.linalg.cholesky(C), rtol=1e-12, atol=1e-14)
    solve(factor, x, out)
    np.testing.assert_allclose(C @ out, x, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "matrix", [np.diag([1.0, -1e-9]), np.diag([1.0, 0.0]), np.diag([np.nan, 1.0]), np.ones((3, 3))]
)
def test_cholesky_refuses_what_is_not_positive_definite(matrix):
    assert not factorise(matrix, np.zeros_like(matrix))


def test_direct_equals_its_twin():
    rng = np.random.default_rng(0)
    M, inputs = naive.random_covariance(rng, 3), rng.normal(size=(30, 3))
    state, (weights, steps) = direct.initial_state(M), records(3, 10)
    outcome = direct.run(state, inputs, 0, 0.01, 0.1, EXACT, 3, weights, steps)
    assert outcome == (status.OK, 30)
    expected = naive.direct(M, inputs, 0.01, 0.1)
    np.testing.assert_allclose(weights, expected[2::3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(state.weights, expected[-1], rtol=1e-12, atol=1e-14)


def test_interneuron_equals_its_twin():
    rng = np.random.default_rng(1)
    W, inputs = rng.normal(size=(3, 5)), rng.normal(size=(30, 3))
    state, (weights, steps) = interneuron.initial_state(W), records(3, 10)
    outcome = interneuron.run(state, inputs, 0, 0.01, 0.1, EXACT, 3, weights, steps)
    assert outcome == (status.OK, 30)
    expected = naive.interneuron(W, inputs, 0.01, 0.1)
    np.testing.assert_allclose(weights, expected[2::3], rtol=1e-11, atol=1e-13)


def test_euler_steps_equal_their_twins():
    rng = np.random.default_rng(2)
    M, W, x = naive.random_covariance(rng, 3), rng.normal(size=(3, 4)), rng.normal(size=3)
    y, z = np.zeros(3), np.zeros(4)
    assert direct.integrate(M, x, y, FAST) == 20
    np.testing.assert_allclose(y, naive.integrated_direct(M, x, 0.05, 20), rtol=1e-12)
    assert interneuron.integrate(W.T.copy(), x, y, z, FAST) == 20
    for ours, theirs in zip((y, z), naive.integrated_interneuron(W, x, 0.05, 2.0, 20), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_zero_input_needs_no_step():
    y, z = np.ones(2), np.ones(2)
    assert direct.integrate(np.eye(2), np.zeros(2), y, FAST) == 0
    assert interneuron.integrate(np.eye(2), np.zeros(2), y, z, FAST) == 0
    assert not y.any()
    assert not z.any()


@pytest.mark.parametrize("kernel", [direct, interneuron])
def test_failures_come_with_the_row(kernel):
    inputs = np.ones((5, 2))
    inputs[3] = 1e200  # y y' overflows
    state, buffers = kernel.initial_state(np.eye(2)), records(2, 5)
    with np.errstate(all="ignore"):  # interpreted, NumPy would warn of the overflow
        assert kernel.run(state, inputs, 0, 0.01, 0.0, EXACT, 1, *buffers) == (
            status.WEIGHTS_NOT_FINITE,
            3,
        )
        unstable = FastDynamics(1e6, 1e-3, 10_000, 1.0)
        state = kernel.initial_state(np.eye(2))
        assert kernel.run(state, inputs[:3], 0, 0.01, 0.0, unstable, 1, *buffers) == (
            status.ACTIVITY_NOT_FINITE,
            0,
        )


@pytest.mark.skipif(not COMPILED, reason="interpreted functions have no signatures")
@pytest.mark.parametrize("kernel", [direct, interneuron])
def test_one_signature_serves_all_calls(kernel):
    state = kernel.initial_state(np.eye(2))
    for n_processed, every, fast in ((0, 1, EXACT), (np.int64(3), 2, FAST)):
        kernel.run(state, np.ones((2, 2)), n_processed, 0.01, 0.0, fast, every, *records(2, 2))
    assert len(kernel.run.signatures) == 1
