"""Paired comparisons: against SciPy's, plain loops, and at their nominal coverage."""

import numpy as np
import pytest
from scipy import stats

from adaptnet.readaptation import Outcome, paired_bootstrap
from adaptnet.readaptation.intervals import bootstrap_t, paired_median
from tests.adaptnet.synthetic import times_of


def times_known_to(samples, observed=True, every=0):
    """Return times (circuit, replicate, change), exact or known to `every` samples."""
    times = times_of(samples, np.broadcast_to(observed, np.shape(samples)))
    return times.assign(resolution=np.minimum(every, times["samples"]))


@pytest.mark.parametrize("n", [6, 10, 15, 20, 51])
def test_median_limits_lie_between_those_of_the_sign_test(n):
    values = np.random.default_rng(n).lognormal(size=n)
    median, low, high = paired_median(values, values, 0.95)
    assert median == np.median(values)
    # SciPy's are order statistics that enclose the median with at least 95 %: the next ones inside
    # do so with less, and the interpolated limits lie between both.
    theirs = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    ordered = np.sort(values)
    at = np.searchsorted(ordered, theirs.low)
    assert theirs.low <= low <= ordered[at + 1]
    assert ordered[n - 2 - at] <= high <= theirs.high


def test_median_limits_of_few_replicates_have_no_bounds():
    values = np.arange(5.0)
    assert paired_median(values, values, 0.95) == (2.0, -np.inf, np.inf)
    assert np.isfinite(paired_median(values, values, 0.9)).all()  # 1 - 2 / 32 = 0.94


def test_median_limits_hold_whatever_censored_values_are():
    rng = np.random.default_rng(0)
    true = rng.normal(size=30)
    hidden = rng.random(30) < 0.3
    low, high = np.where(hidden, true - 1, true), np.where(hidden, np.inf, true)
    _, lower, upper = paired_median(low, high, 0.95)
    _, lower_true, upper_true = paired_median(true, true, 0.95)
    assert lower <= lower_true < upper_true <= upper


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_bootstrap_t_is_its_plain_twin(kind):
    rng = np.random.default_rng(0)
    shared = rng.exponential(20.0, size=12)
    a, b = 10 + shared + rng.exponential(5.0, size=12), 10 + shared
    ours = bootstrap_t(a, b, kind, 0.9, 500, np.random.default_rng(1))
    distances = []
    for drawn in np.random.default_rng(1).integers(0, 12, size=(500, 12)):
        x, y = a[drawn], b[drawn]
        if kind == "difference":
            away = x.mean() - y.mean() - (a.mean() - b.mean())
            error = np.std(x - y, ddof=1) / np.sqrt(12)
        else:
            away = np.log(x.mean() / y.mean() / a.mean() * b.mean())
            error = np.std(x / x.mean() - y / y.mean(), ddof=1) / np.sqrt(12)
        distances.append(away / error)
    either = np.sort(np.abs(distances))[449]  # the 90th of every 100
    high, low = np.sort(distances)[[474, 24]]  # the 95th and 5th
    high, low = max(high, either), min(low, -either)
    if kind == "difference":
        error = np.std(a - b, ddof=1) / np.sqrt(12)
        expected = a.mean() - b.mean() - np.array([high, low]) * error
    else:
        error = np.std(a / a.mean() - b / b.mean(), ddof=1) / np.sqrt(12)
        expected = a.mean() / b.mean() * np.exp(-np.array([high, low]) * error)
    assert ours == pytest.approx(expected, rel=1e-9)


def test_bootstrap_t_of_normal_values_is_student_s():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 200))
    low, high = bootstrap_t(a, b, "difference", 0.95, 20_000, np.random.default_rng(0))
    theirs = stats.ttest_rel(a, b).confidence_interval(0.95)
    # The sample of 200 is itself skewed by some 0.17, which moves limits by a few percent.
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * (high - low))


def test_bootstrap_t_of_three_values_has_no_bounds():
    a = np.array([1.0, 2.0, 4.0])
    limits = bootstrap_t(a, a[::-1], "difference", 0.95, 2000, np.random.default_rng(0))
    assert limits == (-np.inf, np.inf)
    # Nor do three that happen to agree say that all others would.
    limits = bootstrap_t(a, a - 1, "difference", 0.95, 2000, np.random.default_rng(0))
    assert limits == (-np.inf, np.inf)


