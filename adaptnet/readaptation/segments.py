"""The records of a run between one change of context and the next."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.files.validation import validate
from adaptnet.readaptation.changes import per_change, transition_samples, unmoved
from adaptnet.readaptation.outcomes import Outcome


class Segment(NamedTuple):
    """What a circuit did in a replicate between a change and the next, or the end."""

    at: tuple[int, int, int]  # circuit, replicate, change
    start: int  # sample of the change
    lasts: int  # samples until the covariance has arrived; 0 for an abrupt change
    since: Integers  # samples since the change, of each record with a finite error
    errors: Floats
    before: float  # error at the last record before the change; NaN if there is no record before it
    diverged: bool  # whether the circuit diverged before the segment ended
    unmoved: bool  # whether the change left the covariance what it was: a drift sets in
    cut: bool  # whether records are missing after those here, or at the change

    @property
    def followed(self) -> int:
        """Samples from the change to the last record with a finite error."""
        return int(self.since[-1]) if len(self.since) else 0

    @property
    def resolution(self) -> Integers:
        """For each record, the samples since the record before it, or since the change."""
        return np.diff(self.since, prepend=0)

    def obstacle(self, fewest: int, *, jump: bool = True) -> Outcome | None:
        """Return why nothing can be measured that takes `fewest` records of a whole segment.

        With `jump`, it takes a covariance that jumps as well.
        """
        if jump and self.unmoved:
            return Outcome.UNMOVED
        if self.diverged:
            return Outcome.DIVERGED
        if self.cut:
            return Outcome.NOT_RECORDED
        return Outcome.TOO_FEW if len(self.errors) < fewest else None


def error_of(run: xr.Dataset, variable: str) -> xr.DataArray:
    """Return the error `variable` of a run, or say what the run has instead."""
    known = validate(run, run=True).data_vars
    if variable not in known or not {"circuit", "sample"} <= set(known[variable].dims):
        raise ValueError(
            f"variable must be an error that the run has recorded, got {variable!r}; it has "
            f"{', '.join(map(str, known))}; name {variable!r} in simulate(record=...)"
        )
    return known[variable]


def segments(run: xr.Dataset) -> tuple[Integers, Integers]:
    """Return for each replicate and change its first sample and the sample at which it has ended.

    Both have the shape (replicate, change), with -1 for changes that a replicate does not have.
    """
    starts, entered = per_change(run, "change_sample"), per_change(run, "context_entered")
    end = int(run.attrs["n_samples"])
    stops = np.full_like(starts, -1)
    stops[:, :-1] = starts[:, 1:]
    # The record at the very end may already see the context that would come next.
    final = run["context"].isel(sample=-1).broadcast_like(run["replicate"]).values
    for r, c in np.argwhere((starts >= 0) & (stops < 0)):
        same = run["sample"].values[-1] < end or final[r] == entered[r, c]
        stops[r, c] = end + 1 if same else end
    return starts, stops


def require_changes(run: xr.Dataset, purpose: str) -> None:
    """Raise unless the run has a change; `purpose` ends the sentence that says so."""
    if not (per_change(run, "change_sample") >= 0).any():
        raise ValueError(
            f"the run has no change of context, so nothing to {purpose}; "
            "simulate longer, or in an environment whose contexts change"
        )


def record_interval(run: xr.Dataset) -> int:
    """Return how many samples lie at most between records of a run none of which was left out.

    Records stand at the multiples of `record_every` and at changes; in a selection of every so
    many records, farther apart.
    """
    sample = run["sample"].values
    between = int(np.median(np.diff(sample))) if len(sample) > 1 else 1
    return max(int(run.attrs.get("record_every", 1)), between)


def _misses_change(
    run: xr.Dataset, sample: Integers, start: int, first: int, interval: int
) -> bool:
    """Return whether the record at a change was left out; `first` is the next one that is there.

    Runs record their changes. A selection of every so many records need not have them, and its
    resolution says so; one that begins after the change, or lacks that record alone, hides a peak.
    """
    if first < len(sample) and sample[first] == start:
        return False
    thinned = interval > int(run.attrs.get("record_every", 1))
    return first == 0 or (bool(run.attrs.get("record_changes", 0)) and not thinned)


def each_segment(run: xr.Dataset, variable: str) -> Iterator[Segment]:
    """Yield every segment of a run that follows a change, or say that there is no change."""
    errors = error_of(run, variable).transpose("circuit", "replicate", "sample").values
    require_changes(run, "readapt to")
    starts, stops = segments(run)
    lasts, still = transition_samples(run), unmoved(run)
    sample, interval = run["sample"].values, record_interval(run)
    for r, change in np.argwhere(starts >= 0):
        start, stop = starts[r, change], stops[r, change]
        first, last = np.searchsorted(sample, (start, stop))
        gaps = np.diff(sample[first:last], prepend=start, append=stop) > interval
        gaps[0] |= _misses_change(run, sample, start, first, interval)
        kept = first + int(np.argmax(np.append(gaps, True)))  # records up to the first gap
        kept = min(kept, last)
        begun = first > 0 and start - sample[first - 1] <= interval
        for c in range(len(errors)):
            curve = errors[c, r, first:kept]
            finite = np.isfinite(curve)
            yield Segment(
                (c, int(r), int(change)),
                int(start),
                int(lasts[r, change]),
                sample[first:kept][finite] - start,
                curve[finite],
                float(errors[c, r, first - 1]) if begun else np.nan,
                not finite.all(),
                bool(still[r, change]),
                kept < last or bool(gaps.any()),
            )
