"""Contexts that follow a Markov chain."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import probabilities, real_array, whole_number
from environments.schedules.base import BATCH, Schedule
from environments.schedules.timeline import Segments


class MarkovChain(Schedule):
    """Contexts that follow a Markov chain, one step per sample.

    A stay in context i is geometric with mean ``1 / (1 - p_ii)``; it ends in context j with
    probability ``p_ij / (1 - p_ii)``.

    Parameters
    ----------
    transition_matrix : array (context, context)
        Row i holds the probabilities of the next sample's context when context i is in force.
    initial : int or sequence of float
        Context of sample 0, or the probability of each.

    Raises
    ------
    TypeError, ValueError
        If the matrix is not square or a row does not sum to one.

    Examples
    --------
    >>> chain = MarkovChain([[0.99, 0.01], [0.02, 0.98]])
    >>> chain.timeline(2, np.random.default_rng(0)).contexts(np.arange(3))
    array([0, 0, 0])
    """

    def __init__(
        self, transition_matrix: npt.ArrayLike, initial: int | Sequence[float] = 0
    ) -> None:
        matrix = real_array("transition_matrix", transition_matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
            raise ValueError(
                f"transition_matrix must be square, context by context, got shape {matrix.shape}"
            )
        n = len(matrix)
        self._matrix = np.stack(
            [probabilities(f"transition_matrix[{i}]", row, n) for i, row in enumerate(matrix)]
        )
        self._matrix.setflags(write=False)
        self._initial: int | list[float]
        if np.ndim(initial):
            self._initial = probabilities("initial", initial, n).tolist()
        else:
            self._initial = whole_number("initial", initial, minimum=0)
            if self._initial >= n:
                raise ValueError(f"initial must be one of the contexts 0 to {n - 1}, got {initial}")

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return True

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return 1

    def check(self, n_contexts: int) -> None:
        """Raise a ValueError if the schedule does not fit this number of contexts."""
        if len(self._matrix) != n_contexts:
            raise ValueError(
                f"transition_matrix must be {n_contexts} x {n_contexts}, one row per context, "
                f"got shape {self._matrix.shape}"
            )

    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield batches of durations and contexts; one in an absorbing context is the last."""
        if isinstance(self._initial, int):
            context = self._initial
        else:
            context = int(rng.choice(n_contexts, p=self._initial))
        jumps = self._matrix * (1 - np.eye(n_contexts))
        leave = jumps.sum(axis=1)
        reached = np.cumsum(jumps, axis=1).tolist()
        possible = [int(np.flatnonzero(row)[-1]) if row.any() else -1 for row in jumps]
        while True:
            contexts = [context]
            for chance in rng.random(BATCH):
                if leave[context] == 0:
                    yield rng.geometric(np.maximum(leave[contexts], 1e-300)), np.array(contexts)
                    return
                row = reached[context]
                # Rounding may leave the sum of a row below the chance times itself.
                context = min(bisect.bisect_right(row, chance * row[-1]), possible[context])
                contexts.append(context)
            contexts.pop()
            yield rng.geometric(leave[contexts]), np.array(contexts)

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {
            "type": "MarkovChain",
            "transition_matrix": self._matrix.tolist(),
            "initial": self._initial if isinstance(self._initial, int) else list(self._initial),
        }
