"""What a schedule has drawn for one replicate: its segments, one after another."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from environments._checks import Floats, Integers
from environments.base import SequentialRealization

Segments = Iterator[tuple[Integers, Integers]]

FOR_EVER = 2**62


class Timeline:
    """The segments of one replicate, drawn as far as they have been asked for.

    Parameters
    ----------
    segments : iterator of (durations, contexts)
        Successive segments of one context count as one; the last stays in force for ever.
    last_change : int
        Sample that a run must reach.
    """

    def __init__(self, segments: Segments, last_change: int = 0) -> None:
        self._segments = segments
        self._last_change = last_change
        self._starts = np.empty(0, np.int64)
        self._contexts = np.empty(0, np.int64)
        self._end = 0

    def _reach(self, sample: int) -> None:
        """Draw segments until one that begins after `sample`, so that all up to it are known."""
        starts, contexts = [self._starts], [self._contexts]
        last = int(self._contexts[-1]) if self._contexts.size else -1
        while self._end <= sample:
            batch = next(self._segments, None)
            if batch is None:
                self._end = FOR_EVER
                break
            ends = self._end + np.cumsum(np.minimum(batch[0], FOR_EVER // len(batch[0])))
            new = np.diff(batch[1], prepend=last) != 0
            starts.append(np.concatenate([[self._end], ends[:-1]])[new])
            contexts.append(batch[1][new])
            self._end, last = min(int(ends[-1]), FOR_EVER), int(batch[1][-1])
        if len(starts) > 1:
            self._starts, self._contexts = np.concatenate(starts), np.concatenate(contexts)

    def segment(self, samples: Integers) -> tuple[Integers, Integers, Integers]:
        """Return for each of `samples` its context, the one before, and its age.

        The context before is -1 in the first segment; age counts samples since the segment began.
        """
        samples = np.asarray(samples, np.int64)
        if samples.size:
            self._reach(int(samples.max()))
        which = np.searchsorted(self._starts, samples, side="right") - 1
        before = np.where(which > 0, self._contexts[which - 1], -1)
        return self._contexts[which], before, samples - self._starts[which]

    def pieces(self, first: int, size: int) -> Iterator[tuple[int, int, int, slice]]:
        """Yield the segments of `size` samples from `first` on.

        Each with its context, the one before (-1 in the first), its age at the piece's first
        sample, and the piece's rows.
        """
        self._reach(first + size)
        which = int(np.searchsorted(self._starts, first, side="right")) - 1
        row = 0
        while row < size:
            began = int(self._starts[which])
            final = which + 1 == len(self._starts)
            stop = size if final else min(size, int(self._starts[which + 1]) - first)
            before = int(self._contexts[which - 1]) if which else -1
            yield int(self._contexts[which]), before, first + row - began, slice(row, stop)
            row, which = stop, which + 1

    def contexts(self, samples: Integers) -> Integers:
        """Return the context of each of `samples`."""
        return self.segment(samples)[0]

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes.

        Raises
        ------
        ValueError
            If a given change lies beyond the run.
        """
        refuse_before(self._last_change, n_samples)
        self._reach(n_samples)
        inside = (self._starts > 0) & (self._starts < n_samples)
        return self._starts[inside]


def refuse_before(last_change: int, n_samples: int) -> None:
    """Raise a ValueError if a run of `n_samples` ends before its last given change."""
    if n_samples <= last_change:
        raise ValueError(
            f"a change is scheduled at sample {last_change}, beyond the run of {n_samples} "
            "samples; run longer than that, or drop the change"
        )


class ScheduledRealization(SequentialRealization):
    """A replicate in which one of a few covariances is in force, as a schedule has it.

    Parameters
    ----------
    covariances : array (context, neuron, neuron)
    timeline : Timeline
    seed : SeedSequence
    """

    def __init__(
        self, covariances: Floats, timeline: Timeline, seed: np.random.SeedSequence
    ) -> None:
        super().__init__(covariances.shape[-1], seed)
        self._covariances = covariances
        self._timeline = timeline

    def covariances(self, samples: Integers) -> Floats:
        """Return the covariance in force for each of `samples`, (len(samples), n, n)."""
        chosen: Floats = self._covariances[self.contexts(samples)]
        return chosen

    def contexts(self, samples: Integers) -> Integers:
        """Return the number of the context in force for each of `samples`."""
        return self._timeline.contexts(samples)

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes."""
        return self._timeline.change_samples(n_samples)


def runs(values: npt.NDArray[Any]) -> Iterator[tuple[Any, slice]]:
    """Yield each stretch of one value as the value and its rows.

    Examples
    --------
    >>> list(runs(np.array([4, 4, 7])))
    [(4, slice(0, 2, None)), (7, slice(2, 3, None))]
    """
    inner = (np.flatnonzero(np.diff(values)) + 1).tolist()
    edges = [0, *inner, len(values)] if len(values) else []
    for first, last in itertools.pairwise(edges):
        yield values[first].item(), slice(first, last)
