"""Censored times, against lifelines and closed forms."""

import warnings

import numpy as np
import pytest

from adaptnet.readaptation import logrank_tests, readaptation_times, summary, survival_curves
from adaptnet.readaptation.kaplan_meier import kaplan_meier
from tests.adaptnet.synthetic import run_of, times_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # lifelines' own imports
    lifelines = pytest.importorskip("lifelines")
    from lifelines.statistics import logrank_test
    from lifelines.utils import restricted_mean_survival_time


@pytest.fixture(params=range(12))
def censored(request):
    """Return times with ties, and with censoring from none to nearly all."""
    rng = np.random.default_rng(request.param)
    true = np.ceil(rng.exponential([[30.0], [20.0]], size=(2, 25)))
    end = np.ceil(rng.uniform(1, 10 + 15 * request.param, size=(2, 25)))
    if request.param == 0:
        end += 1000
    return np.minimum(true, end)[:, :, None], (true <= end)[:, :, None]


def fitted(times, observed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines warns of pandas' and of its own
        return lifelines.KaplanMeierFitter().fit(times, observed)


def test_curves_and_bands_are_those_of_lifelines(censored):
    samples, observed = censored
    curves = survival_curves(times_of(samples, observed)).isel(change=0)
    for c in range(2):
        km = fitted(samples[c, :, 0], observed[c, :, 0])
        ours = curves.isel(circuit=c)
        theirs = km.survival_function_at_times(ours.time.values).values
        # Both multiply at most 25 factors: rounding alone.
        np.testing.assert_allclose(ours.survival, theirs, rtol=1e-12, atol=1e-14)
        band = km.confidence_interval_
        inside = (theirs > 1e-12) & (theirs < 1 - 1e-12)
        for name, column in (("lower", 0), ("upper", 1)):
            at = np.searchsorted(band.index.values, ours.time.values, side="right") - 1
            # Elsewhere the formula has no value.
            np.testing.assert_allclose(
                ours[name].values[inside], band.values[at, column][inside], rtol=1e-9
            )
        assert (ours.lower <= ours.survival + 1e-12).all()
        assert (ours.upper >= ours.survival - 1e-12).all()


def test_medians_and_restricted_means_are_those_of_lifelines(censored):
    samples, observed = censored
    found = summary(times_of(samples, observed)).isel(change=0)
    for c in range(2):
        km = fitted(samples[c, :, 0], observed[c, :, 0])
        ours = found.isel(circuit=c)
        assert ours["median"].item() == km.median_survival_time_
        horizon = ours.horizon.item()
        theirs = restricted_mean_survival_time(km, t=horizon)
        # lifelines integrates its own curve, which it has rounded to float64 at each step.
        assert ours.restricted_mean.item() == pytest.approx(theirs, rel=1e-9)
        assert ours.censored.item() == pytest.approx(1 - observed[c].mean())


def test_logrank_is_that_of_lifelines(censored):
    samples, observed = censored
    test = logrank_tests(times_of(samples, observed)).isel(comparison=0, change=0)
    (a, b), (seen_a, seen_b) = samples[..., 0], observed[..., 0]
    theirs = logrank_test(a, b, seen_a, seen_b)
    assert test.statistic.item() ** 2 == pytest.approx(theirs.test_statistic, rel=1e-9)
    assert test.p_value.item() == pytest.approx(theirs.p_value, rel=1e-6)


def test_the_vectorised_estimate_is_scipys(censored):
    samples, observed = (array[..., 0] for array in censored)
    curves = survival_curves(times_of(samples[..., None], observed[..., None])).isel(change=0)
    together = kaplan_meier(samples, observed)
    for c in range(2):
        # Of equal times the last row has what is left after all of them.
        at = np.searchsorted(together.times[c], curves.time.values, side="right")
        ours = np.concatenate([[1.0], together.survival[c]])[at]
        np.testing.assert_allclose(ours, curves.survival[c], rtol=1e-12, atol=1e-14)


def test_uncensored_restricted_mean_and_its_error_are_the_sample_mean_and_its():
    times = np.random.default_rng(0).exponential(10.0, size=(1, 40, 1)).repeat(2, axis=0)
    found = summary(times_of(times, np.ones_like(times, bool)), horizon=1e6).isel(
        circuit=0, change=0
    )
    assert found.restricted_mean.item() == pytest.approx(times[0].mean())
    # Greenwood's variance of an uncensored mean is that of the population, over n.
    assert found.restricted_mean_error.item() == pytest.approx(times[0].std() / np.sqrt(40))


def test_where_nobody_readapts_the_median_is_not_reached():
    samples = np.full((2, 6, 1), 100.0)
    times = times_of(samples, np.zeros_like(samples, bool))
    found = summary(times)
    assert np.isinf(found["median"]).all()
    assert (found.censored == 1).all()
    assert (found.restricted_mean == 100).all()
    curves = survival_curves(times)
    assert (curves.survival == 1).all()
    # None of six has readapted: so few at 2.5 % if the share left were 0.025^(1/6).
    np.testing.assert_allclose(curves.lower, 0.025 ** (1 / 6), rtol=1e-12)
    assert (curves.upper == 1).all()
    test = logrank_tests(times)
    assert test.p_value.item() == 1
    assert test.events.item() == 0


def test_where_all_readapt_at_once_nothing_tells_circuits_apart():
    samples = np.full((2, 6, 1), 100.0)
    test = logrank_tests(times_of(samples, np.ones_like(samples, bool)))
    assert (test.statistic.item(), test.p_value.item(), test.events.item()) == (0, 1, 12)


def test_a_threshold_below_the_floor_is_not_reached():
    noisy = 0.2 + 0.01 * np.random.default_rng(0).random((2, 5, 200))
    times = readaptation_times(run_of(noisy, [50]), 0.1)
    assert not times.observed.any()
    assert np.isinf(summary(times)["median"]).all()


def test_median_interval_covers_the_truth():
    rng = np.random.default_rng(1)
    truth = 10 * np.log(2)
    hits = 0
    n_trials = 400
    true = rng.exponential(10.0, size=(1, 40, n_trials))
    end = rng.uniform(5, 40, size=true.shape)
    found = summary(times_of(np.minimum(true, end), true <= end)).isel(circuit=0)
    hits = ((found.median_low <= truth) & (truth <= found.median_high)).mean().item()
    # 400 trials know a share of 0.95 to 0.011; the band is asymptotic and a little wide.
    assert 0.92 <= hits <= 0.99


def test_a_band_needs_two_times():
    times = times_of(np.full((1, 1, 1), 5.0), np.ones((1, 1, 1), bool))
    with pytest.raises(ValueError, match="at least 2 times"):
        survival_curves(times)
    assert survival_curves(times, confidence=None).survival.values.ravel().tolist() == [1.0, 0.0]
    found = summary(times)
    assert found["median"].item() == 5
    assert (found.median_low.item(), found.median_high.item()) == (0.0, np.inf)


def test_one_circuit_cannot_be_compared():
    times = times_of(np.full((1, 3, 1), 5.0), np.ones((1, 3, 1), bool))
    with pytest.raises(ValueError, match="at least 2 circuits"):
        logrank_tests(times)
    with pytest.raises(ValueError, match="times must be results"):
        summary(times.drop_vars("observed"))
