"""Paired bootstrap over replicates: how sure a difference or a ratio between circuits is."""

import itertools
from collections.abc import Callable

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, Integers, positive_number, whole_number
from adaptnet.dataset import context_flags
from adaptnet.readaptation.groups import group_coordinates, groups, horizon_of, times_of
from adaptnet.readaptation.segments import DIMS
from adaptnet.readaptation.survival import comparisons, kaplan_meier, pairs
from adaptnet.seeding import Rng, root_seed

ESTIMATED, NEITHER, FIRST_ONLY, SECOND_ONLY, UNKNOWN = range(5)
OUTCOMES = (
    "estimated",
    "not_reached_by_either",
    "reached_by_the_first_alone",
    "reached_by_the_second_alone",
    "values_missing",
)
STATISTICS = ("median", "restricted_mean", "mean")


def paired_bootstrap(
    results: xr.Dataset,
    statistic: str = "restricted_mean",
    *,
    variable: str = "samples",
    by: str = "change",
    confidence: float = 0.95,
    n_resamples: int = 2000,
    rng: Rng = 0,
) -> xr.Dataset:
    """Return differences and ratios between circuits, with bootstrap confidence intervals.

    Replicates are drawn anew, with replacement, and each brings all circuits' results with it:
    circuits share their samples, so that what is chance in these cancels. Intervals of means are
    bias-corrected and accelerated (BCa, [1]_), at levels widened for few replicates as Student's t
    is [2]_. Intervals of medians are percentiles, for which acceleration has no sound estimate;
    with some tens of replicates they err on the wide side.

    Parameters
    ----------
    results : Dataset
        What a measure returned, over (circuit, replicate, change).
    statistic : str
        ``"median"`` or ``"restricted_mean"`` of times that may be censored (Kaplan-Meier), or of
        values without censoring; ``"mean"`` of values without censoring.
    variable : str
        Which variable of `results`: samples, area, ...
    by : str
        What to pool changes by: change, transition, context (entered) or direction.
    confidence : float
        Level of the intervals.
    n_resamples : int
        Number of bootstrap resamples.
    rng : None, int, SeedSequence or Generator
        Source of randomness.

    Returns
    -------
    Dataset
        Over (comparison, `by`): ``difference`` (first less second circuit) and ``ratio`` (first by
        second), each with ``_low`` and ``_high``; and ``outcome``. A median that was not reached
        counts as infinite; where neither circuit's was, difference and ratio are unknown: NaN, the
        interval without bounds, and the outcome says so. So do resamples in which that happens: the
        interval then covers whatever they may have been. 0 / 0 counts as 1.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two circuits or two replicates, a name is unknown, or the plain mean
        is asked for of censored times.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993,
       chapters 13 and 14.
    .. [2] T. C. Hesterberg, "What teachers should know about the bootstrap", The American
       Statistician 69, 2015, section 4 (expanded percentiles).
    """
    if statistic not in STATISTICS:
        raise ValueError(f"statistic must be one of {', '.join(STATISTICS)}, got {statistic!r}")
    if variable not in results or set(results[variable].dims) != set(DIMS):
        raise ValueError(
            f"variable must be one over {', '.join(DIMS)}, got {variable!r}; the results have "
            f"{', '.join(map(str, results.data_vars))}"
        )
    if results.sizes["replicate"] < 2:
        raise ValueError(
            "a bootstrap over replicates needs at least 2 of them, got 1; "
            "simulate with n_replicates >= 2"
        )
    confidence = positive_number("confidence", confidence, below=1.0)
    n_resamples = whole_number("n_resamples", n_resamples, minimum=100)
    values = results[variable].transpose(*DIMS).values
    observed = np.isfinite(values)
    if variable == "samples" and "observed" in results:
        _, observed = times_of(results)
    compared, found = pairs(results), list(groups(results, by))
    names = [f"{kind}{end}" for kind in ("difference", "ratio") for end in ("", "_low", "_high")]
    table = {name: np.full((len(compared), len(found)), np.nan) for name in names}
    outcome = np.zeros((len(compared), len(found)), dtype=np.int64)
    generator = np.random.default_rng(root_seed(rng))
    for (i, (a, b)), (g, group) in itertools.product(enumerate(compared), enumerate(found)):
        rows = group.members.any(axis=1)
        part = np.ix_(rows, group.members.any(axis=0))
        both = [(values[c][part], observed[c][part], group.members[part]) for c in (a, b)]
        horizon = _horizon(results, group.members, both)
        statistics = [_statistic(statistic, *one, horizon=horizon) for one in both]
        everyone = np.arange(rows.sum())
        point = [float(s(everyone[None])[0]) for s in statistics]
        outcome[i, g] = _outcome(point)
        for name, combine in (("difference", _difference), ("ratio", _ratio)):
            table[name][i, g] = combine(*(np.array(p) for p in point))
            unbounded = (-np.inf if name == "difference" else 0.0, np.inf)
            low, high = unbounded
            if outcome[i, g] != UNKNOWN and len(everyone) > 1:
                low, high = _interval(
                    statistics, combine, everyone, confidence, n_resamples, generator, unbounded,
                    smooth=statistic != "median",
                )  # fmt: skip
            table[f"{name}_low"][i, g], table[f"{name}_high"][i, g] = low, high
    dims = ("comparison", by)
    what = f"{statistic.replace('_', ' ')} of {variable}"
    return xr.Dataset(
        {
            **{
                name: (dims, array, {"long_name": f"{name}: {what}", "units": "1"})
                for name, array in table.items()
            },
            "outcome": (dims, outcome, {"long_name": "outcome", **context_flags(OUTCOMES)}),
        },
        {**comparisons(results), **group_coordinates(results, by, [g.label for g in found])},
        {
            **results.attrs,
            "statistic": statistic,
            "confidence": confidence,
            "n_resamples": n_resamples,
        },
    )


