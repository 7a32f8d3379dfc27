"""Confidence intervals of paired comparisons: exact for medians, studentised for means."""

import numpy as np
import numpy.typing as npt
import scipy

from adaptnet._checks import Floats


def paired_median(low: Floats, high: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the median of numbers known to lie between `low` and `high`, and its interval.

    The number of values below the median is binomial with probability 1/2, so that order
    statistics enclose it at known rates; between adjacent ones the limits are interpolated as in
    [1]_, whose rates depend on the distribution only slightly. The lower limit is taken of `low`,
    the upper of `high`: whatever the numbers are between these, the interval holds.

    Returns
    -------
    median, lower, upper
        The median is NaN where `low` and `high` disagree on it. The interval has no bounds if all
        values together do not enclose the median at the level: for 95 %, with fewer than six.

    References
    ----------
    .. [1] T. P. Hettmansperger, S. J. Sheather, "Confidence intervals based on interpolated order
       statistics", Statistics & Probability Letters 4, 1986.

    Examples
    --------
    >>> values = np.arange(20.0)
    >>> [round(float(limit), 2) for limit in paired_median(values, values, 0.95)]
    [9.5, 5.24, 13.76]
    >>> paired_median(values[:5], values[:5], 0.95)
    (2.0, -inf, inf)
    """
    low, high = np.sort(low), np.sort(high)[::-1]
    n = len(low)
    middle, other = float(np.median(low)), float(np.median(high))
    median = middle if middle == other else np.nan
    # Between the k-th smallest and the k-th largest the median lies with probability `covers`.
    k = np.arange(1, n // 2 + 1)
    covers = 1 - 2 * scipy.special.bdtr(k - 1, n, 0.5)
    enough = np.flatnonzero(covers >= confidence)
    if not enough.size:
        return median, -np.inf, np.inf
    at = int(enough[-1])
    inner = covers[at + 1] if at + 1 < len(k) else 0.0
    inside = (covers[at] - confidence) / (covers[at] - inner)
    share = (n - k[at]) * inside / (k[at] + (n - 2 * k[at]) * inside)
    lower, upper = (_between(end[at], end[min(at + 1, n - 1)], share) for end in (low, high))
    return median, lower, upper


def _between(outer: float, inner: float, share: float) -> float:
    """Interpolate between limits of which one or both may be infinite."""
    if outer == inner or share == 0:
        return float(outer)
    return float((1 - share) * outer + share * inner)


def bootstrap_t(
    a: Floats,
    b: Floats,
    kind: str,
    confidence: float,
    n_resamples: int,
    generator: np.random.Generator,
) -> tuple[float, float]:
    """Return the interval of the difference or ratio (`kind`) of the means of paired values.

    Bootstrap-t: what is drawn anew is the estimate's distance from the truth in units of its own
    standard error, which takes care of skewness and of few values alike. Each limit is the one
    farther out of two intervals': the equal-tailed one [1]_, which a long tail makes too narrow,
    and the symmetric one [2]_, which then puts its misses on one side. Ratios are treated by their
    logarithm, with the standard error of the delta method.

    Returns
    -------
    lower, upper
        Without bounds where so many resamples have no spread that the level cannot be met (fewer
        than four values), or where a mean may be of either sign, so that there is no logarithm. A
        comparison that is the same in every pair has an interval of no width.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993,
       section 12.5.
    .. [2] P. Hall, "On symmetric bootstrap confidence intervals", Journal of the Royal Statistical
       Society B 50, 1988.
    """
    n, ratio = len(a), kind == "ratio"
    # So many resamples are one pair n times, and infinitely far.
    if n ** -(n - 1) > 1 - confidence:
        return -np.inf, np.inf

    def estimates(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return estimates and their standard errors, along the last axis."""
        mean_x, mean_y = x.mean(axis=-1), y.mean(axis=-1)
        estimate = np.log(mean_x / mean_y) if ratio else mean_x - mean_y
        influence = x / mean_x[..., None] - y / mean_y[..., None] if ratio else x - y
        spread: Floats = influence.std(axis=-1)
        rounding = 1e-12 * np.abs(influence).max(axis=-1, initial=1e-300)
        return estimate, np.where(spread > rounding, spread, 0.0) / np.sqrt(n - 1)

    if ratio and not (a.any() and b.any()):
        constant = float(quotient(a.mean(), b.mean()))
        return constant, constant
    drawn = generator.integers(0, n, size=(n_resamples, n))
    with np.errstate(invalid="ignore", divide="ignore"):
        point, error = estimates(a, b)
        resampled, errors = estimates(a[drawn], b[drawn])
        distance = (resampled - point) / errors
    if not np.isfinite(resampled).all():
        return -np.inf, np.inf
    if error == 0:
        limits = np.array([point, point])
    else:
        # A resample of equal pairs has no spread and is infinitely far, or as far as nothing.
        distance = np.where(np.isnan(distance), 0.0, distance)
        levels = (1 + confidence) / 2, (1 - confidence) / 2
        # Order statistics, for interpolation does not survive infinities.
        high, low = np.quantile(distance, levels, method="inverted_cdf")
        either = np.quantile(np.abs(distance), confidence, method="inverted_cdf")
        limits = point - np.array([max(high, either), min(low, -either)]) * error
    if not ratio:
        return float(limits[0]), float(limits[1])
    sign = np.sign(a.mean() / b.mean())
    low, high = np.sort(sign * np.exp(limits))
    return float(low), float(high)


def quotient(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return a / b, where two zeros, and two infinities, are as large as one another.

    Examples
    --------
    >>> quotient([1.0, 0.0, 2.0, np.inf], [2.0, 0.0, 0.0, np.inf])
    array([0.5, 1. , inf, 1. ])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        same = (np.asarray(a) == np.asarray(b)) & ~(np.isfinite(a) & np.not_equal(a, 0))
        return np.where(same, 1.0, np.divide(a, b))
