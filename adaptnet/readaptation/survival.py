"""Times that may be censored: Kaplan-Meier curves and log-rank tests."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy
import xarray as xr

from adaptnet._checks import positive_number
from adaptnet.readaptation.groups import (
    Times,
    comparisons,
    group_coordinates,
    groups,
    pairs,
    times_of,
)
from adaptnet.readaptation.kaplan_meier import curve_and_band
from adaptnet.readaptation.measures import at_each_point, takes_results


@at_each_point
@takes_results
def survival_curves(
    times: xr.Dataset, *, by: str = "change", confidence: float | None = 0.95
) -> xr.Dataset:
    """Return estimates of the share that has not readapted yet, with bands.

    Kaplan-Meier estimates [1]_. A circuit that diverged will never readapt, which is not to be lost
    to follow-up: divergence is a competing event (Aalen-Johansen [2]_), so that the share that has
    readapted never exceeds that which did.

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
        readapted just before. Before the first has readapted the band is the exact binomial one of
        none out of those followed, up to 1; once all have, it runs from 0 to its last upper limit
        times the exact binomial limit of the last step.

    Raises
    ------
    TypeError, ValueError
        If `times` are not times, `by` is unknown, or a band is asked for of a group with fewer than
        two times.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations", JASA 53,
       1958.
    .. [2] O. O. Aalen, S. Johansen, "An empirical transition matrix for non-homogeneous Markov
       chains based on censored observations", Scandinavian Journal of Statistics 5, 1978.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=300)
    >>> circuits = {"direct": an.DirectCircuit(initial_weights=2.0, learning_rate=0.01),
    ...     "interneuron": an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)}
    >>> run = an.simulate(circuits, environment, 600, n_replicates=20, rng=0)
    >>> times = an.readaptation_times(run, threshold=0.6)
    >>> curves = survival_curves(times).isel(change=0).sel(time=25, method="ffill")
    >>> curves["survival"].values
    array([1.  , 0.25])
    """
    if confidence is not None:
        confidence = positive_number("confidence", confidence, below=1.0)
    known, found = times_of(times), list(groups(times, by))
    grid = np.unique([0.0, *known.durations[np.isfinite(known.durations)]])
    shape = (times.sizes["circuit"], len(found), len(grid))
    survival, lower, upper = (np.ones(shape) for _ in range(3))
    at_risk = np.zeros(shape, dtype=np.int64)
    for (g, group), c in itertools.product(enumerate(found), range(shape[0])):
        one = known.of(c, group.members)
        n = len(one.durations)
        if not n:  # at_risk says so
            lower[c, g] = 0.0
            continue
        if confidence is not None and n < 2:
            raise ValueError(
                f"a band needs at least 2 times in a group, got {n} for {by} "
                f"{str(group.label)!r}; simulate with n_replicates >= 2, or pass confidence=None"
            )
        survival[c, g], lower[c, g], upper[c, g] = curve_and_band(*one, grid, confidence)
        at_risk[c, g] = (one.durations[:, None] >= grid).sum(axis=0)
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


@at_each_point
@takes_results
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
        multiple tests; ``events``, the number of times observed. If none were, nothing tells the
        circuits apart: the statistic is 0 and p is 1. Coordinates circuit_1 and circuit_2
        name the pair.

    Raises
    ------
    ValueError
        If there are fewer than two circuits, or `by` is unknown.

    References
    ----------
    .. [1] N. Mantel, "Evaluation of survival data and two new rank order statistics arising in its
       consideration", Cancer Chemotherapy Reports 50, 1966.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=300)
    >>> circuits = {"direct": an.DirectCircuit(initial_weights=2.0, learning_rate=0.01),
    ...     "interneuron": an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)}
    >>> run = an.simulate(circuits, environment, 600, n_replicates=20, rng=0)
    >>> times = an.readaptation_times(run, threshold=0.6)
    >>> bool(logrank_tests(times)["p_value"] < 0.001)
    True
    """
    known, found, compared = times_of(times), list(groups(times, by)), pairs(times)
    shape = (len(compared), len(found))
    statistic, events = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    for (i, pair), (g, group) in itertools.product(enumerate(compared), enumerate(found)):
        first, second = (known.of(c, group.members) for c in pair)
        events[i, g] = first.observed.sum() + second.observed.sum()
        statistic[i, g] = _logrank(first, second)
    p_value = 2 * scipy.special.ndtr(-np.abs(statistic))
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


def _logrank(first: Times, second: Times) -> float:
    """Return the standardised difference of the times observed in `first` and those expected.

    A circuit that diverged has not readapted, and stays at risk.
    """
    ends = [
        np.where(one.diverged & ~one.observed, np.inf, one.durations) for one in (first, second)
    ]
    at = np.unique(
        np.concatenate([first.durations[first.observed], second.durations[second.observed]])
    )
    n_first, n_second = ((end[:, None] >= at).sum(axis=0) for end in ends)
    d_first, d_second = (
        (one.durations[one.observed][:, None] == at).sum(axis=0) for one in (first, second)
    )
    n, d = n_first + n_second, d_first + d_second
    share = n_first / n
    variance = d * share * (1 - share) * (n - d) / np.maximum(n - 1, 1)
    if not variance.sum() > 0:  # no event at which both had someone at risk, and not all readapted
        return 0.0
    return float((d_first - d * share).sum() / np.sqrt(variance.sum()))
