"""Circuits that diverged: they never readapt, which is not to be lost to follow-up."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptnet.readaptation import (
    Outcome,
    fractional_recovery,
    logrank_tests,
    paired_bootstrap,
    readaptation_times,
    summary,
    survival_curves,
)
from adaptnet.readaptation.kaplan_meier import Events, curve_and_band, kaplan_meier
from tests.adaptnet.synthetic import run_of, times_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # lifelines' own imports
    lifelines = pytest.importorskip("lifelines")
    from lifelines.statistics import logrank_test


def competing(seed, n=60, ties=False):
    """Return durations, and whether circuits reached, diverged or neither."""
    rng = np.random.default_rng(seed)
    each = [rng.exponential(10, n), rng.exponential(20, n), rng.uniform(2, 40, n)]
    if ties:
        each = [np.ceil(times) for times in each]
    first = np.argmin(each, axis=0)
    return np.min(each, axis=0), first == 0, first == 1


@pytest.mark.parametrize("seed", range(8))
def test_the_share_that_readapted_is_that_of_aalen_and_johansen(seed):
    durations, observed, diverged = competing(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.AalenJohansenFitter(calculate_variance=True).fit(
            durations, np.where(observed, 1, np.where(diverged, 2, 0)), event_of_interest=1
        )
    curve = kaplan_meier(durations, observed, diverged)
    incidence = theirs.cumulative_density_.values.ravel()[1:]
    np.testing.assert_allclose(1 - curve.survival, incidence, rtol=1e-12, atol=1e-14)
    grid = np.sort(durations)
    share, lower, upper = curve_and_band(durations, observed, diverged, grid, 0.95)
    np.testing.assert_allclose(share, curve.survival, rtol=1e-12)
    assert (lower <= share).all()
    assert (share <= upper).all()
    events = Events.of(durations, observed, diverged)
    at = np.searchsorted(events.times, grid, side="right")
    ours = np.append(0.0, events.incidence)[at]
    passed = (events.times[:, None] <= grid).astype(float)
    variance = events.variance((ours - events.incidence[:, None]) * passed, passed)
    expected = theirs.variance_.values.ravel()[1:]
    known = np.isfinite(expected)  # theirs has 0 / 0 once nobody is left
    assert known[:-1].all()
    np.testing.assert_allclose(variance[known], expected[known], rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_of_ties_readaptation_comes_first(seed):
    durations, observed, diverged = competing(seed, ties=True)
    curve = kaplan_meier(durations, observed, diverged)
    events = Events.of(durations, observed, diverged)
    # The textbook's sum over distinct times: S(t-) d / n.
    at = np.searchsorted(curve.times, events.times, side="right") - 1
    np.testing.assert_allclose(1 - curve.survival[at], events.incidence, rtol=1e-12)


def times_with_dead(n_dead, n_reached, n=100, end=1000.0):
    """Return times of two circuits; of the first some died and some reached, at regular times."""
    samples = np.full((2, n, 1), end)
    observed = np.zeros((2, n, 1), bool)
    diverged = np.zeros((2, n, 1), bool)
    samples[0, :n_reached, 0] = np.linspace(500, 900, n_reached)
    observed[0, :n_reached] = True
    samples[0, n_reached : n_reached + n_dead, 0] = np.linspace(0, 700, n_dead)
    diverged[0, n_reached : n_reached + n_dead] = True
    samples[1, :, 0] = np.linspace(300, 600, n)
    observed[1] = True
    return times_of(samples, observed, diverged, followed=end)


@pytest.mark.parametrize("n_reached", [0, 10, 39, 49])
def test_a_median_that_fewer_than_half_reached_is_infinite(n_reached):
    found = summary(times_with_dead(100 - n_reached, n_reached)).isel(circuit=0, change=0)
    assert found["median"].item() == np.inf
    assert found.diverged.item() == pytest.approx(1 - n_reached / 100)
    assert found.censored.item() == pytest.approx(1 - n_reached / 100)
    reached = summary(times_with_dead(50, 50)).isel(circuit=0, change=0)
    assert reached["median"].item() == 900


@given(st.lists(st.tuples(st.floats(1, 99), st.booleans()), min_size=1, max_size=30))
def test_the_median_is_finite_exactly_if_half_reached(circuits):
    durations, observed = (np.array(column) for column in zip(*circuits, strict=True))
    median = kaplan_meier(durations, observed, ~observed).quantile(0.5)
    assert np.isfinite(median) == (2 * observed.sum() >= len(observed))


def test_the_dead_set_no_horizon_and_count_as_not_readapted_up_to_it():
    times = times_with_dead(60, 40)
    found = summary(times).isel(change=0)
    # The first circuit's survivors were followed to 900 at least, the second's to 1000.
    assert (found.horizon == 1000).all()
    truth = np.minimum(np.where(times.observed, times.samples, np.inf), 1000)[..., 0]
    np.testing.assert_allclose(found.restricted_mean, truth.mean(axis=1), rtol=1e-12)
    # Without censoring, Greenwood's is the spread of the times cut off, over n.
    error = truth.std(axis=1) / 10
    np.testing.assert_allclose(found.restricted_mean_error, error, rtol=1e-9)


def test_one_dead_circuit_spoils_no_comparison():
    # As many replicates of the first died at once as there are.
    times = times_with_dead(100, 0)
    times["followed"][{"circuit": 0}] = 0.0
    found = summary(times).isel(change=0)
    assert (found.horizon == 1000).all()
    np.testing.assert_allclose(found.restricted_mean, [1000, 450], rtol=1e-12)
    compared = paired_bootstrap(times).squeeze()
    assert compared.outcome.item() == Outcome.ESTIMATED
    assert compared.difference.item() == pytest.approx(550)
    assert compared.ratio.item() == pytest.approx(1000 / 450)
    assert compared.ratio_low.item() > 2


def test_means_of_the_dead_are_those_of_times_cut_off():
    times = times_with_dead(60, 40, n=100)
    truth = np.minimum(np.where(times.observed, times.samples, np.inf), 1000)
    plain = times_of(truth, np.ones_like(truth, bool))
    ours, expected = paired_bootstrap(times).squeeze(), paired_bootstrap(plain, "mean").squeeze()
    for name in ("difference", "difference_low", "difference_high", "ratio", "ratio_high"):
        # Pseudo-values of an uncensored mean are the values themselves, but for rounding.
        assert ours[name].item() == pytest.approx(expected[name].item(), rel=1e-9)


def test_medians_know_that_the_dead_never_arrive():
    times = times_with_dead(70, 30)
    compared = paired_bootstrap(times, "median").squeeze()
    assert compared.outcome.item() == Outcome.SECOND_ONLY
    assert compared.difference.item() == np.inf
    assert compared.ratio.item() == np.inf
    few = paired_bootstrap(times_with_dead(10, 90), "median").squeeze()
    # Ten infinite differences of a hundred leave the median where it is, and its limits finite.
    assert few.outcome.item() == Outcome.ESTIMATED
    assert np.isfinite([few.difference_low.item(), few.difference_high.item()]).all()


def test_if_nobody_reached_there_is_nothing_to_compare():
    samples = np.full((2, 12, 2), 100.0)
    diverged = np.zeros((2, 12, 2), bool)
    diverged[:, :, 1] = True
    times = times_of(samples, np.zeros_like(diverged), diverged)
    for statistic in ("restricted_mean", "median"):
        compared = paired_bootstrap(times, statistic).squeeze()
        assert (compared.outcome == Outcome.NEITHER).all()
        assert np.isnan([compared.difference, compared.ratio]).all()
        assert (compared.difference_low == -np.inf).all()
        assert (compared.difference_high == np.inf).all()
        assert (compared.ratio_low == 0).all()
        assert (compared.ratio_high == np.inf).all()


def test_the_dead_stay_at_risk_in_the_logrank_test():
    times = times_with_dead(60, 40)
    test = logrank_tests(times).squeeze()
    durations = np.where(times.observed, times.samples, 2000.0)[..., 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = logrank_test(*durations, *times.observed.values[..., 0])
    assert test.statistic.item() ** 2 == pytest.approx(theirs.test_statistic, rel=1e-9)
    # The second circuit is the quicker.
    assert test.statistic.item() < 0
    assert logrank_tests(times.isel(circuit=[1, 0])).statistic.item() > 0


def test_curves_of_the_dead_end_above_what_reached():
    curves = survival_curves(times_with_dead(60, 40)).isel(change=0)
    assert curves.survival.isel(circuit=0, time=-1).item() == pytest.approx(0.6)
    assert curves.survival.isel(circuit=1, time=-1).item() == 0
    last = curves.isel(circuit=0, time=-1)
    # Normal theory for 60 of 100 has .504 to .696; that of log(-log) is a little lower.
    assert last.lower.item() == pytest.approx(0.504, abs=0.01)
    assert last.upper.item() == pytest.approx(0.696, abs=0.01)


def test_runs_with_a_diverged_circuit():
    errors = np.where(np.arange(300) < 100, 0.01, 1.0) * np.ones((2, 8, 1))
    errors[1, :, 180:] = 0.01
    errors[0, :, 220:] = np.nan
    run = run_of(errors, [100], diverged=np.array([[220] * 8, [-1] * 8]))
    for times in (readaptation_times(run, 0.1), fractional_recovery(run, 0.9)):
        assert (times.outcome.values[0] == Outcome.DIVERGED).all()
        assert (times.followed.values[0] == 119).all()
        found = summary(times).isel(change=0)
        assert found["median"].values.tolist() == [np.inf, 80]
        assert (found.horizon == 199).all()
        assert found.restricted_mean.values.tolist() == [199, 80]
        ratio = paired_bootstrap(times).squeeze().ratio.item()
        assert ratio == pytest.approx(199 / 79.5)  # the middle between two records
