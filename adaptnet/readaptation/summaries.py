"""What is known of times that may be censored: quartiles, restricted means, shares."""

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, positive_number
from adaptnet.readaptation.groups import group_coordinates, groups, horizon_of, times_of
from adaptnet.readaptation.kaplan_meier import ROUNDING, curve_and_band, kaplan_meier
from adaptnet.readaptation.selections import restored

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
    times = restored(times)
    confidence = positive_number("confidence", confidence, below=1.0)
    if horizon is not None:
        horizon = positive_number("horizon", horizon)
    samples, observed = times_of(times)
    found = list(groups(times, by))
    table = {name: np.zeros((len(samples), len(found))) for name in _SUMMARY}
    for g, group in enumerate(found):
        end = horizon_of(times, group.members) if horizon is None else horizon
        for c in range(len(samples)):
            there = group.members & ~np.isnan(samples[c])
            if not there.any():
                for name in table.keys() - {"n"}:
                    table[name][c, g] = np.nan
                continue
            one = _summary_of(samples[c][there], observed[c][there], end, confidence)
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


def _summary_of(
    times: Floats, observed: Flags, horizon: float, confidence: float
) -> dict[str, float]:
    estimate = kaplan_meier(times, observed)
    grid = np.unique(times)
    _, lower, upper = curve_and_band(times, observed, grid, confidence)

    def first(curve: Floats) -> float:
        done = np.flatnonzero(curve <= 0.5 + ROUNDING)
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
