"""Times that may be censored: Kaplan-Meier curves, log-rank tests, medians, restricted means."""

import itertools
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Flags, Floats, positive_number
from adaptnet.readaptation.groups import group_coordinates, groups, horizon_of, times_of

if TYPE_CHECKING:
    from scipy.stats import CensoredData

_ROUNDING = 1e-12  # of a product of survival fractions, which may miss 0.5 by rounding

_SUMMARY = {
    "lower_quartile": "time by which a quarter had readapted",
    "median": "median time, infinite where not reached",
    "upper_quartile": "time by which three quarters had readapted",
    "median_low": "lower limit of the median's confidence interval",
    "median_high": "upper limit of the median's confidence interval",
    "restricted_mean": "mean of the times cut off at the horizon",
    "restricted_mean_error": "standard error of the restricted mean",
    "horizon": "time up to which the restricted mean counts",
    "n": "number of times",
    "censored": "share of times not observed",
}


def survival_curves(
    times: xr.Dataset, *, by: str = "change", confidence: float | None = 0.95
) -> xr.Dataset:
    """Return Kaplan-Meier estimates of the share that has not readapted yet, with bands.

    Parameters
    ----------
    times : Dataset
        As :func:`readaptation_times` or :func:`fractional_recovery` returns them.
    by : str
        What to pool changes by: change, transition, context (entered) or direction. The bands take
        all times of a group for independent: replicates are, repeated changes of one are not quite.
    confidence : float or None
        Level of the pointwise band (Greenwood's variance of log(-log S)); None for no band.

    Returns
    -------
    Dataset
        Over (circuit, `by`, time), a step function with the values from `time` (samples) on:
        ``survival``; ``lower`` and ``upper``; ``at_risk``, how many were still followed and not
        readapted just before. Where nobody has readapted yet the band is [1, 1]; where all have, it
        runs from 0 to its last upper limit times the exact binomial limit of the last step.

    Raises
    ------
    TypeError, ValueError
        If `times` are none, `by` is unknown, or a band is asked for of a group with fewer than two
        times.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations", JASA 53,
       1958.
    """
    if confidence is not None:
        confidence = positive_number("confidence", confidence, below=1.0)
    samples, observed = times_of(times)
    found = list(groups(times, by))
    grid = np.unique([0.0, *samples[np.isfinite(samples)]])
    shape = (len(samples), len(found), len(grid))
    survival, lower, upper = (np.ones(shape) for _ in range(3))
    at_risk = np.zeros(shape, dtype=np.int64)
    for (g, group), c in itertools.product(enumerate(found), range(len(samples))):
        t, seen = samples[c][group.members], observed[c][group.members]
        if confidence is not None and len(t) < 2:
            raise ValueError(
                f"a band needs at least 2 times in a group, got {len(t)} for {by} "
                f"{group.label!r}; simulate with n_replicates >= 2, or pass confidence=None"
            )
        survival[c, g], lower[c, g], upper[c, g] = _curve(t, seen, grid, confidence)
        at_risk[c, g] = (t[:, None] >= grid).sum(axis=0)
    dims = ("circuit", by, "time")
    variables: dict[str, Any] = {
        "survival": (dims, survival, {"long_name": "share not yet readapted", "units": "1"}),
        "at_risk": (dims, at_risk, {"long_name": "replicates still followed", "units": "1"}),
    }
    if confidence is not None:
        band = f"limit of the pointwise {confidence:.0%} band"
        variables |= {
            "lower": (dims, lower, {"long_name": f"lower {band}", "units": "1"}),
            "upper": (dims, upper, {"long_name": f"upper {band}", "units": "1"}),
        }
    coordinates = {
        "circuit": times["circuit"],
        "time": ("time", grid, {"long_name": "samples since the change", "units": "1"}),
        **group_coordinates(times, by, [group.label for group in found]),
    }
    return xr.Dataset(variables, coordinates, times.attrs)