@pytest.mark.parametrize("statistic", ["mean", "restricted_mean", "median"])
def test_pairing_cancels_what_replicates_share(statistic):
    shared = np.random.default_rng(0).uniform(100, 1000, size=20)
    compared = paired_bootstrap(
        times_known_to(np.stack([shared + 7, shared])[..., None]), statistic
    ).squeeze()
    for name in ("difference", "difference_low", "difference_high"):
        assert compared[name].item() == pytest.approx(7)


def test_restricted_means_without_censoring_are_means():
    samples = np.random.default_rng(0).gamma(3.0, 20.0, size=(2, 20, 3))
    restricted = paired_bootstrap(times_known_to(samples), "restricted_mean", by="transition")
    mean = paired_bootstrap(times_known_to(samples), "mean", by="transition")
    for name in ("difference", "ratio", "ratio_low", "ratio_high"):
        np.testing.assert_allclose(restricted[name], mean[name], rtol=1e-9)


def test_times_are_known_to_a_record():
    samples = np.stack([np.full(30, 300.0), np.full(30, 100.0)])[..., None]
    compared = paired_bootstrap(times_known_to(samples, every=100), "restricted_mean").squeeze()
    assert compared.ratio.item() == 250 / 50  # each in the middle between two records
    compared = paired_bootstrap(times_known_to(samples, every=100), "median").squeeze()
    assert 100 < compared.difference_low.item() < 200 < compared.difference_high.item() < 300
    zero = paired_bootstrap(times_known_to(np.zeros((2, 30, 1)), every=100), "median").squeeze()
    assert (zero.difference_low.item(), zero.difference_high.item()) == (0, 0)
    assert zero.ratio.item() == 1


def test_what_is_not_reached_is_said():
    samples = np.full((2, 10, 3), 50.0)
    samples[0] = np.linspace(10, 40, 10)[:, None]
    observed = np.ones((2, 10, 3), bool)
    observed[1, :, :2] = False
    observed[0, :, 1] = False
    compared = paired_bootstrap(times_known_to(samples, observed), "median").squeeze()
    assert [Outcome(i).label for i in compared.outcome.values] == [
        "reached_by_the_first_alone",
        "not_reached_by_either",
        "estimated",
    ]
    assert np.isnan(compared.difference.values[:2]).all()
    # The second took 50 samples at least: the first is ahead by 10 or more at a confident guess.
    assert compared.difference_low.values[0] == -np.inf
    assert compared.difference_high.values[0] == pytest.approx(-13.33, abs=4)
    assert compared.ratio_low.values[0] == 0
    assert compared.ratio_high.values[0] < 1
    assert (compared.difference_low.values[1], compared.difference_high.values[1]) == (
        -np.inf,
        np.inf,
    )
    assert np.isfinite(compared.difference_high.values[2])


def test_an_oracle_s_zeros_have_a_ratio():
    samples = np.stack([np.full((10, 1), 50.0), np.zeros((10, 1))])
    for statistic in ("median", "restricted_mean"):
        compared = paired_bootstrap(times_known_to(samples), statistic).squeeze()
        assert (
            compared.ratio.item()
            == compared.ratio_low.item()
            == compared.ratio_high.item()
            == np.inf
        )
        assert compared.difference_low.item() == 50


def test_values_that_are_missing_widen_the_interval_instead_of_dropping_out():
    samples = np.stack([np.linspace(10, 40, 20), np.linspace(1, 2, 20)])[..., None]
    samples[0, 3, 0] = np.nan
    compared = paired_bootstrap(times_known_to(samples, ~np.isnan(samples)), "median").squeeze()
    without = paired_bootstrap(times_known_to(np.delete(samples, 3, axis=1)), "median").squeeze()
    assert compared.difference_low.item() < without.difference_low.item()
    assert compared.difference_high.item() > without.difference_high.item()
    compared = paired_bootstrap(
        times_known_to(samples, ~np.isnan(samples)), "restricted_mean"
    ).squeeze()
    assert Outcome(compared.outcome.item()).label == "values_missing"
    assert compared.difference_high.item() == np.inf


