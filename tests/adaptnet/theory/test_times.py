"""Convergence and readaptation times, local rates, and the limits of stability."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet import theory
from adaptnet.theory.law import LAWS
from adaptnet.theory.times import _common_modes
from environments.covariances import random_eigenbasis, with_spectrum
from tests.adaptnet.theory import taylor

KINDS = ("direct", "interneuron")
CIRCUITS = {"direct": an.DirectCircuit, "interneuron": an.InterneuronCircuit}


def basis(n, seed):
    return random_eigenbasis(n, np.random.default_rng(seed))


def root(C):
    values, vectors = np.linalg.eigh(C)
    return (vectors * np.sqrt(values)) @ vectors.T


def weights_of(kind, effective):
    name = "initial_weights" if kind == "direct" else "initial_effective_weights"
    return {name: effective}


# The starts of the table in docs/theory.md, and how near 1e-8 the times are to be: absolutely.
STARTS = [0.01, 0.5, 2, 10, 100, 1000]
NEAR = {"rel": 0, "abs": 1e-8}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", STARTS)
@pytest.mark.parametrize(
    ("n", "condition"), [(1, 1), (4, 4), pytest.param(5, 100, marks=pytest.mark.slow)]
)
def test_integration_agrees_with_the_closed_form(kind, scale, n, condition):
    s, Q = np.geomspace(1, np.sqrt(condition), n) / np.sqrt(condition), basis(n, n)
    C = with_spectrum(s**2, Q)
    for m0 in (scale * s, scale * s[::-1]):  # one ratio for all modes, and one for each
        A = with_spectrum(m0, Q)
        closed = theory.convergence_time(kind, C, A)
        integrated = theory.convergence_time(kind, C, A, closed_form=False)
        assert integrated == pytest.approx(closed, **NEAR)


@pytest.mark.parametrize("kind", KINDS)
def test_integration_is_another_way_than_the_closed_form(kind):
    """Last digits may agree by chance, as they do for one start with one version of NumPy."""
    C = with_spectrum(np.geomspace(0.25, 1, 4), basis(4, 4))
    starts = [with_spectrum(m0 * np.geomspace(1, 0.5, 4), basis(4, 4)) for m0 in STARTS]
    closed, integrated = (
        [theory.convergence_time(kind, C, A, closed_form=way) for A in starts]
        for way in (True, False)
    )
    assert integrated != closed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", STARTS)
@pytest.mark.parametrize(
    ("n", "condition"), [(2, 10), (3, 4), pytest.param(5, 100, marks=pytest.mark.slow)]
)
def test_times_of_starts_that_do_not_commute_are_those_of_taylor_series(kind, scale, n, condition):
    s = np.geomspace(1, np.sqrt(condition), n) / np.sqrt(condition)
    C, A = with_spectrum(s**2, basis(n, 1)), with_spectrum(scale * s, basis(n, 2))
    expected = taylor.crossing(kind, C, A, 0.1)
    assert theory.convergence_time(kind, C, A) == pytest.approx(expected, **NEAR)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [0.01, 10, 1000])
def test_taylor_series_themselves_agree_with_the_closed_form(kind, scale):
    s = np.array([0.5, 1.0])
    C, A = with_spectrum(s**2, basis(2, 1)), with_spectrum(scale * s, basis(2, 1))
    closed = theory.convergence_time(kind, C, A)
    # Both are double precision in the end, of times up to 1000.
    assert taylor.crossing(kind, C, A, 0.1) == pytest.approx(closed, rel=0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_crossing_of_a_rotation_is_where_the_flow_has_it(kind):
    s2 = np.array([0.3, 1.0, 2.5])
    old, new = with_spectrum(s2, basis(3, 1)), with_spectrum(s2, basis(3, 2))
    time = theory.readaptation_time(kind, old, new, 0.1)
    eta = 1e-5
    circuit = CIRCUITS[kind](**weights_of(kind, root(old)), learning_rate=eta)
    run = an.flow(circuit, new, int(1.2 * time / eta), record_every=1)
    below = run["whitening_error"].values.squeeze() < 0.1
    first = run["synaptic_time"].values.squeeze()[below.argmax()]
    assert first - eta <= time <= first + 1e-8  # the record before it was still above


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_do_takes_no_time(kind):
    C, other = with_spectrum([1, 2], basis(2, 3)), with_spectrum([1.0001, 2], basis(2, 4))
    assert theory.readaptation_time(kind, C, C, 0.1) == 0
    assert theory.convergence_time(kind, C, root(C), 1e-3) == 0
    near = root(C) + 1e-3 * other
    assert theory.convergence_time(kind, C, near, 0.1) == 0


def test_slowest_direct_mode_is_the_one_farthest_above():
    C = np.diag([1.0, 4.0])
    times = [
        float(theory.law_of("direct").mode_time(s, m0, 0.1)) for s, m0 in [(1.0, 30.0), (2.0, 20.0)]
    ]
    assert theory.convergence_time("direct", C, np.diag([30.0, 20.0])) == max(times)


@pytest.mark.parametrize("kind", KINDS)
def test_scaling_inputs_scales_direct_times_alone(kind):
    s2, c = np.array([0.3, 1.0, 2.5]), 5.0
    old, new = with_spectrum(s2, basis(3, 1)), 0.1 * with_spectrum(s2, basis(3, 2))
    time = theory.readaptation_time(kind, old, new, 0.1)
    scaled = theory.readaptation_time(kind, c**2 * old, c**2 * new, 0.1)
    expected = c * time if kind == "direct" else time
    assert scaled == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_local_rates_are_those_of_perturbations_that_do_not_commute(kind):
    s = np.array([0.3, 1.0, 2.5])
    rates = theory.law_of(kind).local_rates(np.diag(s**2))
    for i, j in [(0, 1), (0, 2), (1, 2), (2, 2)]:
        start = np.diag(s)
        start[i, j] += 1e-4
        start[j, i] = start[i, j]
        circuit = CIRCUITS[kind](**weights_of(kind, start), learning_rate=1e-3)
        run = an.flow(
            circuit,
            np.diag(s**2),
            int(1000 / rates[i, j]),
            record_every=20,
            record=["effective_weights"],
        )
        deviation = run["effective_weights"].values[0, 0, :, i, j] - (i == j) * s[i]
        slope = np.polyfit(run["synaptic_time"].values[0], np.log(deviation), 1)[0]
        # Second order in the perturbation of 1e-4.
        assert -slope == pytest.approx(rates[i, j], rel=1e-3)


def test_interneuron_rates_never_fall_below_four():
    s2 = np.geomspace(1e-6, 1e6, 7)
    assert theory.law_of("interneuron").local_rates(np.diag(s2)).min() == pytest.approx(4)
    rates = theory.law_of("direct").local_rates(np.diag(s2))
    np.testing.assert_allclose(rates.min(), 2e-3)
    np.testing.assert_allclose(rates.max(), 2e3)


@pytest.mark.parametrize("kind", KINDS)
def test_offline_learning_is_stable_up_to_the_stated_rate_and_no_further(kind):
    s = np.array([0.3, 0.5, 1.2])
    limit = theory.largest_learning_rate(kind, np.diag(s**2))
    start = np.diag(s) + 1e-6
    errors = {}
    for factor in (0.97, 1.03):
        circuit = CIRCUITS[kind](**weights_of(kind, start), learning_rate=factor * limit)
        run = an.offline(circuit, np.diag(s**2), 100)
        errors[factor] = (
            run["whitening_error"].values[0, 0, -1] / run["whitening_error"].values[0, 0, 0]
        )
    assert errors[0.97] < 1 < errors[1.03]


def test_laws_go_by_name_or_circuit(monkeypatch):
    monkeypatch.delitem(LAWS, "decaying", raising=False)  # of the documentation's example
    for kind, circuit in CIRCUITS.items():
        assert theory.law_of(kind) is theory.law_of(circuit())
    assert theory.law_of("direct") is not theory.law_of("interneuron")
    with pytest.raises(ValueError, match=r"'direct', 'interneuron', got 'gains'"):
        theory.law_of("gains")
    with pytest.raises(TypeError, match="got 3"):
        theory.law_of(3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("covariance", "start", "threshold", "message"),
    [
        (np.diag([1.0, 0.0]), np.eye(2), 0.1, "covariance must be positive definite"),
        (np.eye(2), np.diag([1.0, 0.0]), 0.1, "start must be positive definite"),
        (np.eye(2), np.diag([1.0, -1.0]), 0.1, "start must be positive definite"),
        (np.eye(2), np.array([[1.0, 0.5], [0.0, 1.0]]), 0.1, "start must be symmetric"),
        (np.eye(2), np.eye(3), 0.1, r"start must have the shape of covariance, \(2, 2\)"),
        (np.eye(2), np.eye(2), 1.5, "threshold must lie between 0 and 1, got 1.5"),
        (np.eye(2), np.eye(2), -0.1, "threshold must lie between 0 and 1, got -0.1"),
    ],
)
def test_bad_arguments_are_named(kind, covariance, start, threshold, message):
    with pytest.raises(ValueError, match=message):
        theory.convergence_time(kind, covariance, start, threshold)


def test_flows_whose_steps_vanish_say_so():
    for kind, circuit in CIRCUITS.items():
        with pytest.raises(an.IntegrationError, match=r"effective weights.*better conditioned"):
            an.flow({kind: circuit(initial_weights=1e-120)}, np.eye(2), 10)


def test_a_start_that_cannot_be_integrated_says_so():
    start = 1e-100 * with_spectrum([1.0, 2.0], basis(2, 5))  # where velocities overflow
    with pytest.raises(an.IntegrationError, match=r"effective weights.*better conditioned"):
        theory.convergence_time("direct", np.diag([1.0, 2.0]), start)


def test_a_crossing_that_takes_for_ever_is_given_up(monkeypatch):
    monkeypatch.setattr("adaptnet.theory.integration._MOST_CALLS", 50)
    start = np.array([[5.0, 1.0], [1.0, 3.0]])
    with pytest.raises(an.IntegrationError, match="50 evaluations did not reach the threshold"):
        theory.convergence_time("direct", np.diag([1.0, 2.0]), start)


@pytest.mark.parametrize("kind", KINDS)
def test_times_of_stacks_are_those_of_each_pair(kind):
    covariances = np.stack([with_spectrum([1, 2], basis(2, seed)) for seed in (1, 2, 3)])
    starts = np.array([0.1, 10.0])[:, None, None, None] * np.eye(2)
    times = theory.convergence_time(kind, covariances, starts)
    assert times.shape == (2, 3)
    for i, c in np.ndindex(2, 3):
        assert times[i, c] == theory.convergence_time(kind, covariances[c], starts[i, 0])
    again = theory.readaptation_time(kind, covariances[:1], covariances)
    assert again.shape == (3,)
    assert again[2] == theory.readaptation_time(kind, covariances[0], covariances[2])
    assert isinstance(theory.readaptation_time(kind, covariances[0], covariances[1]), float)
    with pytest.raises(ValueError, match="leading dimensions of start must broadcast"):
        theory.convergence_time(kind, covariances, np.stack([np.eye(2)] * 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("condition", [1e4, 1e8, 1e10])
def test_commuting_starts_have_closed_forms_at_any_condition(kind, condition):
    s, Q = np.geomspace(1, condition**-0.5, 4), basis(4, 1)
    C, A = with_spectrum(s**2, Q), with_spectrum(3 * s[::-1], Q)
    expected = theory.law_of(kind).mode_time(s, 3 * s[::-1], 0.1).max()
    # Rounding of the largest variance is all the accuracy that the smallest one has.
    time = theory.convergence_time(kind, C, A)
    assert time == pytest.approx(expected, rel=1e-6 * max(1, condition / 1e8))


@pytest.mark.parametrize("condition", [1e4, 1e10])
def test_starts_that_barely_commute_are_not_taken_for_such_that_do(condition):
    turn = np.array([[np.cos(1e-6), -np.sin(1e-6)], [np.sin(1e-6), np.cos(1e-6)]])
    s = np.array([1.0, condition**-0.5])
    C, A = np.diag(s**2), with_spectrum(3 * s[::-1], turn)
    assert _common_modes(C, np.diag(3 * s[::-1])) is not None
    assert _common_modes(C, A) is None
