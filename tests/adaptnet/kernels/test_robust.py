"""Kernels where double precision is short: what is a divergence, and what only looks like one."""

import mpmath
import numpy as np
import pytest

import adaptnet as an
from adaptnet.kernels.dynamics import FastDynamics
from adaptnet.kernels.status import Status
from tests import naive
from tests.adaptnet.kernels.test_ways import (
    CIRCUITS,
    COMPILED,
    EXACT_WAYS,
    INVERSE,
    PLAIN,
    advanced_alone,
    circuit_of,
)

compiled_only = pytest.mark.skipif(not COMPILED, reason="takes too long interpreted")


def test_small_initial_weights_are_no_divergence():
    inputs = np.random.default_rng(0).standard_normal((20, 13))
    for dynamics in ("equilibrium", "cholesky"):
        circuit = an.DirectCircuit(initial_weights=1e-4, learning_rate=1e-6, dynamics=dynamics)
        run = an.simulate(circuit, inputs, progress=False)
        assert (run["diverged_sample"] == -1).all()


@compiled_only
@pytest.mark.parametrize("n", [13, 32, 64])
@pytest.mark.parametrize("condition", [1e6, 1e8, 1e11, 1e14])
@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_both_exact_dynamics_leave_the_cone_at_the_same_sample(n, condition, scale):
    rng = np.random.default_rng(n)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    spectrum = scale * np.geomspace(1.0, 1.0 / condition, n)
    start = (basis * spectrum) @ basis.T
    start = (start + start.T) / 2
    # Where outputs are small, the smallest eigenvalue shrinks by nearly eta per sample: to zero
    # within some 25 samples.
    ended = set()
    for size in (1e-3, 0.9):
        inputs = size * rng.normal(size=(100, n)) @ (basis * spectrum) @ basis.T
        outcomes = []
        for way in (PLAIN["direct"], INVERSE["direct"]):
            state = way.initial_state(start)
            outcome, _ = advanced_alone(way, state, inputs, 0.04 * scale / condition)
            outcomes.append(outcome)
        assert outcomes[0] == outcomes[1]
        ended.add(outcomes[0].status)
    assert Status.WEIGHTS_NOT_POSITIVE_DEFINITE in ended


def eigenvalues_by_many_digits(start, inputs, eta):
    """Yield the eigenvalues of A after each sample of the interneuron circuit, in 200 digits."""
    with mpmath.workdps(200):
        A, rate = mpmath.matrix(start.tolist()), mpmath.mpf(eta)
        for x in inputs:
            y = mpmath.lu_solve(A, mpmath.matrix(x.tolist()))
            change = (1 - rate) * mpmath.eye(len(x)) + rate * y * y.T
            A = change * A * change
            yield sorted(mpmath.eigsy(A, eigvals_only=True))


@compiled_only
@pytest.mark.parametrize("scale", [1.0, 3e5, 1e10])
def test_interneurons_keep_the_digits_of_small_eigenvalues_beside_large_ones(scale):
    n, eta = 6, 1e-3
    inputs = scale * np.random.default_rng(0).standard_normal((30, n))
    way = INVERSE["interneuron"]
    state = way.initial_state(np.eye(n))
    for t, expected in enumerate(eigenvalues_by_many_digits(np.eye(n), inputs, eta)):
        outcome, _ = advanced_alone(way, state, inputs[t : t + 1], eta)
        assert outcome == (Status.OK, 1)
        if scale > 1.0:  # the first sample makes the condition (c y'y)^2, far above 1e8
            assert state.mode[0] == way.Mode.ROOT
            found = np.sort(np.linalg.svd(state.root, compute_uv=False) ** 2)
            # Rounding of 30 samples; an A held as such loses all digits of the smallest.
            np.testing.assert_allclose(found, [float(value) for value in expected], rtol=1e-12)


def test_interneurons_do_not_leave_the_cone_whatever_the_inputs_scale():
    inputs = 3e5 * np.random.default_rng(0).standard_normal((2_000, 10))
    run = an.simulate(an.InterneuronCircuit(), inputs, progress=False)
    assert (run["diverged_sample"] == -1).all()


