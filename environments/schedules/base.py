"""The base of schedules: successive segments, each with its context."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from environments.checks import Integers, items, one_of, whole_number
from environments.configuration import Configuration
from environments.schedules.timeline import DrawnTimeline, Segments, Timeline

Order = Sequence[int] | str | None

BATCH = 256
"""Segments drawn at a time, always this number: a longer run then begins like a shorter one."""


class Schedule(Configuration):
    """Successive segments of a run: how long each is, and its context."""

    @property
    @abstractmethod
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""

    @property
    @abstractmethod
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""

    @abstractmethod
    def check(self, n_contexts: int) -> None:
        """Raise a ValueError if the schedule does not fit this number of contexts."""

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if the schedule does not fit into a run of `n_samples`."""

    @abstractmethod
    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield batches of durations and contexts; after the last, its context stays in force."""

    def timeline(self, n_contexts: int, rng: np.random.Generator) -> Timeline:
        """Return the schedule of one replicate."""
        return DrawnTimeline(self.segments(n_contexts, rng))


class OrderedSchedule(Schedule):
    """A schedule that orders contexts independently of their durations."""

    def __init__(self, order: Order) -> None:
        if order is None:
            self._order: list[int] | str | None = None
        elif isinstance(order, str):
            self._order = one_of("order", order, ("independent", "other"))
        else:
            self._order = [whole_number("order", i, minimum=0) for i in items("order", order)]
            if not self._order:
                raise ValueError("order must name at least one context, got an empty sequence")

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return isinstance(self._order, str)

    def check(self, n_contexts: int) -> None:
        """Raise a ValueError if the schedule does not fit this number of contexts."""
        if isinstance(self._order, list) and max(self._order) >= n_contexts:
            raise ValueError(
                f"order must name contexts 0 to {n_contexts - 1}, got {max(self._order)}"
            )
        if self._order == "other" and n_contexts < 2:
            raise ValueError('order="other" needs at least two contexts, got one')

    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield batches of durations and contexts; after the last, its context stays in force."""
        if isinstance(self._order, list):
            yield self.durations(rng, len(self._order)), np.array(self._order, np.int64)
            return
        last = -1
        while True:
            if self._order is None:
                contexts = (last + 1 + np.arange(BATCH)) % n_contexts
            elif self._order == "independent" or last < 0:
                contexts = rng.integers(0, n_contexts, BATCH)
            if self._order == "other":
                steps = rng.integers(1, n_contexts, BATCH)
                steps[0] += last if last >= 0 else contexts[0]
                contexts = np.cumsum(steps) % n_contexts
            last = int(contexts[-1])
            yield self.durations(rng, BATCH), contexts

    def ordering(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return {"order": list(self._order) if isinstance(self._order, list) else self._order}

    @abstractmethod
    def durations(self, rng: np.random.Generator, size: int) -> Integers:
        """Return the durations of the next `size` segments."""


class DrawnSchedule(OrderedSchedule):
    """A schedule whose durations are drawn, none shorter than `shortest`."""

    def __init__(self, order: Order, shortest: int) -> None:
        super().__init__(order)
        self._shortest = whole_number("shortest", shortest)

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return True

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return self._shortest