def logrank_tests(times: xr.Dataset, *, by: str = "change") -> xr.Dataset:
    """Return log-rank tests of each pair of circuits: whether they readapt at the same pace.

    The test takes the two groups for independent. Circuits of one run share their samples, so it
    errs on the side of caution where their times go together; :func:`paired_bootstrap` uses the
    pairing.

    Parameters
    ----------
    times : Dataset
        As :func:`readaptation_times` or :func:`fractional_recovery` returns them.
    by : str
        What to pool changes by: change, transition, context (entered) or direction.

    Returns
    -------
    Dataset
        Over (comparison, `by`): ``statistic``, standard normal if both readapt at the same pace,
        positive if the first circuit is the quicker; two-sided ``p_value``, not corrected for
        multiple tests; ``events``, the number of times observed. Where there is none, nothing
        tells the circuits apart: the statistic is 0 and p is 1. Coordinates circuit_1 and circuit_2
        name the pair.

    Raises
    ------
    ValueError
        If there are fewer than two circuits, or `by` is unknown.

    References
    ----------
    .. [1] N. Mantel, "Evaluation of survival data and two new rank order statistics arising in its
       consideration", Cancer Chemotherapy Reports 50, 1966.
    """
    from scipy.stats import logrank

    samples, observed = times_of(times)
    found, compared = list(groups(times, by)), pairs(times)
    shape = (len(compared), len(found))
    statistic, p_value = np.zeros(shape), np.ones(shape)
    events = np.zeros(shape, dtype=np.int64)
    for (i, (a, b)), (g, group) in itertools.product(enumerate(compared), enumerate(found)):
        taken = [(samples[c][group.members], observed[c][group.members]) for c in (a, b)]
        events[i, g] = sum(seen.sum() for _, seen in taken)
        if _distinguishable(taken):
            test = logrank(*(_censored(t, seen) for t, seen in taken))
            statistic[i, g], p_value[i, g] = test.statistic, test.pvalue
    dims = ("comparison", by)
    return xr.Dataset(
        {
            "statistic": (dims, statistic, {"long_name": "log-rank statistic", "units": "1"}),
            "p_value": (dims, p_value, {"long_name": "two-sided p-value", "units": "1"}),
            "events": (dims, events, {"long_name": "times observed", "units": "1"}),
        },
        {
            **comparisons(times),
            **group_coordinates(times, by, [group.label for group in found]),
        },
        times.attrs,
    )