def test_synaptic_times_are_censored_as_samples_are():
    samples = np.random.default_rng(0).uniform(10, 20, size=(2, 10, 1))
    times = times_known_to(samples, np.arange(2)[:, None, None] == 0)
    compared = paired_bootstrap(times, "median", variable="synaptic_time").squeeze()
    assert Outcome(compared.outcome.item()).label == "reached_by_the_first_alone"


CASES = ("normal", "gamma", "lognormal", "independent", "opposed", "grid")


def drawn(case, n_replicates, n_trials, rng):
    """Return times of two circuits that share their samples, (circuit, replicate, trial)."""
    z = rng.standard_normal((3, n_replicates, n_trials))
    if case == "normal":
        return np.stack([140 + 20 * z[0] + 10 * z[1], 100 + 20 * z[0] + 5 * z[2]])
    if case == "lognormal":
        shared = 50 * np.exp(0.6 * z[0])
        return 20 + shared * np.stack([2 * np.exp(0.3 * z[1]), np.exp(0.3 * z[2])])
    if case == "independent":
        return np.stack([100 * np.exp(0.5 * z[0]), 60 * np.exp(0.5 * z[1])])
    if case == "opposed":  # what slows one circuit down makes the other quick
        return np.stack([100 * np.exp(0.5 * z[0]), 60 * np.exp(0.2 * z[1] - 0.5 * z[0])])
    shared = 20 + rng.gamma(4.0, 10.0, size=z[0].shape)
    return np.stack([shared + rng.gamma(4.0, 5.0, size=z[0].shape), shared])


def coverage(statistic, case, n_replicates, n_trials=1000, horizon=None):
    """Return the share of trials (changes of one run) whose intervals hold difference and ratio."""
    every = 10 if case == "grid" else 0
    a, b = drawn(case, 1, 2_000_000, np.random.default_rng(1))[:, 0]
    samples = drawn(case, n_replicates, n_trials, np.random.default_rng(n_replicates))
    if every:
        samples = np.ceil(samples / every) * every
    end = np.inf if horizon is None else horizon
    observed = samples <= end
    if statistic == "median":
        truth = np.median(a - b), np.median(a / b)
    else:
        a, b = np.minimum(a, end), np.minimum(b, end)
        truth = a.mean() - b.mean(), a.mean() / b.mean()
    times = times_known_to(np.minimum(samples, end), observed, every)
    compared = paired_bootstrap(times, statistic, n_resamples=1000)
    return [
        float(((compared[f"{name}_low"] <= value) & (value <= compared[f"{name}_high"])).mean())
        for name, value in zip(("difference", "ratio"), truth, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("n_replicates", [10, 20, 50])
@pytest.mark.parametrize("case", CASES)
def test_intervals_of_the_median_cover_at_their_nominal_rate(case, n_replicates):
    # 1000 trials know a share of 0.95 to 0.007.
    for share in coverage("median", case, n_replicates):
        assert abs(share - 0.95) < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("n_replicates", [10, 20, 50])
@pytest.mark.parametrize("case", CASES)
def test_intervals_of_the_mean_cover_at_their_nominal_rate(case, n_replicates):
    for share in coverage("mean", case, n_replicates):
        assert abs(share - 0.95) < 0.03


@pytest.mark.slow
def test_intervals_of_censored_times_cover_the_truth():
    # A quarter of the first circuit's times are cut off, few of the second's.
    for share in coverage("restricted_mean", "gamma", 20, horizon=95.0):
        assert abs(share - 0.95) < 0.03
    # Those of the median allow for whatever the times cut off may have been: wider than nominal.
    for share in coverage("median", "gamma", 20, horizon=95.0):
        assert share > 0.95


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="at least 2 of them"):
        paired_bootstrap(times_known_to(np.ones((2, 1, 1))))
    times = times_known_to(np.ones((2, 5, 1)), observed=False)
    with pytest.raises(ValueError, match="plain mean"):
        paired_bootstrap(times, "mean")
    with pytest.raises(ValueError, match="statistic must be one of"):
        paired_bootstrap(times, "mode")
    with pytest.raises(ValueError, match="variable must be one over"):
        paired_bootstrap(times, variable="area")
    with pytest.raises(ValueError, match="at least 2 circuits"):
        paired_bootstrap(times.isel(circuit=[0]))
