"""The paired bootstrap, against SciPy's and at its nominal coverage."""

import numpy as np
import pytest
from scipy import stats

from adaptnet.readaptation import paired_bootstrap
from adaptnet.readaptation.bootstrap import OUTCOMES
from tests.adaptnet.synthetic import times_of


def uncensored(samples):
    return times_of(samples, np.ones(np.shape(samples), bool))


def test_bca_interval_is_scipys():
    rng = np.random.default_rng(0)
    shared = rng.exponential(20.0, size=30)
    a, b = 10 + shared + rng.exponential(5.0, size=30), 10 + shared
    ours = paired_bootstrap(
        uncensored(np.stack([a, b])[..., None]), "mean", n_resamples=20_000
    ).squeeze()
    widened = stats.norm.cdf(np.sqrt(30 / 29) * stats.t.ppf(0.975, 29))
    theirs = stats.bootstrap(
        (a, b),
        lambda x, y, axis: x.mean(axis=axis) / y.mean(axis=axis),
        paired=True,
        n_resamples=20_000,
        method="BCa",
        confidence_level=2 * widened - 1,
        rng=np.random.default_rng(1),
        vectorized=True,
    ).confidence_interval
    assert ours.ratio.item() == pytest.approx(a.mean() / b.mean())
    # Each limit of 20000 resamples is known to about 2 % of the interval's width.
    width = theirs.high - theirs.low
    assert ours.ratio_low.item() == pytest.approx(theirs.low, abs=0.08 * width)
    assert ours.ratio_high.item() == pytest.approx(theirs.high, abs=0.08 * width)


def test_pairing_cancels_what_replicates_share():
    rng = np.random.default_rng(0)
    shared = rng.uniform(100, 1000, size=20)
    times = uncensored(np.stack([shared + 7, shared])[..., None])
    of = paired_bootstrap(times, "mean").squeeze()
    assert of.difference.item() == pytest.approx(7)
    assert of.difference_low.item() == pytest.approx(7)
    assert of.difference_high.item() == pytest.approx(7)


def test_what_is_not_reached_is_said():
    samples = np.full((2, 10, 3), 50.0)
    samples[0] = np.linspace(10, 40, 10)[:, None]
    observed = np.ones((2, 10, 3), bool)
    observed[1] = False
    observed[0, :, 1] = False
    observed[:, :, 2] = True
    of = paired_bootstrap(times_of(samples, observed), "median").squeeze()
    assert [OUTCOMES[i] for i in of.outcome.values] == [
        "reached_by_the_first_alone",
        "not_reached_by_either",
        "estimated",
    ]
    assert of.difference.values[0] == -np.inf
    assert of.ratio.values[0] == 0
    assert np.isnan(of.difference.values[1])
    assert (of.difference_low.values[1], of.difference_high.values[1]) == (-np.inf, np.inf)
    assert np.isfinite(of.difference_high.values[2])


@pytest.mark.parametrize("statistic", ["restricted_mean", "median"])
def test_censored_times_are_weighed_not_dropped(statistic):
    rng = np.random.default_rng(5)
    true = rng.exponential(30.0, size=(2, 300))
    end = np.stack([rng.uniform(5, 60, size=300), np.full(300, 60.0)])  # one censored far more
    times = times_of(np.minimum(true, end)[..., None], (true <= end)[..., None])
    of = paired_bootstrap(times, statistic, n_resamples=500).squeeze()
    half_width = (of.difference_high - of.difference_low).item() / 2
    # The law is the same for both: within four standard errors, half a 95 % half-width each.
    assert abs(of.difference.item()) < 2 * half_width
    assert half_width < 8


def coverage(statistic, truth, n_replicates=20, n_trials=1000):
    """Return the share of trials (changes of one run) whose intervals hold difference and ratio."""
    rng = np.random.default_rng(11)
    shared = rng.gamma(4.0, 10.0, size=(n_replicates, n_trials))
    a = 20 + shared + rng.gamma(4.0, 5.0, size=shared.shape)
    b = 20 + shared
    of = paired_bootstrap(uncensored(np.stack([a, b])), statistic, n_resamples=1000)
    difference, ratio = truth
    return [
        float(((of[f"{name}_low"] <= value) & (value <= of[f"{name}_high"])).mean())
        for name, value in (("difference", difference), ("ratio", ratio))
    ]


@pytest.mark.slow
def test_intervals_of_the_mean_cover_at_their_nominal_rate():
    # Means 80 and 60. 1000 trials know a share of 0.95 to 0.007.
    for share in coverage("mean", (20.0, 80 / 60)):
        assert abs(share - 0.95) < 0.03


@pytest.mark.slow
def test_intervals_of_the_median_cover_at_least_at_their_nominal_rate():
    rng = np.random.default_rng(12)
    shared = rng.gamma(4.0, 10.0, size=4_000_000)
    a, b = (
        np.median(20 + shared + rng.gamma(4.0, 5.0, size=shared.size)),
        np.median(20 + shared),
    )
    # Percentiles of medians are known to be wide, so there is a bound on one side alone.
    for share in coverage("median", (a - b, a / b)):
        assert share > 0.92


def test_bad_input_is_refused():
    times = uncensored(np.ones((2, 1, 1)))
    with pytest.raises(ValueError, match="at least 2 of them"):
        paired_bootstrap(times)
    times = times_of(np.ones((2, 5, 1)), np.zeros((2, 5, 1), bool))
    with pytest.raises(ValueError, match="plain mean"):
        paired_bootstrap(times, "mean")
    with pytest.raises(ValueError, match="statistic must be one of"):
        paired_bootstrap(times, "mode")
    with pytest.raises(ValueError, match="variable must be one over"):
        paired_bootstrap(times, variable="area")
    with pytest.raises(ValueError, match="at least 2 circuits"):
        paired_bootstrap(times.isel(circuit=[0]))
