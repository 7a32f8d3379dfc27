"""What is known of times that may be censored: quartiles, restricted means, shares."""

from __future__ import annotations

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, positive_number
from adaptnet.readaptation.groups import Times, group_coordinates, groups, horizon_of, times_of
from adaptnet.readaptation.kaplan_meier import ROUNDING, Events, curve_and_band, kaplan_meier
from adaptnet.readaptation.measures import at_each_point, takes_results
from adaptnet.readaptation.selections import DIMS

_SUMMARY = {
    "resolution": "samples since the record before the median: it came at most so long before",
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
    "diverged": "share of times not observed because the circuit diverged",
}


@at_each_point
@takes_results
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
        had not readapted that the quantile was not reached; ``resolution``, how long before the
        median the last record was; ``restricted_mean``, the mean of the times cut off at
        ``horizon``, with its ``restricted_mean_error`` (Greenwood); ``n`` times, ``censored``, the
        share of them not observed, and ``diverged``, the share of circuits that diverged instead:
        these count as never readapted. With a single time the interval of the median is 0 to
        infinity.

    Raises
    ------
    TypeError, ValueError
        If `times` are not times, a number is out of range, or `by` is unknown.

    Examples
    --------
    >>> from adaptnet.readaptation import readaptation_times
    >>> import adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400, record_every=10)
    >>> found = summary(readaptation_times(run, threshold=0.1))
    >>> found["median"].item(), found["resolution"].item(), found["censored"].item()
    (90.0, 10.0, 0.0)
    """
    confidence = positive_number("confidence", confidence, below=1.0)
    if horizon is not None:
        horizon = positive_number("horizon", horizon)
    known, found = times_of(times), list(groups(times, by))
    resolution = times["resolution"].transpose(*DIMS).values
    n_circuits = times.sizes["circuit"]
    table = {name: np.full((n_circuits, len(found)), np.nan) for name in _SUMMARY}
    for g, group in enumerate(found):
        end = horizon_of(times, group.members) if horizon is None else horizon
        for c in range(n_circuits):
            one = known.of(c, group.members)
            table["n"][c, g] = len(one.durations)
            if len(one.durations):
                for name, value in _summary_of(one, end, confidence).items():
                    table[name][c, g] = value
            at_median = group.members & (known.durations[c] == table["median"][c, g])
            if at_median.any():
                table["resolution"][c, g] = resolution[c][at_median].max()
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


def _summary_of(times: Times, horizon: float, confidence: float) -> dict[str, float]:
    """Return what is known of the times of a group, but for how many there are."""
    estimate = kaplan_meier(*times)
    grid = np.unique([0.0, *times.durations])
    _, lower, upper = curve_and_band(*times, grid, confidence)
    several = len(times.durations) > 1

    def first(curve: Floats) -> float:
        done = np.flatnonzero(curve <= 0.5 + ROUNDING)
        return float(grid[done[0]]) if done.size else np.inf

    return {
        "lower_quartile": float(estimate.quantile(0.25)),
        "median": float(estimate.quantile(0.5)),
        "upper_quartile": float(estimate.quantile(0.75)),
        "median_low": first(lower) if several else 0.0,
        "median_high": first(upper) if several else np.inf,
        "restricted_mean": float(estimate.restricted_mean(horizon)),
        "restricted_mean_error": _error(times, horizon),
        "horizon": horizon,
        "censored": float(1 - times.observed.mean()),
        "diverged": float((times.diverged & ~times.observed).mean()),
    }


def _error(times: Times, horizon: float) -> float:
    """Return the standard error of the restricted mean: of the incidence, integrated."""
    events = Events.of(*times).until(horizon)
    # From each event to the horizon: how long that is, and the area of the incidence's rise.
    left = horizon - events.times
    after = np.diff(np.append(events.times, horizon)) * events.incidence
    area = np.cumsum(after[::-1])[::-1] - events.incidence * left
    return float(np.sqrt(events.variance(area[:, None], left[:, None])[0]))
