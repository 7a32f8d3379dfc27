"""The segments that a schedule has drawn for one replicate."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from environments.checks import Integers

Segments = Iterator[tuple[Integers, Integers]]

FOR_EVER = 2**62


class Timeline(ABC):
    """The segments of one replicate, numbered from 0 in the order in which they come."""

    def __init__(self) -> None:
        self._latest = -1, -1, 0, 0  # the segment around the samples asked for last

    @abstractmethod
    def numbers(self, samples: Integers) -> Integers:
        """Return the number of the segment that each of `samples` lies in."""

    @abstractmethod
    def known(self, numbers: Integers) -> tuple[Integers, Integers]:
        """Return contexts and first samples of segments in which samples have been found."""

    @abstractmethod
    def around(self, sample: int, last: int) -> tuple[int, int, int, int]:
        """Return the context, the one before, the first sample and the end of `sample`'s segment.

        If the segment ends after `last`, any sample from `last` on may be returned as its end.
        """

    def segment(self, samples: Integers) -> tuple[Integers, Integers, Integers]:
        """Return for each of `samples` its context, the one before, and its age.

        The context before is -1 in the first segment; age counts samples since the segment began.
        """
        samples = np.asarray(samples, np.int64)
        numbers = self.numbers(samples)
        contexts, starts = self.known(numbers)
        return contexts, self._before(numbers), samples - starts

    def _before(self, numbers: Integers) -> Integers:
        """Return the context of the segment before each; -1 for the first."""
        return np.where(numbers > 0, self.known(np.maximum(numbers - 1, 0))[0], -1)

    def pieces(self, first: int, size: int) -> Iterator[tuple[int, int, int, slice]]:
        """Yield the segments of `size` samples from `first` on.

        Each with its context, the one before (-1 in the first), its age at the piece's first
        sample, and the piece's rows.
        """
        at, last = first, first + size
        while at < last:
            context, before, start, end = self._latest
            if not (start <= at and last <= end):
                self._latest = context, before, start, end = self.around(at, last)
            stop = min(end, last)
            yield context, before, at - start, slice(at - first, stop - first)
            at = stop

    def contexts(self, samples: Integers) -> Integers:
        """Return the context of each of `samples`."""
        return self.known(self.numbers(np.asarray(samples, np.int64)))[0]

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes.

        Raises
        ------
        ValueError
            If a given change lies beyond the run.
        """
        last = int(self.numbers(np.array([n_samples - 1]))[0])
        return self.known(np.arange(1, last + 1))[1]


class PeriodicTimeline(Timeline):
    """Segments of one length that cycle through the contexts without end: nothing is stored.

    Parameters
    ----------
    length : int
        Samples per segment.
    n_contexts : int
    """

    def __init__(self, length: int, n_contexts: int) -> None:
        super().__init__()
        self._length = length if n_contexts > 1 else FOR_EVER  # a single context never changes
        self._n_contexts = n_contexts

    def numbers(self, samples: Integers) -> Integers:
        """Return the number of the segment that each of `samples` lies in."""
        return samples // self._length

    def known(self, numbers: Integers) -> tuple[Integers, Integers]:
        """Return contexts and first samples of segments."""
        return numbers % self._n_contexts, numbers * self._length

    def around(self, sample: int, last: int) -> tuple[int, int, int, int]:
        """Return the context, the one before, the first sample and the end of a segment."""
        number = sample // self._length
        start, before = number * self._length, (number - 1) % self._n_contexts if number else -1
        return number % self._n_contexts, before, start, start + self._length


class DrawnTimeline(Timeline):
    """Segments that are drawn when they are first needed, and stored.

    Parameters
    ----------
    segments : iterator of (durations, contexts)
        Successive segments of one context count as one; the last stays in force.
    last_change : int
        A run must be longer than this.
    """

    def __init__(self, segments: Segments, last_change: int = 0) -> None:
        super().__init__()
        self._segments = segments
        self._last_change = last_change
        self._starts = np.empty(0, np.int64)
        self._contexts = np.empty(0, np.int64)
        self._end = 0

    def numbers(self, samples: Integers) -> Integers:
        """Return the number of the segment that each of `samples` lies in."""
        if samples.size:
            self._reach(int(samples.max()))
        return np.asarray(np.searchsorted(self._starts, samples, side="right") - 1)

    def known(self, numbers: Integers) -> tuple[Integers, Integers]:
        """Return contexts and first samples of segments."""
        return self._contexts[numbers], self._starts[numbers]

    def around(self, sample: int, last: int) -> tuple[int, int, int, int]:
        """Return the context, the one before, the first sample and the end of a segment."""
        self._reach(last)
        number = int(self._starts.searchsorted(sample, side="right")) - 1
        before = int(self._contexts[number - 1]) if number else -1
        final = number + 1 == len(self._starts)
        end = self._end if final else int(self._starts[number + 1])
        return int(self._contexts[number]), before, int(self._starts[number]), end

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes."""
        refuse_before(self._last_change, n_samples)
        return super().change_samples(n_samples)

    def _reach(self, sample: int) -> None:
        """Draw segments until one that begins after `sample`, so that all up to it are known."""
        if self._end > sample:
            return
        sample = max(sample, self._end + self._end // 4)  # farther: each extension copies all
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
        self._starts, self._contexts = np.concatenate(starts), np.concatenate(contexts)


def refuse_before(last_change: int, n_samples: int) -> None:
    """Raise a ValueError if a run of `n_samples` ends before its last given change."""
    if n_samples <= last_change:
        raise ValueError(
            f"a change is scheduled at sample {last_change}, beyond the run of {n_samples} "
            "samples; run longer than that, or drop the change"
        )
