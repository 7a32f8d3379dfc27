"""Comparison of circuits in pairs: how sure a difference or a ratio between them is."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, positive_number, whole_number
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
from adaptnet.readaptation.measures import at_each_point, takes_results
from adaptnet.readaptation.outcomes import Outcome, outcome_variable
from adaptnet.readaptation.selections import DIMS
from adaptnet.seeding import Rng, root_seed

STATISTICS = ("median", "restricted_mean", "mean")
_TIMES = ("samples", "synaptic_time")
_KINDS = ("difference", "ratio")
_COLUMNS = tuple(kind + end for kind in _KINDS for end in ("", "_low", "_high"))
_Estimates: TypeAlias = dict[str, tuple[float, float, float]]  # estimate, lower, upper


@at_each_point
@takes_results
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

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=300)
    >>> circuits = {"direct": an.DirectCircuit(initial_weights=2.0, learning_rate=0.01),
    ...     "interneuron": an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)}
    >>> run = an.simulate(circuits, environment, 600, n_replicates=20, rng=0)
    >>> times = an.readaptation_times(run, threshold=0.6)
    >>> ratio = paired_bootstrap(times).isel(comparison=0, change=0)
    >>> [round(ratio[name].item(), 1) for name in ("ratio_low", "ratio", "ratio_high")]
    [2.9, 3.2, 3.5]
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
            "a comparison over replicates needs at least 2 of them, got 1; "
            "simulate with n_replicates >= 2"
        )
    confidence = positive_number("confidence", confidence, below=1.0)
    n_resamples = whole_number("n_resamples", n_resamples, minimum=100)
    generator = np.random.default_rng(root_seed(rng))
    values = _values(results, variable, statistic, generator)
    compared, found = pairs(results), list(groups(results, by))
    table = {name: np.full((len(compared), len(found)), np.nan) for name in _COLUMNS}
    outcome = np.zeros((len(compared), len(found)), dtype=np.int64)
    for (i, pair), (g, group) in itertools.product(enumerate(compared), enumerate(found)):
        both = [_of_circuit(values, c, group.members) for c in pair]
        if statistic == "median":
            outcome[i, g], estimates = _compare_medians(both, confidence)
        else:
            horizon = _horizon(results, variable, group.members, both)
            interval = partial(
                bootstrap_t, confidence=confidence, n_resamples=n_resamples, generator=generator
            )
            outcome[i, g], estimates = _compare_means(both, statistic, horizon, interval)
        for kind, numbers in estimates.items():
            for end, number in zip(("", "_low", "_high"), numbers, strict=True):
                table[kind + end][i, g] = number
    dims = ("comparison", by)
    what = f"{statistic.replace('_', ' ')} of {variable}"
    within = " within a replicate" if statistic == "median" else ""
    described = {
        name: (dims, array, {"long_name": f"{name}{within}: {what}", "units": "1"})
        for name, array in table.items()
    }
    return xr.Dataset(
        {**described, "outcome": outcome_variable(dims, outcome)},
        {**comparisons(results), **group_coordinates(results, by, [g.label for g in found])},
        {
            **results.attrs,
            "statistic": statistic,
            "confidence": confidence,
            "n_resamples": n_resamples,
        },
    )


class _Values(NamedTuple):
    """What circuits did: all of one shape, (circuit, replicate, change) or without circuit."""

    values: Floats  # until when they were followed if it is not observed; NaN if not known
    observed: Flags
    diverged: Flags  # the value is infinite: it will never be reached
    members: Flags

    @property
    def replicates(self) -> Flags:
        return np.asarray(self.members.any(axis=1))

    def limits(self) -> tuple[Floats, Floats]:
        """Return between what limits values are known to lie; NaN for changes not in the group."""
        unknown = np.isnan(self.values)
        low = np.where(unknown, -np.inf, np.where(self.diverged, np.inf, self.values))
        high = np.where(self.observed, self.values, np.inf)
        rows = self.replicates
        low, high = (np.where(self.members, end, np.nan)[rows] for end in (low, high))
        return low, high


def _values(
    results: xr.Dataset, variable: str, statistic: str, generator: np.random.Generator
) -> _Values:
    """Return a variable of results (circuit, replicate, change), and what is known of it."""
    values = results[variable].transpose(*DIMS).values.astype(np.float64)
    observed, diverged = np.isfinite(values), np.zeros_like(values, dtype=bool)
    if variable in _TIMES and "observed" in results:
        values, observed, diverged = times_of(results, variable)
        if variable == "samples" and "resolution" in results:
            # The passage itself came at most so long before the record.
            before = results["resolution"].transpose(*DIMS).values
            share = generator.random(values.shape) if statistic == "median" else 0.5
            values = np.where(observed, values - before * share, values)
    return _Values(values, observed, diverged & ~observed, np.ones_like(observed))


def _of_circuit(values: _Values, circuit: int, members: Flags) -> _Values:
    """Return what a circuit did at the changes of a group, of which each group has few."""
    mine = members.any(axis=0)
    one = _Values._make(array[circuit][:, mine] for array in values)
    return one._replace(members=members[:, mine])


def _compare_medians(both: list[_Values], confidence: float) -> tuple[Outcome, _Estimates]:
    """Return difference and ratio within replicates, and how that came out."""
    estimates = {kind: _median(both, kind, confidence) for kind in _KINDS}
    found = np.isfinite(estimates["difference"][0])
    return Outcome.ESTIMATED if found else _reached(both), estimates


def _compare_means(
    both: list[_Values], statistic: str, horizon: float, interval: Any
) -> tuple[Outcome, _Estimates]:
    """Return difference and ratio of means, and how that came out."""
    (a, pseudo_a), (b, pseudo_b) = (_mean(one, statistic, horizon) for one in both)
    missing = bool(np.isnan(pseudo_a).any() or np.isnan(pseudo_b).any())
    nobody = not any(one.observed[one.members].any() for one in both)
    if nobody and not missing:
        # Both are the horizon, which says nothing of the circuits.
        unknown = np.nan, -np.inf, np.inf
        return Outcome.NEITHER, {"difference": unknown, "ratio": (np.nan, 0.0, np.inf)}
    points = {"difference": a - b, "ratio": float(quotient(a, b))}
    limits = dict.fromkeys(_KINDS, (-np.inf, np.inf))
    if not missing:
        limits = {kind: interval(pseudo_a, pseudo_b, kind) for kind in _KINDS}
    outcome = Outcome.UNKNOWN if missing else Outcome.ESTIMATED
    return outcome, {kind: (points[kind], *limits[kind]) for kind in _KINDS}


def _median(both: list[_Values], kind: str, confidence: float) -> tuple[float, float, float]:
    """Return the median within replicates of a difference or ratio, and its interval."""
    (low_a, high_a), (low_b, high_b) = (one.limits() for one in both)
    never = np.isinf(low_a) & np.isinf(low_b) & (low_a == low_b)  # nothing is known of such a pair
    if kind == "difference":
        with np.errstate(invalid="ignore"):
            low, high = low_a - high_b, high_a - low_b
    else:
        ends = np.stack([quotient(a, b) for a in (low_a, high_a) for b in (low_b, high_b)])
        sign_unknown = (low_b < 0) & (high_b > 0)
        low = np.where(sign_unknown, -np.inf, ends.min(axis=0))
        high = np.where(sign_unknown, np.inf, ends.max(axis=0))
    lowest = -np.inf if kind == "difference" else 0.0  # these are times
    low, high = np.where(never, lowest, low), np.where(never, np.inf, high)
    return paired_median(_middle(low), _middle(high), confidence)


def _middle(changes: Floats) -> Floats:
    """Return a replicate's median; NumPy's that leaves out NaN takes long even of a single one."""
    alone = changes.shape[1] == 1
    return changes[:, 0] if alone else np.asarray(np.nanmedian(changes, axis=1))


def _reached(both: list[_Values]) -> Outcome:
    """Return why there is no median: which circuits' replicates reached nothing."""
    if any(np.isnan(one.values[one.members]).any() for one in both):
        return Outcome.UNKNOWN
    first, second = (one.observed[one.members].mean() >= 0.5 for one in both)
    if first and second:
        return Outcome.LIMITS_ONLY
    if first or second:
        return Outcome.FIRST_ONLY if first else Outcome.SECOND_ONLY
    return Outcome.NEITHER


def _horizon(results: xr.Dataset, variable: str, members: Flags, both: list[_Values]) -> float:
    """Return how long the group was followed; values that are not times count in full."""
    if variable in _TIMES and "followed" in results:
        return horizon_of(results, members, variable)
    return float(max(one.values[members[:, members.any(axis=0)]].max() for one in both))


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
        curve = kaplan_meier(values, one.observed[members], one.diverged[members])
        return float(curve.restricted_mean(horizon))

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
