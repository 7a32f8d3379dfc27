"""Exponential durations within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from environments.checks import Integers, positive, whole_number
from environments.schedules.base import DrawnSchedule, Order


class TruncatedExponential(DrawnSchedule):
    """Exponential durations between a shortest and a longest, as in many experiments.

    No segment is too short to adapt in or too long for a session. In whole samples the law is the
    geometric one with ratio ``r = exp(-1 / scale)`` on shortest, ..., longest.

    The hazard is not flat: the probability that a segment ends after k samples, if it has lasted as
    long, is ``(1 - r) / (1 - r**(longest - k + 1))``. It stays near ``1 - r`` while `longest` is
    several times `scale` away, and then rises to 1, so that a late change can be foreseen. For a
    flat hazard without an upper bound use ``HazardRate(1 - exp(-1 / scale), shortest=shortest)``.

    Parameters
    ----------
    scale : float
        Samples in which the chance of lasting longer falls by e.
    shortest, longest : int
        Fewest and most samples a segment has.
    order : sequence of int or str, optional
        As for :class:`Blocks`; by default the contexts are cycled through.

    Raises
    ------
    TypeError, ValueError
        If the scale is not positive or `longest` is less than `shortest`.

    Examples
    --------
    >>> schedule = TruncatedExponential(100, shortest=50, longest=60)
    >>> changes = schedule.timeline(2, np.random.default_rng(0)).change_samples(1000)
    >>> int(np.diff(changes).min()) >= 50, int(np.diff(changes).max()) <= 60
    (True, True)
    """

    def __init__(self, scale: float, *, shortest: int, longest: int, order: Order = None) -> None:
        super().__init__(order, shortest)
        self._scale = positive("scale", scale)
        self._longest = whole_number("longest", longest)
        if self._longest < self._shortest:
            raise ValueError(
                f"longest must be at least shortest, {self._shortest}, got {self._longest}"
            )

    def durations(self, rng: np.random.Generator, size: int) -> Integers:
        """Return the durations of the next `size` segments."""
        span = self._longest - self._shortest + 1
        chance = rng.random(size) * -np.expm1(-span / self._scale)
        beyond = np.floor(-self._scale * np.log1p(-chance)).astype(np.int64)
        durations: Integers = self._shortest + beyond.clip(0, span - 1)
        return durations

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {
            "type": "TruncatedExponential",
            "scale": self._scale,
            "shortest": self._shortest,
            "longest": self._longest,
            **self.ordering(),
        }
