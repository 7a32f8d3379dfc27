"""First passage below a threshold."""

import warnings

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Integers, positive_number, whole_number
from adaptnet.errors import NoiseFloorWarning
from adaptnet.readaptation.segments import (
    DIVERGED,
    NOT_REACHED,
    REACHED,
    UNMOVED,
    Results,
    each_segment,
)
from adaptnet.readaptation.selections import restored


def readaptation_times(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    hold: int = 1,
) -> xr.Dataset:
    """Return how long after each change the error first falls below a threshold, and stays.

    The time is that of the first of `hold` consecutive records below the threshold. A circuit that
    has none when the next change comes, or the run ends, or it diverges, is not dropped: it is
    marked as not observed (right-censored), with the time until which it is known not to have
    readapted.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to use: whitening_error or frobenius_error.
    hold : int
        Records in a row that must lie below the threshold; 1 is the plain first passage.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``samples`` and ``synaptic_time`` since the change,
        ``observed``, ``followed`` (for how long), and ``outcome``, which says why a time is not
        there. A change at which the covariance does not jump, where a drift begins, has no time:
        see :func:`tracking`. Coordinates tell the change: ``change_sample``, ``context_left``,
        ``context_entered``, their names as ``context`` (entered) and ``transition``,
        ``change_distance`` and ``direction``. Resolution is the run's ``record_every``.

    Raises
    ------
    TypeError, ValueError
        If the threshold is not positive, the variable is not in the dataset, or there is no change.

    Warns
    -----
    NoiseFloorWarning
        If the threshold lies below the error that a circuit's own learning noise leaves for ever.

    References
    ----------
    .. [1] S. Redner, "A Guide to First-Passage Processes", Cambridge University Press, 2001.
    """
    dataset = restored(dataset)
    threshold = positive_number("threshold", threshold)
    hold = whole_number("hold", hold)
    _warn_below_floor(dataset, threshold, variable)
    results = Results(dataset, variable, threshold=threshold, hold=hold)
    samples, followed = results.blank(), results.blank()
    for segment in each_segment(dataset, variable):
        followed[segment.at] = segment.followed
        if segment.unmoved:
            results.outcome[segment.at] = UNMOVED
            continue
        samples[segment.at], reached = passage(segment.since, segment.errors < threshold, hold)
        unreached = DIVERGED if segment.diverged else NOT_REACHED
        results.outcome[segment.at] = REACHED if reached else unreached
    observed = (results.outcome == REACHED, "time was reached (False: censored)")
    return results.labelled(
        {
            **results.times(samples, f"until {variable} < {threshold:g}"),
            "observed": observed,
            "followed": (followed, "samples until the segment's last sound record"),
        }
    )


def _warn_below_floor(dataset: xr.Dataset, threshold: float, variable: str) -> None:
    """Warn of circuits whose outputs stay, once they have converged, farther from white."""
    floors = dataset.get(f"{variable}_floor")
    if floors is None:
        return
    worst = floors.max([dim for dim in floors.dims if dim != "circuit"])
    names = worst["circuit"].values.tolist()
    above = {n: floor for n, floor in zip(names, worst.values, strict=True) if floor > threshold}
    if not above:
        return
    of = ", ".join(f"{name!r} ({floor:.3g})" for name, floor in above.items())
    share = (threshold / max(above.values())) ** 2
    warnings.warn(
        f"the threshold {threshold:g} lies below the noise floor of {of}: once converged its "
        f"{variable} is that large in the root mean square, and is below the threshold by chance "
        f"or never; raise the threshold, or multiply the learning rate by less than {share:.2g}",
        NoiseFloorWarning,
        stacklevel=3,
    )


def passage(since: Integers, below: Flags, hold: int) -> tuple[float, bool]:
    """Return the time of the first of `hold` records in a row below, or until when there is none.

    Examples
    --------
    >>> passage(np.arange(5), np.array([0, 1, 0, 1, 1], bool), 2)
    (3.0, True)
    >>> passage(np.arange(5), np.array([0, 1, 0, 1, 1], bool), 3)
    (2.0, False)
    """
    above = np.flatnonzero(~below)
    # A run of records below lies between two above, or one and an end.
    edges = np.concatenate([[-1], above, [len(below)]])
    long_enough = np.flatnonzero(np.diff(edges) > hold)
    if long_enough.size:
        return float(since[edges[long_enough[0]] + 1]), True
    return (float(since[above[-1]]) if above.size else 0.0), False
