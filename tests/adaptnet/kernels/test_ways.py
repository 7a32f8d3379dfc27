"""The kernels on their own, small enough to run interpreted too (NUMBA_DISABLE_JIT=1)."""

import os

import numpy as np
import pytest

from adaptnet.kernels import batch
from adaptnet.kernels.building_blocks import compile as _jit
from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.lanes import LANES
from adaptnet.kernels.direct import inverse as direct_inverse
from adaptnet.kernels.direct import lanes as direct_lanes
from adaptnet.kernels.direct import plain as direct_plain
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.interneuron import inverse as interneuron_inverse
from adaptnet.kernels.interneuron import lanes as interneuron_lanes
from adaptnet.kernels.interneuron import plain as interneuron_plain
from adaptnet.kernels.status import Outcome, Status
from tests import naive

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
FAST = FastDynamics(0.05, 1e-300, 20, 2.0)
PLAIN = {"direct": direct_plain, "interneuron": interneuron_plain}
INVERSE = {"direct": direct_inverse, "interneuron": interneuron_inverse}
LANES_OF = {"direct": direct_lanes, "interneuron": interneuron_lanes}
EXACT_WAYS = [ways[circuit] for ways in (PLAIN, INVERSE, LANES_OF) for circuit in ways]
CIRCUITS = ["direct", "interneuron"]


def rates_of(eta, decay, start, length):
    return naive.learning_rate(eta, decay, np.arange(start, start + length))


def advanced(way, states, inputs, eta, decay=0.0, every=1, start=0, **dynamics):
    """Return outcomes and recorded weights of replicates with inputs (replicate, sample, n)."""
    length, n = inputs.shape[1:]
    recorded = np.arange(start + 1, start + length + 1) % every == 0
    weights = np.zeros((len(states), np.count_nonzero(recorded), n, n))
    rates = np.tile(rates_of(eta, decay, start, length), (len(states), 1))
    records = {"effective_weights": weights}
    return way.advance(states, inputs, rates, recorded, records, **dynamics), weights


