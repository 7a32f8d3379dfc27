"""Times that may be censored: Kaplan-Meier curves and log-rank tests."""

import itertools
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, positive_number
from adaptnet.readaptation.groups import (
    comparisons,
    group_coordinates,
    groups,
    pairs,
    times_of,
)
from adaptnet.readaptation.kaplan_meier import censored, curve_and_band
from adaptnet.readaptation.selections import restored


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
    times = restored(times)
    if confidence is not None:
        confidence = positive_number("confidence", confidence, below=1.0)
    samples, observed = times_of(times)
    found = list(groups(times, by))
    grid = np.unique([0.0, *samples[np.isfinite(samples)]])
    shape = (len(samples), len(found), len(grid))
    survival, lower, upper = (np.ones(shape) for _ in range(3))
    at_risk = np.zeros(shape, dtype=np.int64)
    for (g, group), c in itertools.product(enumerate(found), range(len(samples))):
        there = group.members & ~np.isnan(samples[c])
        if not there.any():  # at_risk says so
            continue
        t, seen = samples[c][there], observed[c][there]
        if confidence is not None and len(t) < 2:
            raise ValueError(
                f"a band needs at least 2 times in a group, got {len(t)} for {by} "
                f"{str(group.label)!r}; simulate with n_replicates >= 2, or pass confidence=None"
            )
        survival[c, g], lower[c, g], upper[c, g] = curve_and_band(t, seen, grid, confidence)
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
    times = restored(times)
    from scipy.stats import logrank

    samples, observed = times_of(times)
    found, compared = list(groups(times, by)), pairs(times)
    shape = (len(compared), len(found))
    statistic, p_value = np.zeros(shape), np.ones(shape)
    events = np.zeros(shape, dtype=np.int64)
    for (i, (a, b)), (g, group) in itertools.product(enumerate(compared), enumerate(found)):
        there = [group.members & ~np.isnan(samples[c]) for c in (a, b)]
        taken = [(samples[c][at], observed[c][at]) for c, at in zip((a, b), there, strict=True)]
        events[i, g] = sum(seen.sum() for _, seen in taken)
        if all(at.any() for at in there) and _distinguishable(taken):
            test = logrank(*(censored(t, seen) for t, seen in taken))
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


def _distinguishable(taken: list[tuple[Floats, Flags]]) -> bool:
    """Return whether at an observed time both circuits had someone at risk, and not all passed."""
    (t, seen_t), (u, seen_u) = taken
    both, seen = np.concatenate([t, u]), np.concatenate([seen_t, seen_u])
    events = np.unique(both[seen & (both <= min(t.max(), u.max()))])
    return any(((both == at) & seen).sum() < (both >= at).sum() for at in events)
