"""The kernels on their own, small enough to run interpreted too (NUMBA_DISABLE_JIT=1)."""

import os

import numba
import numpy as np
import pytest

from adaptnet.kernels import direct, interneuron, status
from adaptnet.kernels.building_blocks import compile as _jit
from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.lanes import LANES
from adaptnet.kernels.dynamics import EXACT, FastDynamics
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
    expected = np.linalg.cholesky(C)
    np.fill_diagonal(expected, 1 / np.diag(expected))
    np.testing.assert_allclose(factor, expected, rtol=1e-12, atol=1e-14)
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


def weights_like(kernel, rng, n, condition=20.0):
    """Return M, or W with W W' of the same conditioning."""
    M = naive.random_covariance(rng, n, condition)
    return M if kernel is direct else np.linalg.cholesky(M) @ np.eye(n, n + 3)


def both_ways(kernel, start, inputs, eta, decay=0.0, every=1):
    """Return outcome and records of the factorisation a sample, and of the carried inverse."""
    n, length = inputs.shape[1], len(inputs) // every
    plain, carried = records(n, length), records(n, length)
    state = kernel.initial_state(start)
    plain_outcome = kernel.run(state, inputs, 0, eta, decay, EXACT, every, *plain)
    state = kernel.initial_carried(start)
    outcome = kernel.run_carried(state, inputs, 0, eta, decay, every, carried[0])
    return plain_outcome, outcome, plain[0], carried[0]


@pytest.mark.parametrize("kernel", [direct, interneuron])
@pytest.mark.parametrize("n", [1, 3, 8, 13])
@pytest.mark.parametrize(("eta", "decay"), [(1e-3, 0.0), (1e-2, 1e-2), (0.05, 0.0)])
def test_the_carried_inverse_equals_factorising(kernel, n, eta, decay):
    rng = np.random.default_rng(n)
    start, inputs = weights_like(kernel, rng, n), 3 * rng.normal(size=(60, n))
    plain_outcome, outcome, plain, carried = both_ways(kernel, start, inputs, eta, decay)
    assert outcome == plain_outcome == (status.OK, 60)
    np.testing.assert_allclose(carried, plain, rtol=1e-10, atol=1e-10 * np.abs(plain).max())


