"""When contexts change, and into which."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from environments._checks import Floats, Integers, whole_number
from environments.base import Realization


class Blocks:
    """Contexts in blocks of one length, cyclic or in a given order.

    Parameters
    ----------
    n_contexts : int
        Number of contexts.
    block_length : int
        Samples a block.
    order : sequence of int, optional
        Context of each block; the last then stays in force. By default 0, 1, ..., for ever again.

    Raises
    ------
    TypeError, ValueError
        If `block_length` is not a positive whole number, or `order` is empty or names no context.

    Examples
    --------
    >>> Blocks(2, 10, [0, 1, 1, 0]).change_samples(100)
    array([10, 30])
    """

    def __init__(
        self, n_contexts: int, block_length: int, order: Sequence[int] | None = None
    ) -> None:
        self._block_length = whole_number("block_length", block_length)
        self._cyclic = order is None
        names = range(n_contexts) if order is None else order
        self._order = np.array([whole_number("order", i, minimum=0) for i in names], np.int64)
        if not self._order.size:
            raise ValueError("order must name at least one context, got an empty sequence")
        if self._order.max() >= n_contexts:
            raise ValueError(
                f"order must name contexts 0 to {n_contexts - 1}, got {self._order.max()}"
            )

    def contexts(self, samples: Integers) -> Integers:
        """Return the context of each of `samples`."""
        block = np.asarray(samples) // self._block_length
        last = len(self._order) - 1
        chosen: Integers = self._order[block % (last + 1) if self._cyclic else block.clip(max=last)]
        return chosen

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes."""
        starts = np.arange(self._block_length, n_samples, self._block_length)
        changed: Integers = starts[self.contexts(starts) != self.contexts(starts - 1)]
        return changed

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {
            "block_length": self._block_length,
            "order": None if self._cyclic else self._order.tolist(),
        }


class ScheduledRealization(Realization):
    """A replicate in which one of a few covariances is in force, as a schedule has it.

    Parameters
    ----------
    covariances : array (context, neuron, neuron)
    schedule : Blocks
    seed : SeedSequence
    """

    def __init__(self, covariances: Floats, schedule: Blocks, seed: np.random.SeedSequence) -> None:
        super().__init__(covariances.shape[-1], seed)
        self._covariances = covariances
        self._schedule = schedule

    def covariances(self, samples: Integers) -> Floats:
        """Return the covariance in force for each of `samples`, (len(samples), n, n)."""
        chosen: Floats = self._covariances[self.contexts(samples)]
        return chosen

    def contexts(self, samples: Integers) -> Integers:
        """Return the number of the context in force for each of `samples`."""
        return self._schedule.contexts(samples)

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes."""
        return self._schedule.change_samples(n_samples)


def runs(contexts: Integers) -> Iterator[tuple[int, slice]]:
    """Yield each stretch of one context as the context and its rows.

    Examples
    --------
    >>> list(runs(np.array([4, 4, 7])))
    [(4, slice(0, 2, None)), (7, slice(2, 3, None))]
    """
    edges = [0, *(np.flatnonzero(np.diff(contexts)) + 1).tolist(), len(contexts)]
    for first, last in itertools.pairwise(edges):
        yield int(contexts[first]), slice(first, last)
