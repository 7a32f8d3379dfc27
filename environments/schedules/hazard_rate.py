"""Changes at a constant hazard."""

from __future__ import annotations

from typing import Any

import numpy as np

from environments.checks import Integers, positive
from environments.schedules.base import DrawnSchedule, Order


class HazardRate(DrawnSchedule):
    """Changes at a constant hazard: a Poisson process counted in samples.

    Each sample begins a new segment with the same probability, whatever happened before, so that
    durations are geometric with mean ``1 / rate`` (Glaze, Kable & Gold 2015, eLife 4:e08825).

    Parameters
    ----------
    rate : float
        Probability of a change at each sample, above 0 and at most 1.
    order : sequence of int or str, optional
        As for :class:`Blocks`; by default the contexts are cycled through.
    shortest : int
        Fewest samples of a segment: after a change the hazard is zero until then, so that the mean
         duration is ``shortest - 1 + 1 / rate``.

    Raises
    ------
    TypeError, ValueError
        If the rate is not above 0 and at most 1.

    Examples
    --------
    >>> timeline = HazardRate(1.0).timeline(2, np.random.default_rng(0))
    >>> timeline.change_samples(4)
    array([1, 2, 3])
    """

    def __init__(self, rate: float, order: Order = None, *, shortest: int = 1) -> None:
        super().__init__(order, shortest)
        self._rate = positive("rate", rate)
        if self._rate > 1:
            raise ValueError(
                f"rate must be at most 1, the probability of a change per sample, got {rate!r}; "
                "the mean duration in samples is its inverse"
            )

    def durations(self, rng: np.random.Generator, size: int) -> Integers:
        """Return the durations of the next `size` segments."""
        durations: Integers = self._shortest - 1 + rng.geometric(self._rate, size)
        return durations

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {
            "type": "HazardRate",
            "rate": self._rate,
            **self.ordering(),
            "shortest": self._shortest,
        }