def side_by_side(starts, inputs, eta, decay=0.0, every=1):
    """Return final weights, records and outcomes of the direct circuit in each lane."""
    lanes, length, n = inputs.shape
    weights, outcomes = np.array(starts), np.zeros((lanes, 2), np.int64)
    recorded = np.zeros((lanes, length // every, n, n))
    direct.run_side_by_side(weights, inputs, 0, eta, decay, every, recorded, outcomes)
    return weights, recorded, outcomes.tolist()


@pytest.mark.parametrize("n", [1, 2, 7, 12])
@pytest.mark.parametrize("lanes", [1, 3, LANES])
def test_replicates_side_by_side_equal_their_twins(n, lanes):
    rng = np.random.default_rng(n)
    starts = [naive.random_covariance(rng, n) for _ in range(lanes)]
    inputs = rng.normal(size=(lanes, 30, n))
    weights, recorded, outcomes = side_by_side(starts, inputs, 0.01, 0.1, every=3)
    assert outcomes == [[status.OK, 30]] * lanes
    for r in range(lanes):
        expected = naive.direct(starts[r], inputs[r], 0.01, 0.1)
        np.testing.assert_allclose(recorded[r], expected[2::3], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(weights[r], expected[-1], rtol=1e-11, atol=1e-13)
        alone, _, _ = side_by_side(starts[r : r + 1], inputs[r : r + 1], 0.01, 0.1)
        np.testing.assert_array_equal(weights[r], alone[0])  # whoever is beside it


def test_failures_side_by_side_are_each_replicates_own():
    inputs = np.random.default_rng(0).normal(size=(3, 6, 2))
    starts = np.stack([np.eye(2)] * 3)
    starts[1] *= 0.15  # without input M shrinks by eta a sample: 0.05 after one, indefinite then
    inputs[1] = 0.0
    inputs[2, 3] = 1e200  # y y' overflows
    with np.errstate(all="ignore"):  # interpreted, NumPy would warn of the overflow
        weights, recorded, outcomes = side_by_side(starts, inputs, 0.1)
    assert outcomes == [
        [status.OK, 6],
        [status.WEIGHTS_NOT_POSITIVE_DEFINITE, 2],
        [status.WEIGHTS_NOT_FINITE, 3],
    ]
    expected = naive.direct(np.eye(2), inputs[0], 0.1, 0.0)
    np.testing.assert_allclose(weights[0], expected[-1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(recorded[1, :2], [0.05 * np.eye(2), -0.05 * np.eye(2)], atol=1e-16)
    np.testing.assert_array_equal(weights[2], np.eye(2))


def test_interneurons_take_the_root_where_weights_are_not_fit_to_be_carried():
    rng = np.random.default_rng(5)
    n, eta = 6, 0.01
    start, inputs = weights_like(interneuron, rng, n), rng.normal(size=(60, n))
    inputs[20] *= 1e3  # c y'y is about 1e4: eigenvalues of A grow by 1e8 at once
    plain_outcome, outcome, plain, carried = both_ways(interneuron, start, inputs, eta)
    assert outcome == plain_outcome == (status.OK, 60)
    # Carried, A would keep rounding errors of its largest eigenvalue, 1e8 times those of the root.
    before, after = slice(0, 20), slice(20, 60)
    for part in (before, after):
        scale = np.abs(plain[part]).max(axis=(1, 2), keepdims=True)
        assert (np.abs(carried[part] - plain[part]) <= 1e-11 * scale).all()
    # eigvalsh has rounding errors of the largest eigenvalue, which is 1e8 times as large.
    smallest = np.linalg.eigvalsh(plain[20])[0]
    np.testing.assert_allclose(np.linalg.eigvalsh(carried[20])[0], smallest, rtol=1e-6)

    state = interneuron.initial_carried(start)
    modes = []
    for t in range(60):
        interneuron.run_carried(state, inputs[t : t + 1], t, eta, 0.0, 1, records(n, 1)[0])
        modes.append(state.scale[1] == interneuron.CARRIED)
    assert all(modes[:20])
    assert not any(modes[20 : 20 + int(interneuron.AT_LEAST)])


def test_ill_conditioned_weights_are_not_carried():
    rng = np.random.default_rng(6)
    n = 5
    start, inputs = weights_like(interneuron, rng, n, 1e10), rng.normal(size=(40, n))
    state = interneuron.initial_carried(start)
    interneuron.run_carried(state, inputs[:1], 0, 1e-3, 0.0, 1, records(n, 1)[0])
    assert state.scale[1] != interneuron.CARRIED


@pytest.mark.skipif(not COMPILED, reason="takes too long interpreted")
@pytest.mark.parametrize("n", [8, 30])
@pytest.mark.parametrize("eta", [0.05, 0.3, 1.0, 10.0])
def test_an_indefinite_matrix_is_noticed_at_once(n, eta):
    rng = np.random.default_rng(n)
    inputs = rng.normal(size=(2000, n)) * np.geomspace(0.1, 1, n)
    plain_outcome, outcome, _, carried = both_ways(direct, np.eye(n), inputs, eta)
    assert outcome[0] == plain_outcome[0] == status.WEIGHTS_NOT_POSITIVE_DEFINITE
    # At such rates learning is chaotic: the two ways part after some tens of samples, so each is
    # held against its own weights. Those after row r are the first that row r + 1 cannot use.
    smallest = np.linalg.eigvalsh(carried[: outcome[1]])[:, 0]
    assert (smallest[:-1] > 0).all()
    assert smallest[-1] <= 0


@pytest.mark.skipif(not COMPILED, reason="takes too long interpreted")
@pytest.mark.parametrize("kernel", [direct, interneuron])
@pytest.mark.parametrize(
    ("condition", "eta"),  # at higher rates the weights soon are too ill-conditioned to compare
    [(1e2, 1e-2), (1e4, 1e-3), (1e6, 1e-4)],
)
def test_every_fixed_point_is_one(kernel, condition, eta):
    rng = np.random.default_rng(1)
    n = 12
    start = weights_like(kernel, rng, n, condition)
    # Inputs of the covariance that the weights are optimal for: their scales span `condition`.
    S = naive.random_covariance(np.random.default_rng(1), n, condition)
    inputs = rng.normal(size=(3000, n)) @ S
    _, outcome, _, A = both_ways(kernel, start, inputs, eta)
    assert outcome == (status.OK, 3000)
    before = np.concatenate([[start if kernel is direct else start @ start.T], A[:-1]])
    y = np.linalg.solve(before, inputs[..., None])[..., 0]
    outer = y[:, :, None] * y[:, None, :]
    if kernel is direct:
        expected = before + eta * (outer - np.eye(n))
    else:
        factor = (1 - eta) * np.eye(n) + eta * outer
        expected = factor @ before @ factor
    # A fixed point with a residual of 1e-9 |x| would move the weights by up to 1e-9 of the change
    # that it makes, times the conditioning; the reference solution has that much rounding itself.
    change = np.abs(expected - before).max(axis=(1, 2))
    error = np.abs(A - expected).max(axis=(1, 2))
    assert (error <= 1e-9 * change + 1e-13 * condition * np.abs(before).max()).all()


@pytest.mark.parametrize("kernel", [direct, interneuron])
def test_neither_blocks_nor_records_change_a_bit(kernel):
    rng = np.random.default_rng(3)
    n = 9
    start, inputs = weights_like(kernel, rng, n), rng.normal(size=(60, n))
    whole = records(n, 60)[0]
    kernel.run_carried(kernel.initial_carried(start), inputs, 0, 0.02, 0.1, 1, whole)
    state, position = kernel.initial_carried(start), 0
    for size in (1, 2, 30, 7, 20):
        out = records(n, size)[0]
        block = inputs[position : position + size]
        assert kernel.run_carried(state, block, position, 0.02, 0.1, 5, out) == (status.OK, size)
        recorded = [s for s in range(position + 1, position + size + 1) if s % 5 == 0]
        np.testing.assert_array_equal(out[: len(recorded)], whole[[s - 1 for s in recorded]])
        position += size


@pytest.mark.skipif(not COMPILED, reason="interpreted functions have no signatures")
@pytest.mark.parametrize("kernel", [direct, interneuron])
def test_one_signature_serves_all_calls(kernel):
    state = kernel.initial_state(np.eye(2))
    for n_processed, every, fast in ((0, 1, EXACT), (np.int64(3), 2, FAST)):
        kernel.run(state, np.ones((2, 2)), n_processed, 0.01, 0.0, fast, every, *records(2, 2))
    assert len(kernel.run.signatures) == 1


def test_without_a_cache_folder_kernels_compile_with_one_warning(monkeypatch):
    original = numba.njit

    def njit(*args, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return original(*args, **options)

    monkeypatch.setattr(numba, "njit", njit)
    _jit._warn_once.cache_clear()
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR") as told:
        doubled, tripled = _jit.kernel(lambda x: 2 * x), _jit.kernel(lambda x: 3 * x)
    assert len(told) == 1
    assert (doubled(2.0), tripled(2.0)) == (4.0, 6.0)