def test_a_rate_of_nearly_one_does_not_end_in_numbers_that_are_none():
    inputs = np.random.default_rng(0).standard_normal((200, 4))
    for way in EXACT_WAYS:
        if circuit_of(way) == "interneuron":
            with np.errstate(all="ignore"):  # interpreted, NumPy would warn of overflows
                state = way.initial_state(np.eye(4))
                outcome, weights = advanced_alone(way, state, inputs, 0.9999999999999999)
            assert np.isfinite(weights[: outcome.n_samples]).all()
            assert outcome.status != Status.OK or np.isfinite(weights).all()


@pytest.mark.parametrize("way", EXACT_WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("sizes", [(40,), (7, 1, 32)])
def test_silent_inputs_are_named_as_what_they_are(way, sizes):
    # The direct circuit loses eta per sample, the other a factor (1 - eta)^2 until it underflows.
    direct = circuit_of(way) == "direct"
    eta, silent_ones = (
        (0.1, (slice(None), 2)) if direct else (np.nextafter(1.0, 0.0), (slice(None),))
    )
    for silent in silent_ones:
        inputs = np.random.default_rng(0).normal(size=(40, 5))
        inputs[:, silent] = 0.0
        state, start = way.initial_state(np.eye(5)), 0
        with np.errstate(all="ignore"):  # interpreted, NumPy would warn of underflows
            for size in sizes:
                outcome, _ = advanced_alone(way, state, inputs[start : start + size], eta)
                if outcome.status != Status.OK:
                    break
                start += size
        assert outcome.status == (Status.CHANNEL_SILENT if silent == 2 else Status.INPUTS_SILENT)
        if direct:  # 1 - 10 * 0.1 is the smallest eigenvalue, up to rounding
            assert start + outcome.n_samples in (10, 11)


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("scale", [1e155, 1e-170])
def test_euler_steps_do_not_depend_on_the_inputs_scale(circuit, scale):
    way, n = PLAIN[circuit], 3
    start = naive.random_covariance(np.random.default_rng(0), n, 4.0)
    inputs = np.random.default_rng(1).normal(size=(4, n))
    steps = []
    for factor in (1.0, scale):
        records = {
            "effective_weights": np.zeros((1, 1, n, n)),
            "fast_steps": np.zeros((1, 1), np.int64),
        }
        recorded, dynamics = np.array([0, 0, 0, 1], bool), FastDynamics(0.05, 1e-3, 1000, 1.0)
        blocks = factor * inputs[None], np.zeros((1, 4)), recorded, records, dynamics
        outcomes = way.advance([way.initial_state(start)], *blocks)
        assert outcomes == [(Status.OK, 4)]
        steps.append(records["fast_steps"][0, 0])
    assert steps[0] == steps[1] > 1


@pytest.mark.parametrize("eta", [0.01, 0.3])
def test_the_integrated_direct_circuit_leaves_the_cone_when_it_does(eta):
    way, n = PLAIN["direct"], 3
    start = naive.random_covariance(np.random.default_rng(0), n, 4.0)
    inputs = 0.01 * np.random.default_rng(1).normal(size=(400, n))
    state = way.initial_state(start)
    outcome, weights = advanced_alone(
        way, state, inputs, eta, dynamics=FastDynamics(0.05, 1e-3, 50, 1.0)
    )
    assert outcome.status == Status.WEIGHTS_NOT_POSITIVE_DEFINITE
    smallest = np.linalg.eigvalsh(weights[: outcome.n_samples])[:, 0]
    assert (smallest[:-1] > 0).all()
    assert smallest[-1] <= 0


@compiled_only
@pytest.mark.parametrize("way", EXACT_WAYS, ids=lambda way: way.__name__)
def test_nothing_depends_on_how_numpy_treats_errors(way):
    rng = np.random.default_rng(2)
    n = 4
    inputs = rng.normal(size=(60, n)) * np.geomspace(1e-160, 1e160, 60)[:, None]
    results = []
    for treatment in ("ignore", "raise"):
        with np.errstate(all=treatment):
            state = way.initial_state(np.diag([1.0, 1e-3, 1e-170, 1e-250]))
            results.append((advanced_alone(way, state, inputs, 1e-3), way.weights(state)))
    (first, first_weights), (second, second_weights) = results
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(first_weights, second_weights)
