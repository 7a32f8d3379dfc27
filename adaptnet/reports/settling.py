"""Whether the error of a circuit has settled when segments end, or is still falling."""

from enum import Enum
from typing import NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats
from adaptnet.readaptation.changes import change_coordinates, unmoved
from adaptnet.readaptation.groups import groups
from adaptnet.readaptation.segments import each_segment
from adaptnet.readaptation.selections import DIMS

_FALL = np.log(1.1)  # falls between two eighths of a segment that are worth a word
_FALL_IF_UNSURE = np.log(1.5)  # if there are too few replicates to tell a fall from noise
_NORMAL = 2.58  # standard deviations that noise alone exceeds five times in a thousand
_NEAR = 1.5  # an error that is less than this times the floor of theory has settled at it


class State(Enum):
    """Whether an error is at its floor when segments end."""

    FALLING = "still falling"
    SETTLED = "settled"
    UNSURE = "perhaps still falling"


class Ending(NamedTuple):
    """How a circuit fared in the last quarters of the segments after one change or transition."""

    label: str
    errors: Floats
    """Median error in the last quarter, per segment."""
    fall: float
    """Factor by which the error falls from the first to the second half of the quarter."""
    state: State


def endings(dataset: xr.Dataset, variable: str) -> dict[str, list[Ending]]:
    """Return how segments end: for each circuit, per change, or per transition if paths differ.

    Segments in which a circuit diverged, which have fewer than eight records, or at whose beginning
    the covariance does not jump, are left out.
    """
    errors, falls = (np.full(tuple(dataset.sizes[dim] for dim in DIMS), np.nan) for _ in range(2))
    for segment in each_segment(dataset, variable):
        if segment.diverged or len(segment.errors) < 8:
            continue
        age = segment.since / segment.since[-1]
        halves = [segment.errors[(age >= 0.75) & (age < 0.875)], segment.errors[age >= 0.875]]
        errors[segment.at] = np.median(segment.errors[age >= 0.75])
        first, second = (np.median(half) if half.size else np.nan for half in halves)
        # A circuit without any error, as an oracle is, has settled.
        falls[segment.at] = np.log(first / second) if first > 0 and second > 0 else 0.0
    changes = xr.Dataset(coords=change_coordinates(dataset))
    by = "change" if changes["transition"].dims == ("change",) else "transition"
    floors = _floors(dataset, variable)
    found: dict[str, list[Ending]] = {str(name): [] for name in dataset["circuit"].values}
    for label, members in groups(changes, by, ~unmoved(dataset)):
        name = label
        if by == "change":
            name = changes["transition"].values[changes["change"].values.tolist().index(label)]
        for c, ends in enumerate(found.values()):
            known: Flags = members & np.isfinite(errors[c])
            if known.any():
                logarithms = falls[c][known]
                near = bool(np.median(errors[c][known] / floors[c][known]) < _NEAR)
                state = _state(logarithms, near=near)
                fall = float(np.exp(logarithms.mean()))
                ends.append(Ending(str(name), errors[c][known], fall, state))
    return found


def _floors(dataset: xr.Dataset, variable: str) -> Floats:
    """Return the noise floors (circuit, replicate, change) that theory knows; NaN for others."""
    like = xr.DataArray(np.full(tuple(dataset.sizes[dim] for dim in DIMS), np.nan), dims=DIMS)
    stored = dataset.get(f"{variable}_floor", like)
    return np.asarray(stored.broadcast_like(like).transpose(*DIMS).values, dtype=np.float64)


def _state(falls: Floats, *, near: bool) -> State:
    """Return what logarithmic falls, one per segment, say; `near`: the error is near its floor.

    Errors at a floor are correlated in time, so a single segment proves little: what replicates
    agree on is tested against their spread, by Student's t.

    Examples
    --------
    >>> _state(np.array([0.3, 0.4, 0.35, 0.3]), near=False)
    <State.FALLING: 'still falling'>
    >>> _state(np.array([0.3, -0.5, 0.4, 0.1]), near=False)
    <State.SETTLED: 'settled'>
    >>> _state(np.array([0.1]), near=False)
    <State.UNSURE: 'perhaps still falling'>
    """
    mean, n = float(falls.mean()), len(falls)
    if n < 3:
        if mean > _FALL_IF_UNSURE:
            return State.FALLING
        return State.SETTLED if near else State.UNSURE
    z, freedom = _NORMAL, n - 1
    # Quantile of Student's t by that of the normal distribution (Cornish and Fisher's expansion).
    quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    is_sure = mean > quantile * float(falls.std(ddof=1)) / np.sqrt(n)
    if is_sure and mean > _FALL:
        return State.FALLING
    return State.SETTLED if near or (mean < _FALL and not is_sure) else State.UNSURE