def advanced_alone(way, state, inputs, *arguments, **named):
    """Return the outcome and recorded weights of one replicate with inputs (sample, n)."""
    (outcome,), (weights,) = advanced(way, [state], inputs[None], *arguments, **named)
    return outcome, weights


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
    state = direct_plain.initial_state(M)
    outcome, weights = advanced_alone(direct_plain, state, inputs, 0.01, 0.1, every=3)
    assert outcome == (Status.OK, 30)
    expected = naive.direct(M, inputs, 0.01, 0.1)
    np.testing.assert_allclose(weights, expected[2::3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(state.weights, expected[-1], rtol=1e-12, atol=1e-14)


def test_interneuron_equals_its_twin():
    rng = np.random.default_rng(1)
    W, inputs = rng.normal(size=(3, 5)), rng.normal(size=(30, 3))
    state = interneuron_plain.initial_state(W)
    outcome, weights = advanced_alone(interneuron_plain, state, inputs, 0.01, 0.1, every=3)
    assert outcome == (Status.OK, 30)
    expected = naive.interneuron(W, inputs, 0.01, 0.1)
    np.testing.assert_allclose(weights, expected[2::3], rtol=1e-11, atol=1e-13)


def test_euler_steps_equal_their_twins():
    rng = np.random.default_rng(2)
    M, W, x = naive.random_covariance(rng, 3), rng.normal(size=(3, 4)), rng.normal(size=3)
    y, z = np.zeros(3), np.zeros(4)
    assert direct_plain.integrate(M, x, y, FAST) == 20
    np.testing.assert_allclose(y, naive.integrated_direct(M, x, 0.05, 20), rtol=1e-12)
    assert interneuron_plain.integrate(W.T.copy(), x, y, z, FAST) == 20
    for ours, theirs in zip((y, z), naive.integrated_interneuron(W, x, 0.05, 2.0, 20), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_zero_input_needs_no_step():
    y, z = np.ones(2), np.ones(2)
    assert direct_plain.integrate(np.eye(2), np.zeros(2), y, FAST) == 0
    assert interneuron_plain.integrate(np.eye(2), np.zeros(2), y, z, FAST) == 0
    assert not y.any()
    assert not z.any()


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_failures_come_with_the_sample(circuit):
    way = PLAIN[circuit]
    inputs = np.ones((5, 2))
    inputs[3] = 1e200  # y y' overflows
    with np.errstate(all="ignore"):  # interpreted, NumPy would warn of the overflow
        outcome, _ = advanced_alone(way, way.initial_state(np.eye(2)), inputs, 0.01)
        assert outcome == (Status.WEIGHTS_NOT_FINITE, 3)
        unstable = FastDynamics(1e6, 1e-3, 10_000, 1.0)
        state = way.initial_state(np.eye(2))
        outcome, _ = advanced_alone(way, state, inputs[:3], 0.01, dynamics=unstable)
        assert outcome == (Status.ACTIVITY_NOT_FINITE, 0)


def weights_like(circuit, rng, n, condition=20.0):
    """Return M, or W with W W' of the same conditioning."""
    M = naive.random_covariance(rng, n, condition)
    return M if circuit == "direct" else np.linalg.cholesky(M) @ np.eye(n, n + 3)


def both_ways(circuit, start, inputs, eta, decay=0.0, every=1):
    """Return outcome and records of a factorisation per sample, and of the carried inverse."""
    ended = [
        advanced_alone(way, way.initial_state(start), inputs, eta, decay, every)
        for way in (PLAIN[circuit], INVERSE[circuit])
    ]
    (plain_outcome, plain), (outcome, carried) = ended
    return plain_outcome, outcome, plain, carried


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("n", [1, 3, 8, 13])
@pytest.mark.parametrize(("eta", "decay"), [(1e-3, 0.0), (1e-2, 1e-2), (0.05, 0.0)])
def test_the_carried_inverse_equals_factorising(circuit, n, eta, decay):
    rng = np.random.default_rng(n)
    start, inputs = weights_like(circuit, rng, n), 3 * rng.normal(size=(60, n))
    plain_outcome, outcome, plain, carried = both_ways(circuit, start, inputs, eta, decay)
    assert outcome == plain_outcome == (Status.OK, 60)
    np.testing.assert_allclose(carried, plain, rtol=1e-10, atol=1e-10 * np.abs(plain).max())


def side_by_side(starts, inputs, eta, decay=0.0, every=1):
    """Return final weights, records and outcomes of the direct circuit in each lane."""
    states = [direct_lanes.initial_state(start) for start in starts]
    outcomes, recorded = advanced(direct_lanes, states, inputs, eta, decay, every)
    return np.array([direct_lanes.weights(state) for state in states]), recorded, outcomes


@pytest.mark.parametrize("n", [1, 2, 7, 12])
@pytest.mark.parametrize("lanes", [1, 3, LANES])
def test_replicates_side_by_side_equal_their_twins(n, lanes):
    rng = np.random.default_rng(n)
    starts = [naive.random_covariance(rng, n) for _ in range(lanes)]
    inputs = rng.normal(size=(lanes, 30, n))
    weights, recorded, outcomes = side_by_side(starts, inputs, 0.01, 0.1, every=3)
    assert outcomes == [Outcome(Status.OK, 30)] * lanes
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
        (Status.OK, 6),
        (Status.INPUTS_SILENT, 2),
        (Status.WEIGHTS_NOT_FINITE, 3),
    ]
    expected = naive.direct(np.eye(2), inputs[0], 0.1, 0.0)
    np.testing.assert_allclose(weights[0], expected[-1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(recorded[1, :2], [0.05 * np.eye(2), -0.05 * np.eye(2)], atol=1e-16)
    expected = naive.direct(np.eye(2), inputs[2, :3], 0.1, 0.0)
    np.testing.assert_allclose(weights[2], expected[-1], rtol=1e-12, atol=1e-14)


def test_interneurons_take_the_root_where_weights_are_not_fit_to_be_carried():
    rng = np.random.default_rng(5)
    n, eta = 6, 0.01
    start, inputs = weights_like("interneuron", rng, n), rng.normal(size=(60, n))
    inputs[20] *= 1e3  # c y'y is about 1e4: eigenvalues of A grow by 1e8 at once
    plain_outcome, outcome, plain, carried = both_ways("interneuron", start, inputs, eta)
    assert outcome == plain_outcome == (Status.OK, 60)
    # Carried, A would keep rounding errors of its largest eigenvalue, 1e8 times those of the root.
    before, after = slice(0, 20), slice(20, 60)
    for part in (before, after):
        scale = np.abs(plain[part]).max(axis=(1, 2), keepdims=True)
        assert (np.abs(carried[part] - plain[part]) <= 1e-11 * scale).all()
    # eigvalsh has rounding errors of the largest eigenvalue, which is 1e8 times as large.
    smallest = np.linalg.eigvalsh(plain[20])[0]
    np.testing.assert_allclose(np.linalg.eigvalsh(carried[20])[0], smallest, rtol=1e-6)

    state = interneuron_inverse.initial_state(start)
    modes = []
    for t in range(60):
        advanced_alone(interneuron_inverse, state, inputs[t : t + 1], eta, start=t)
        modes.append(state.mode[0] == interneuron_inverse.Mode.INVERSE)
    assert all(modes[:20])
    assert not any(modes[20 : 20 + interneuron_inverse.AT_LEAST])


def test_ill_conditioned_weights_are_not_carried():
    rng = np.random.default_rng(6)
    n = 5
    start, inputs = weights_like("interneuron", rng, n, 1e10), rng.normal(size=(40, n))
    state = interneuron_inverse.initial_state(start)
    advanced_alone(interneuron_inverse, state, inputs[:1], 1e-3)
    assert state.mode[0] != interneuron_inverse.Mode.INVERSE


@pytest.mark.skipif(not COMPILED, reason="takes too long interpreted")
@pytest.mark.parametrize("n", [8, 30])
@pytest.mark.parametrize("eta", [0.05, 0.3, 1.0, 10.0])
def test_an_indefinite_matrix_is_noticed_at_once(n, eta):
    rng = np.random.default_rng(n)
    inputs = rng.normal(size=(2000, n)) * np.geomspace(0.1, 1, n)
    plain_outcome, outcome, _, carried = both_ways("direct", np.eye(n), inputs, eta)
    assert outcome[0] == plain_outcome[0] == Status.WEIGHTS_NOT_POSITIVE_DEFINITE
    # At such rates learning is chaotic: the two ways part after some tens of samples, so each is
    # held against its own weights. Those after row r are the first that row r + 1 cannot use.
    smallest = np.linalg.eigvalsh(carried[: outcome[1]])[:, 0]
    assert (smallest[:-1] > 0).all()
    assert smallest[-1] <= 0


@pytest.mark.skipif(not COMPILED, reason="takes too long interpreted")
@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize(
    ("condition", "eta"),  # at higher rates the weights soon are too ill-conditioned to compare
    [(1e2, 1e-2), (1e4, 1e-3), (1e6, 1e-4)],
)
def test_every_fixed_point_is_one(circuit, condition, eta):
    rng = np.random.default_rng(1)
    n = 12
    start = weights_like(circuit, rng, n, condition)
    # Inputs of the covariance that the weights are optimal for: their scales span `condition`.
    S = naive.random_covariance(np.random.default_rng(1), n, condition)
    inputs = rng.normal(size=(3000, n)) @ S
    _, outcome, _, A = both_ways(circuit, start, inputs, eta)
    assert outcome == (Status.OK, 3000)
    before = np.concatenate([[start if circuit == "direct" else start @ start.T], A[:-1]])
    y = np.linalg.solve(before, inputs[..., None])[..., 0]
    outer = y[:, :, None] * y[:, None, :]
    if circuit == "direct":
        expected = before + eta * (outer - np.eye(n))
    else:
        factor = (1 - eta) * np.eye(n) + eta * outer
        expected = factor @ before @ factor
    # A fixed point with a residual of 1e-9 |x| would move the weights by up to 1e-9 of the change
    # that it makes, times the conditioning; the reference solution has that much rounding itself.
    change = np.abs(expected - before).max(axis=(1, 2))
    error = np.abs(A - expected).max(axis=(1, 2))
    assert (error <= 1e-9 * change + 1e-13 * condition * np.abs(before).max()).all()


@pytest.mark.parametrize("way", EXACT_WAYS, ids=lambda way: way.__name__)
def test_neither_blocks_nor_records_change_a_bit(way):
    rng = np.random.default_rng(3)
    n = 9
    start, inputs = weights_like(circuit_of(way), rng, n), rng.normal(size=(60, n))
    _, whole = advanced_alone(way, way.initial_state(start), inputs, 0.02, 0.1)
    state, position = way.initial_state(start), 0
    for size in (1, 2, 30, 7, 20):
        block = inputs[position : position + size]
        outcome, out = advanced_alone(way, state, block, 0.02, 0.1, every=5, start=position)
        assert outcome == (Status.OK, size)
        recorded = [s for s in range(position + 1, position + size + 1) if s % 5 == 0]
        np.testing.assert_array_equal(out, whole[[s - 1 for s in recorded]])
        position += size


@pytest.mark.parametrize("way", EXACT_WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("condition", [20.0, 1e5, 1e9])
def test_a_rate_of_zero_leaves_the_weights_exactly_as_they_are(way, condition):
    rng = np.random.default_rng(4)
    n, length = 5, 40
    start = weights_like(circuit_of(way), rng, n, condition)
    inputs = rng.normal(size=(2, length, n))
    inputs[:, 30] = 1e200  # y y' overflows, which matters only if it is learned
    rates = np.where(rng.random((2, length)) < 0.5, 1e-4, 0.0)  # each replicate has its own
    rates[:, 30] = 0.0
    states, weights = [way.initial_state(start) for _ in range(2)], np.zeros((2, length, n, n))
    with np.errstate(all="ignore"):  # interpreted, NumPy would warn of the overflow
        outcomes = way.advance(
            states, inputs, rates, np.ones(length, bool), {"effective_weights": weights}
        )
    assert outcomes == [(Status.OK, length)] * 2
    for of_one, at_zero in zip(weights, rates == 0.0, strict=True):
        as_before = (of_one[1:] == of_one[:-1]).all(axis=(1, 2))
        np.testing.assert_array_equal(as_before, at_zero[1:])


def circuit_of(way):
    return "direct" if "direct" in way.__name__ else "interneuron"


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_responses_are_what_unit_inputs_lead_to(circuit):
    rng = np.random.default_rng(5)
    n, length = 3, 6
    way, start = PLAIN[circuit], weights_like(circuit, rng, n)
    records = {
        "effective_weights": np.zeros((1, length, n, n)),
        "fast_steps": np.zeros((1, length), np.int64),
        "response": np.zeros((1, length, n, n)),
    }
    every = np.ones(length, bool)
    rates, inputs = np.full((1, length), 0.01), rng.normal(size=(1, length, n))
    dynamics = FastDynamics(0.05, 0.02, 40, 1.0)
    way.advance([way.initial_state(start)], inputs, rates, every, records, dynamics)
    state = way.initial_state(start)
    for t in range(length):
        step = {name: buffer[:, :1].copy() for name, buffer in records.items()}
        way.advance([state], inputs[:, t : t + 1], rates[:, :1], every[:1], step, dynamics)
        n_steps = records["fast_steps"][0, t]
        columns = []
        for unit in np.eye(n):
            if circuit == "direct":
                columns.append(naive.integrated_direct(state.weights, unit, 0.05, n_steps))
            else:
                W = state.synapses.T
                columns.append(naive.integrated_interneuron(W, unit, 0.05, 1.0, n_steps)[0])
        expected = np.transpose(columns)
        np.testing.assert_allclose(records["response"][0, t], expected, rtol=1e-12, atol=1e-14)
    # At the exact fixed point outputs are those of the inverse of the weights.
    way.advance([state], inputs[:, :1], rates[:, :1], every[:1], step, EXACT)
    inverse = np.linalg.inv(step["effective_weights"][0, 0])
    np.testing.assert_allclose(step["response"][0, 0], inverse, rtol=1e-11, atol=1e-12)


@pytest.mark.skipif(not COMPILED, reason="interpreted functions have no signatures")
@pytest.mark.parametrize("circuit", CIRCUITS)
def test_one_signature_serves_all_calls(circuit):
    way = PLAIN[circuit]
    state = way.initial_state(np.eye(2))
    for every, fast in ((1, EXACT), (2, FAST)):
        advanced_alone(way, state, np.ones((2, 2)), 0.01, every=every, dynamics=fast)
    records = {"effective_weights": np.zeros((1, 2, 2, 2)), "fast_steps": np.zeros((1, 2), int)}
    both = np.ones(2, bool)
    way.advance([state], np.ones((1, 2, 2)), np.ones((1, 2)), both, records, dynamics=FAST)
    assert len(way.run.signatures) == 1


def test_a_sliding_window_is_its_mean_square_whatever_the_blocks():
    rng = np.random.default_rng(6)
    n, window, length = 3, 7, 20
    start, inputs = naive.random_covariance(rng, n), rng.normal(size=(2, length, n))
    states = [batch.initial_state(start, window) for _ in range(2)]
    parts = []
    for block in np.split(inputs, [1, 9, 13], axis=1):
        out = {"effective_weights": np.zeros((2, block.shape[1], n, n))}
        outcomes = batch.advance(states, block, np.ones(block.shape[1], bool), out)
        assert outcomes == [(Status.OK, block.shape[1])] * 2
        parts.append(out["effective_weights"])
    roots = np.concatenate(parts, axis=1)
    for r in range(2):
        before = np.concatenate([np.tile(start @ start, (window, 1, 1)), outer(inputs[r])])
        for t in range(length):
            expected = before[t + 1 : t + 1 + window].mean(axis=0)
            np.testing.assert_allclose(roots[r, t] @ roots[r, t], expected, rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(batch.weights(states[r]), roots[r, -1])


def test_a_window_that_does_not_span_all_neurons_says_so():
    inputs = np.zeros((1, 10, 2))
    inputs[0, :, 0] = 1.0
    state, out = batch.initial_state(np.eye(2), 4), {"effective_weights": np.zeros((1, 5, 2, 2))}
    outcomes = batch.advance([state], inputs, np.arange(1, 11) % 2 == 0, out)
    assert outcomes == [(Status.SAMPLES_DO_NOT_SPAN, 3)]  # recorded after sample 4, the window full


def outer(vectors):
    return vectors[:, :, None] * vectors[:, None, :]


def test_every_failure_has_a_sentence_and_a_remedy():
    for code in Status:
        assert code.sentence
        assert bool(code.remedy) == (code != Status.OK)


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_without_a_cache_folder_kernels_compile_with_one_warning(monkeypatch):
    def refuse(function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(_jit, "cache_of", refuse)
    _jit._warn_once.cache_clear()
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR") as warnings_seen:
        doubled, tripled = _jit.kernel(lambda x: 2 * x), _jit.kernel(lambda x: 3 * x)
    assert len(warnings_seen) == 1
    assert (doubled(2.0), tripled(2.0)) == (4.0, 6.0)