def summary(
    times: xr.Dataset,
    *,
    by: str = "change",
    horizon: float | None = None,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Return what is known of each circuit's times: quartiles, restricted mean, share censored.

    Parameters
    ----------
    times : Dataset
        As :func:`readaptation_times` or :func:`fractional_recovery` returns them.
    by : str
        What to pool changes by: change, transition, context (entered) or direction.
    horizon : float, optional
        Samples up to which the restricted mean counts; by default as long as all circuits were
        followed, so that theirs can be compared.
    confidence : float
        Level of the median's interval, which inverts the band of the Kaplan-Meier curve.

    Returns
    -------
    Dataset
        Over (circuit, `by`): ``median``, ``lower_quartile`` and ``upper_quartile`` of the
        Kaplan-Meier estimate in samples, ``median_low`` and ``median_high``: infinite where so many
        had not readapted that the quantile was not reached; ``restricted_mean``, the mean of the
        times cut off at ``horizon``, with its ``restricted_mean_error`` (Greenwood); ``n`` times
        and ``censored``, the share of them not observed. With a single time the interval of the
        median is 0 to infinity.

    Raises
    ------
    TypeError, ValueError
        If `times` are none, a number is out of range, or `by` is unknown.
    """
    confidence = positive_number("confidence", confidence, below=1.0)
    if horizon is not None:
        horizon = positive_number("horizon", horizon)
    samples, observed = times_of(times)
    found = list(groups(times, by))
    table = {name: np.zeros((len(samples), len(found))) for name in _SUMMARY}
    for g, group in enumerate(found):
        end = horizon_of(times, group.members) if horizon is None else horizon
        for c in range(len(samples)):
            t, seen = samples[c][group.members], observed[c][group.members]
            one = _summary_of(t, seen, end, confidence)
            for name, value in one.items():
                table[name][c, g] = value
    return xr.Dataset(
        {
            name: (("circuit", by), values, {"long_name": _SUMMARY[name], "units": "1"})
            for name, values in table.items()
        },
        {
            "circuit": times["circuit"],
            **group_coordinates(times, by, [group.label for group in found]),
        },
        {**times.attrs, "confidence": confidence},
    )


class KaplanMeier(NamedTuple):
    """Kaplan-Meier estimates along the last axis: times in order, and the survival after each."""

    times: Floats
    survival: Floats

    def quantile(self, share: float) -> Floats:
        """Return the first time at which `share` has readapted, infinite if it never is."""
        done = self.survival <= 1 - share + _ROUNDING
        at = np.argmax(done, axis=-1)
        when = np.take_along_axis(self.times, at[..., None], axis=-1)[..., 0]
        return np.where(done.any(axis=-1), when, np.inf)

    def restricted_mean(self, horizon: float) -> Floats:
        """Return the area under the curve from 0 to `horizon`."""
        start = np.zeros((*self.times.shape[:-1], 1))
        stop = np.full_like(start, horizon)
        edges = np.minimum(np.concatenate([start, self.times, stop], axis=-1), horizon)
        before = np.concatenate([start + 1, self.survival], axis=-1)
        mean: Floats = (np.diff(edges, axis=-1) * before).sum(axis=-1)
        return mean


def kaplan_meier(times: npt.ArrayLike, observed: npt.ArrayLike) -> KaplanMeier:
    """Return Kaplan-Meier estimates of any number of groups, along the last axis.

    scipy.stats.ecdf does one group a call; a bootstrap needs thousands at once.

    Examples
    --------
    >>> estimate = kaplan_meier([3.0, 1.0, 2.0], [True, True, False])
    >>> estimate.survival.round(3)
    array([0.667, 0.667, 0.   ])
    """
    t, seen = np.asarray(times, float), np.asarray(observed, bool)
    # Of equal times the observed come first: who is censored then was still at risk.
    order = np.lexsort((~seen, t), axis=-1)
    t, seen = np.take_along_axis(t, order, -1), np.take_along_axis(seen, order, -1)
    at_risk = np.arange(t.shape[-1], 0, -1)
    kept = np.where(seen, (at_risk - 1) / at_risk, 1.0)
    return KaplanMeier(t, np.asarray(np.cumprod(kept, axis=-1), dtype=np.float64))


def pairs(of: xr.Dataset) -> list[tuple[int, int]]:
    """Return the positions of every pair of circuits, or say that there is but one circuit."""
    n_circuits = of.sizes["circuit"]
    if n_circuits < 2:
        raise ValueError(
            f"a comparison needs at least 2 circuits, got {n_circuits}; simulate them in one run, "
            "so that they share their samples"
        )
    return list(itertools.combinations(range(n_circuits), 2))


def comparisons(of: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the dimension `comparison`."""
    names = [str(name) for name in of["circuit"].values]
    first, second = zip(*((names[a], names[b]) for a, b in pairs(of)), strict=True)
    return {
        "comparison": [f"{a} / {b}" for a, b in zip(first, second, strict=True)],
        "circuit_1": ("comparison", list(first)),
        "circuit_2": ("comparison", list(second)),
    }


def _censored(times: Floats, observed: Flags) -> "CensoredData":
    from scipy.stats import CensoredData

    return CensoredData(uncensored=times[observed], right=times[~observed])


def _distinguishable(taken: list[tuple[Floats, Flags]]) -> bool:
    """Return whether at some observed time both circuits still had someone at risk."""
    (t, seen_t), (u, seen_u) = taken
    events = np.concatenate([t[seen_t], u[seen_u]])
    return bool(((events <= t.max()) & (events <= u.max())).any())


def _curve(
    times: Floats,
    observed: Flags,
    grid: Floats,
    confidence: float | None,
) -> tuple[Floats, Floats, Floats]:
    """Return survival and its band at the times of `grid`."""
    from scipy.stats import ecdf

    estimate = ecdf(_censored(times, observed)).sf
    survival = np.asarray(estimate.evaluate(grid), dtype=np.float64)
    if confidence is None:
        return survival, survival, survival
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where S is 1 or 0: mended below
        band = estimate.confidence_interval(confidence, method="log-log")
    lower, upper = (np.asarray(edge.evaluate(grid), dtype=np.float64) for edge in band)
    everyone, nobody = survival >= 1 - _ROUNDING, survival <= _ROUNDING
    lower, upper = np.where(everyone, 1.0, lower), np.where(everyone, 1.0, upper)
    lower[nobody] = 0.0
    if nobody.any():
        # Log(-log 0) has no value; of r at risk at the last event, 0 kept on is a binomial count.
        at_risk = (times >= times[observed].max()).sum()
        before = upper[~nobody][-1] if (~nobody).any() else 1.0
        upper[nobody] = before * (1 - ((1 - confidence) / 2) ** (1 / at_risk))
    return survival, lower, upper


def _summary_of(
    times: Floats, observed: Flags, horizon: float, confidence: float
) -> dict[str, float]:
    estimate = kaplan_meier(times, observed)
    grid = np.unique(times)
    _, lower, upper = _curve(times, observed, grid, confidence)

    def first(curve: Floats) -> float:
        done = np.flatnonzero(curve <= 0.5 + _ROUNDING)
        return float(grid[done[0]]) if done.size else np.inf

    # Greenwood: each event adds (area still to come)^2 d / (r (r - d)).
    variance = 0.0
    mean = float(estimate.restricted_mean(horizon))
    for time in np.unique(times[observed & (times < horizon)]):
        to_come = mean - float(estimate.restricted_mean(time))
        at_risk, events = (times >= time).sum(), (observed & (times == time)).sum()
        if at_risk > events:
            variance += to_come**2 * events / (at_risk * (at_risk - events))
    return {
        "lower_quartile": float(estimate.quantile(0.25)),
        "median": float(estimate.quantile(0.5)),
        "upper_quartile": float(estimate.quantile(0.75)),
        "median_low": first(lower) if len(times) > 1 else 0.0,
        "median_high": first(upper) if len(times) > 1 else np.inf,
        "restricted_mean": mean,
        "restricted_mean_error": float(np.sqrt(variance)),
        "horizon": horizon,
        "n": len(times),
        "censored": float(1 - observed.mean()),
    }
