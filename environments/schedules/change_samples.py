"""Changes at given samples."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from environments.checks import Integers, items, whole_number
from environments.schedules.base import Order, OrderedSchedule
from environments.schedules.timeline import (
    FOR_EVER,
    DrawnTimeline,
    Segments,
    Timeline,
    refuse_before,
)


class ChangeSamples(OrderedSchedule):
    """Changes at given samples.

    Parameters
    ----------
    samples : sequence of int
        First sample of each new segment, increasing, at least 1. A run must be longer than the
        last of them.
    order : sequence of int or str, optional
        Context of each segment, one more than there are changes; or as for :class:`Blocks`.

    Raises
    ------
    TypeError, ValueError
        If changes do not increase, or contexts are too few or too many.

    Examples
    --------
    >>> timeline = ChangeSamples([30, 70]).timeline(2, np.random.default_rng())
    >>> timeline.contexts(np.array([0, 29, 30, 69, 70]))
    array([0, 0, 1, 1, 0])
    """

    def __init__(self, samples: Sequence[int], order: Order = None) -> None:
        self._samples = [whole_number("samples", s) for s in items("samples", samples)]
        for earlier, later in itertools.pairwise(self._samples):
            if later <= earlier:
                raise ValueError(
                    f"samples must increase, but {earlier} is followed by {later}: changes must "
                    "neither overlap nor come out of order; sort them and drop repeated ones"
                )
        super().__init__(order)
        if isinstance(self._order, list) and len(self._order) != len(self._samples) + 1:
            raise ValueError(
                f"order must name {len(self._samples) + 1} contexts, one before the first change "
                f"and one after each, got {len(self._order)}"
            )

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return int(np.diff(self._samples, prepend=0).min(initial=FOR_EVER))

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if a change lies beyond a run of `n_samples`."""
        refuse_before(max(self._samples, default=0), n_samples)

    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield the only batch."""
        size = len(self._samples) + 1
        contexts = [part for _, part in itertools.islice(super().segments(n_contexts, rng), size)]
        yield self.durations(rng, size), np.concatenate(contexts)[:size]

    def timeline(self, n_contexts: int, rng: np.random.Generator) -> Timeline:
        """Return the schedule of one replicate; runs that end before a change are refused."""
        return DrawnTimeline(self.segments(n_contexts, rng), max(self._samples, default=0))

    def durations(self, rng: np.random.Generator, size: int) -> Integers:
        """Return the durations of the next `size` segments."""
        durations: Integers = np.diff(self._samples, prepend=0, append=FOR_EVER)
        return durations

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {"type": "ChangeSamples", "samples": list(self._samples), **self.ordering()}
