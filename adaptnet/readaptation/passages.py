"""Times until an error has passed below a level: found, censored or without an answer."""

from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, whole_number
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.results import Results
from adaptnet.readaptation.segments import Segment

SINCE = ("beginning", "end")
"""What times may count from, of a change that takes time: see :func:`readaptation_times`."""


class Passages(Results):
    """Times over (circuit, replicate, change) in the making."""

    def __init__(
        self, run: xr.Dataset, variable: str, hold: int, since: str, **attributes: Any
    ) -> None:
        self._hold = whole_number("hold", hold)
        if since not in SINCE:
            raise ValueError(f"since must be one of {', '.join(SINCE)}, got {since!r}")
        self._since = since
        super().__init__(run, variable, hold=self._hold, since=since, **attributes)
        self.samples, self.followed, self.resolution = self.blank(), self.blank(), self.blank()

    def add(self, segment: Segment, below: Flags, first: int = 0) -> None:
        """Find the passage in a segment whose records are `below` the level or not.

        Records before `first` do not count.
        """
        at = segment.at
        start = segment.lasts if self._since == "end" else 0
        begin = max(first, int(np.searchsorted(segment.since, start)))
        risen = bool((~below[first:begin]).any())  # before times begin to count
        position, outcome = passage(below[begin:], self._hold, risen)
        position += begin
        if outcome is Outcome.NEVER_ABOVE and not (segment.diverged or segment.cut):
            self.outcome[at] = outcome
            return
        if outcome is Outcome.REACHED:
            self.samples[at] = segment.since[position] - start
            self.resolution[at] = min(segment.resolution[position], self.samples[at])
            self.followed[at] = segment.followed - start
        elif segment.diverged:
            outcome = Outcome.DIVERGED
            self.followed[at] = max(segment.followed - start, 0)
        elif outcome is Outcome.NOT_REACHED:
            self.followed[at] = max(segment.since[position] - start, 0)
        if outcome is not Outcome.REACHED and segment.cut and not segment.diverged:
            outcome = Outcome.NOT_RECORDED
        self.outcome[at] = outcome

    def times(self, what: str) -> xr.Dataset:
        """Return the times, labelled; `what` completes "samples until"."""
        counted = f"since the change {'ended' if self._since == 'end' else 'began'}"
        synaptic = "synaptic time (integral of the learning rate)"
        rate = "NaN without a learning rate"
        samples, followed = self.samples, self.followed

        def converted(values: Floats) -> Floats:
            return self.in_synaptic_time(values, after=self._since)

        return self.labelled(
            {
                "samples": (samples, f"samples {counted} until {what}; NaN if censored"),
                "synaptic_time": (
                    converted(samples),
                    f"{synaptic} {counted} until {what}; NaN if censored; {rate}",
                ),
                "observed": (
                    self.outcome == Outcome.REACHED,
                    "whether the time was reached (False: censored)",
                ),
                "followed": (
                    followed,
                    f"samples {counted} for which the circuit was followed; if censored, until "
                    "when it is known not to have readapted",
                ),
                "synaptic_followed": (converted(followed), f"followed, in {synaptic}; {rate}"),
                "resolution": (
                    self.resolution,
                    "samples since the record before: the passage came at most so long before",
                ),
            }
        )


def passage(below: Flags, hold: int, risen: bool = False) -> tuple[int, Outcome]:
    """Return the position of the first of `hold` records in a row below, after one above.

    If no records are that low, the position is that of the last record above. `risen` says that
    there was a record above before these.

    Examples
    --------
    >>> passage(np.array([0, 1, 0, 1, 1], bool), 2)
    (3, <Outcome.REACHED: 0>)
    >>> passage(np.array([0, 1, 0, 1, 1], bool), 3)
    (2, <Outcome.NOT_REACHED: 1>)
    >>> passage(np.array([1, 1, 0, 0, 1], bool), 1)
    (4, <Outcome.REACHED: 0>)
    >>> passage(np.array([1, 1], bool), 1)
    (-1, <Outcome.NEVER_ABOVE: 9>)
    """
    above = np.flatnonzero(~below)
    if risen:
        above = np.concatenate([[-1], above])
    if not above.size:
        return -1, Outcome.NEVER_ABOVE if len(below) else Outcome.TOO_FEW
    # A run of records below lies between two above, or one and the end.
    long_enough = np.flatnonzero(np.diff(above, append=len(below)) > hold)
    if long_enough.size:
        return int(above[long_enough[0]]) + 1, Outcome.REACHED
    return int(above[-1]), Outcome.NOT_REACHED
