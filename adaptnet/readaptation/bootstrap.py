"""Comparison of circuits in pairs: how sure a difference or a ratio between them is."""

import itertools
from typing import NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, positive_number, whole_number
from adaptnet.files.schema import context_flags
from adaptnet.readaptation.groups import (
    comparisons,
    group_coordinates,
    groups,
    horizon_of,
    pairs,
    times_of,
)
from adaptnet.readaptation.intervals import bootstrap_t, paired_median, quotient
from adaptnet.readaptation.kaplan_meier import kaplan_meier
from adaptnet.readaptation.selections import DIMS, restored
from adaptnet.seeding import Rng, root_seed

ESTIMATED, NEITHER, FIRST_ONLY, SECOND_ONLY, LIMITS_ONLY, UNKNOWN = range(6)
OUTCOMES = (
    "estimated",
    "not_reached_by_either",
    "reached_by_the_first_alone",
    "reached_by_the_second_alone",
    "known_by_its_limits_alone",
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
    """Return differences and ratios between circuits, with confidence intervals.

    Circuits share their samples, so that what is chance in these cancels within a replicate; and
    replicates are independent, so that it is them that are drawn anew, each with all its circuits.

    ``"median"`` is the median over replicates of the difference, or the ratio, *within* a
    replicate, which makes full use of the pairs. (The difference of two medians does not: its
    bootstrap covers 98 to 99 % instead of 95 where replicates vary together.) Its interval is made
    of interpolated order statistics [1]_, which needs no resamples. Where times are censored it
    holds whatever they may have been.

    ``"restricted_mean"`` and ``"mean"`` compare means: difference or ratio of the circuits' means,
    with bootstrap-t intervals [3]_; for censored times, of the pseudo-values of replicates [4]_.

    A time until a record is known to lie between that record and the one before. Means take the
    middle, medians a place at random [2]_: ties on the grid of records would spoil their level.

    Parameters
    ----------
    results : Dataset
        What a measure returned, over (circuit, replicate, change).
    statistic : str
        ``"median"`` or ``"restricted_mean"`` of times that may be censored, or of values without
        censoring; ``"mean"`` of values without censoring.
    variable : str
        Which variable of `results`: samples, area, ...
    by : str
        What to pool changes by: change, transition, context (entered) or direction. Of a replicate
        with several changes in a group the median counts, or the mean.
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
        second; 0 / 0 counts as 1), each with ``_low`` and ``_high``; and ``outcome``, which says
        why a median is NaN: too many were censored, and the limits are all that is known. Intervals
        of fewer than 6 (median, at 95 %) or 4 (mean) replicates have no bounds.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two circuits or two replicates, a name is unknown, or the plain mean
        is asked for of censored times.

    References
    ----------
    .. [1] T. P. Hettmansperger, S. J. Sheather, "Confidence intervals based on interpolated order
       statistics", Statistics & Probability Letters 4, 1986.
    .. [2] J. A. F. Machado, J. M. C. Santos Silva, "Quantiles for counts", JASA 100, 2005.
    .. [3] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993,
       section 12.5.
    .. [4] P. K. Andersen, M. G. Hansen, J. P. Klein, "Regression analysis of restricted mean
       survival time based on pseudo-observations", Lifetime Data Analysis 10, 2004.
    """
    results = restored(results)
    if statistic not in STATISTICS:
        raise ValueError(f"statistic must be one of {', '.join(STATISTICS)}, got {statistic!r}")
    if variable not in results or set(results[variable].dims) != set(DIMS):
        raise ValueError(
            f"variable must be one over {', '.join(DIMS)}, got {variable!r}; the results have "
            f"{', '.join(map(str, results.data_vars))}"
        )
    if results.sizes["replicate"] < 2:
        raise ValueError(
            "a comparison over replicates needs at least 2 of them, got 1; "
            "simulate with n_replicates >= 2"
        )
    confidence = positive_number("confidence", confidence, below=1.0)
    n_resamples = whole_number("n_resamples", n_resamples, minimum=100)
    generator = np.random.default_rng(root_seed(rng))
    values = results[variable].transpose(*DIMS).values.astype(np.float64)
    observed = np.isfinite(values)
    if variable in ("samples", "synaptic_time") and "observed" in results:
        observed &= times_of(results)[1]
    if variable == "samples" and "observed" in results and "record_every" in results.attrs:
        # The first record below comes at most so long after the passage itself.
        every = np.minimum(float(results.attrs["record_every"]), values)
        share = generator.random(values.shape) if statistic == "median" else 0.5
        values = np.where(observed, values - every * share, values)
    compared, found = pairs(results), list(groups(results, by))
    kinds = ("difference", "ratio")
    names = [f"{kind}{end}" for kind in kinds for end in ("", "_low", "_high")]
    table = {name: np.full((len(compared), len(found)), np.nan) for name in names}
    outcome = np.zeros((len(compared), len(found)), dtype=np.int64)
    for (i, pair), (g, group) in itertools.product(enumerate(compared), enumerate(found)):
        mine = group.members.any(axis=0)  # of many changes each group has few
        both = [
            _Values(values[c][:, mine], observed[c][:, mine], group.members[:, mine]) for c in pair
        ]
        if statistic == "median":
            outcome[i, g] = _reached(both)
            of = {kind: _median(both, kind, confidence) for kind in kinds}
            if np.isfinite(of["difference"][0]):
                outcome[i, g] = ESTIMATED
        else:
            horizon = _horizon(results, group.members, both)
            circuits = [_mean(one, statistic, horizon) for one in both]
            missing = any(np.isnan(pseudo).any() for _, pseudo in circuits)
            outcome[i, g] = UNKNOWN if missing else ESTIMATED
            of = {}
            for kind in kinds:
                (a, pseudo_a), (b, pseudo_b) = circuits
                point = a - b if kind == "difference" else float(quotient(a, b))
                limits = (-np.inf, np.inf)
                if not missing:
                    limits = bootstrap_t(
                        pseudo_a, pseudo_b, kind, confidence, n_resamples, generator
                    )
                of[kind] = (point, *limits)
        for kind in kinds:
            for end, number in zip(("", "_low", "_high"), of[kind], strict=True):
                table[kind + end][i, g] = number
    dims = ("comparison", by)
    what = f"{statistic.replace('_', ' ')} of {variable}"
    within = " within a replicate" if statistic == "median" else ""
    return xr.Dataset(
        {
            **{
                name: (dims, array, {"long_name": f"{name}{within}: {what}", "units": "1"})
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


class _Values(NamedTuple):
    """What a circuit did: all (replicate, change)."""

    values: Floats
    observed: Flags
    members: Flags

    @property
    def replicates(self) -> Flags:
        return np.asarray(self.members.any(axis=1))

    def limits(self) -> tuple[Floats, Floats]:
        """Return between what limits values are known to lie; NaN for changes not in the group."""
        censored = ~self.observed & ~np.isnan(self.values)
        low = np.where(self.observed | censored, self.values, -np.inf)
        high = np.where(self.observed, self.values, np.inf)
        rows = self.replicates
        return tuple(np.where(self.members, end, np.nan)[rows] for end in (low, high))  # type: ignore[return-value]


def _median(both: list[_Values], kind: str, confidence: float) -> tuple[float, float, float]:
    """Return the median within replicates of a difference or ratio, and its interval."""
    (low_a, high_a), (low_b, high_b) = (one.limits() for one in both)
    if kind == "difference":
        low, high = low_a - high_b, high_a - low_b
    else:
        ends = np.stack([quotient(a, b) for a in (low_a, high_a) for b in (low_b, high_b)])
        sign_unknown = (low_b < 0) & (high_b > 0)
        low = np.where(sign_unknown, -np.inf, ends.min(axis=0))
        high = np.where(sign_unknown, np.inf, ends.max(axis=0))
    return paired_median(_middle(low), _middle(high), confidence)


def _middle(of_changes: Floats) -> Floats:
    """Return a replicate's median; NumPy's that leaves out NaN takes long even of a single one."""
    alone = of_changes.shape[1] == 1
    return of_changes[:, 0] if alone else np.asarray(np.nanmedian(of_changes, axis=1))


def _reached(both: list[_Values]) -> int:
    """Return why there is no median: which circuits' replicates reached nothing."""
    if any(np.isnan(one.values[one.members]).any() for one in both):
        return UNKNOWN
    first, second = (one.observed[one.members].mean() >= 0.5 for one in both)
    if first and second:
        return LIMITS_ONLY
    return FIRST_ONLY if first else SECOND_ONLY if second else NEITHER


def _horizon(results: xr.Dataset, members: Flags, both: list[_Values]) -> float:
    """Return how long the group was followed; values that are no times count in full."""
    if "followed" in results:
        return horizon_of(results, members)
    return float(max(one.values[members].max() for one in both))


def _mean(one: _Values, statistic: str, horizon: float) -> tuple[float, Floats]:
    """Return a mean, and the pseudo-values of the replicates: n mean - (n - 1) mean without it."""
    if statistic == "mean" and not one.observed[one.members].all():
        raise ValueError(
            "the plain mean is not known where values are censored or missing; "
            'ask for statistic="restricted_mean" or "median"'
        )

    def mean(members: Flags) -> float:
        values = one.values[members]
        if statistic == "mean" or np.isnan(values).any():
            return float(values.mean())
        return float(kaplan_meier(values, one.observed[members]).restricted_mean(horizon))

    rows = np.flatnonzero(one.replicates)
    whole = mean(one.members)
    if len(rows) < 2:
        return whole, np.array([whole])
    pseudo = []
    for row in rows:
        without = one.members.copy()
        without[row] = False
        pseudo.append(len(rows) * whole - (len(rows) - 1) * mean(without))
    return whole, np.array(pseudo)