def _horizon(results: xr.Dataset, members: Flags, both: list[tuple[Floats, Flags, Flags]]) -> float:
    """Return how long the group was followed; values that are no times count in full."""
    if "followed" in results:
        return horizon_of(results, members)
    return float(max(values[there].max() for values, _, there in both))


def _statistic(
    name: str, values: Floats, observed: Flags, members: Flags, *, horizon: float
) -> Callable[[Integers], Floats]:
    """Return the statistic as a function of which replicates are drawn (resample, replicate)."""
    if name == "mean":
        if not (observed | ~members).all():
            raise ValueError(
                "the plain mean is not known where values are censored or missing; "
                'ask for statistic="restricted_mean" or "median"'
            )

        def mean(drawn: Integers) -> Floats:
            total = np.where(members, values, 0.0)[drawn].sum(axis=(-1, -2))
            return np.asarray(total / members[drawn].sum(axis=(-1, -2)))

        return mean
    if np.isnan(values[members]).any():
        return lambda drawn: np.full(len(drawn), np.nan)

    def survival(drawn: Integers) -> Floats:
        # Changes that a replicate does not have sort to the very end, as censored: they would be at
        # risk for ever, so resamples of unequal size go one by one.
        if members.all():
            shape = (len(drawn), -1)
            estimate = kaplan_meier(values[drawn].reshape(shape), observed[drawn].reshape(shape))
            return np.asarray(
                estimate.quantile(0.5) if name == "median" else estimate.restricted_mean(horizon)
            )
        of = []
        for rows in drawn:
            there = members[rows]
            estimate = kaplan_meier(values[rows][there], observed[rows][there])
            of.append(
                estimate.quantile(0.5) if name == "median" else estimate.restricted_mean(horizon)
            )
        return np.array(of, dtype=np.float64)

    return survival


def _difference(a: Floats, b: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(a - b)


def _ratio(a: Floats, b: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((a == 0) & (b == 0), 1.0, a / b)


def _outcome(point: list[float]) -> int:
    if any(np.isnan(p) for p in point):
        return UNKNOWN
    first, second = (bool(np.isfinite(p)) for p in point)
    if first and second:
        return ESTIMATED
    return FIRST_ONLY if first else SECOND_ONLY if second else NEITHER


def _interval(
    statistics: list[Callable[[Integers], Floats]],
    combine: Callable[[Floats, Floats], Floats],
    everyone: Integers,
    confidence: float,
    n_resamples: int,
    generator: np.random.Generator,
    unbounded: tuple[float, float],
    *,
    smooth: bool,
) -> tuple[float, float]:
    """Return the interval of a combination of two statistics of the same drawn replicates."""
    from scipy.stats import norm, t

    def compared(drawn: Integers) -> Floats:
        return combine(*(statistic(drawn) for statistic in statistics))

    n = len(everyone)
    drawn = generator.integers(0, n, size=(n_resamples, n))
    of_resamples = compared(drawn)
    levels = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if smooth and np.isfinite(of_resamples).all() and np.ptp(of_resamples) > 0:
        point = compared(everyone[None])[0]
        left_out = compared(np.array([np.delete(everyone, i) for i in everyone]))
        away = left_out.mean() - left_out
        below = np.mean(of_resamples < point) + np.mean(of_resamples == point) / 2
        # Efron & Tibshirani 1993, equations 14.10, 14.14 and 14.15.
        bias = norm.ppf(np.clip(below, 1 / n_resamples, 1 - 1 / n_resamples))
        spread = (away**2).sum() ** 1.5
        acceleration = (away**3).sum() / (6 * spread) if spread > 0 else 0.0
        # A resample spreads by (n - 1) / n too little, and the spread itself is estimated.
        shifted = bias + np.sqrt(n / (n - 1)) * t.ppf(levels, n - 1)
        levels = norm.cdf(bias + shifted / (1 - acceleration * shifted))
    # Order statistics, for interpolation does not survive infinities.
    low, high = (
        np.sort(np.where(np.isnan(of_resamples), end, of_resamples))[position]
        for end, position in zip(
            unbounded,
            (int(levels[0] * n_resamples), min(int(levels[1] * n_resamples), n_resamples - 1)),
            strict=True,
        )
    )
    return float(low), float(high)
