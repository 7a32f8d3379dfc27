"""Segments of one length."""

from __future__ import annotations

from typing import Any

import numpy as np

from environments.checks import Integers, whole_number
from environments.schedules.base import Order, OrderedSchedule
from environments.schedules.timeline import PeriodicTimeline, Timeline


class Blocks(OrderedSchedule):
    """Segments of one length.

    Parameters
    ----------
    block_length : int
        Samples per block.
    order : sequence of int or str, optional
        Context of each block, the last then staying in force; or ``"independent"`` (each drawn
        uniformly, so that a block may repeat the context before it) or ``"other"`` (drawn uniformly
        among the other contexts). By default contexts are cycled through: A-B-A-B for two.

    Raises
    ------
    TypeError, ValueError
        If `block_length` is not a positive whole number, or `order` is empty or unknown.

    Examples
    --------
    >>> schedule = Blocks(10, [0, 1, 1, 0]).timeline(2, np.random.default_rng())
    >>> schedule.change_samples(100)
    array([10, 30])
    """

    def __init__(self, block_length: int, order: Order = None) -> None:
        self._block_length = whole_number("block_length", block_length)
        super().__init__(order)

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return self._block_length

    def timeline(self, n_contexts: int, rng: np.random.Generator) -> Timeline:
        """Return the schedule of one replicate."""
        if self._order is None:
            return PeriodicTimeline(self._block_length, n_contexts)
        return super().timeline(n_contexts, rng)

    def durations(self, rng: np.random.Generator, size: int) -> Integers:
        """Return the durations of the next `size` segments."""
        return np.full(size, self._block_length, np.int64)

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {"type": "Blocks", "block_length": self._block_length, **self.ordering()}
