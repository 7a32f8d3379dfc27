"""When contexts change, and into which."""

import bisect
import itertools
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments._checks import Integers, one_of, positive, probabilities, whole_number
from environments.configuration import Configuration
from environments.timeline import FOR_EVER, Segments, Timeline

Order = Sequence[int] | str | None

_BATCH = 256  # segments drawn at a time: from one generator, so that a longer run begins the same


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
        """Raise a ValueError if the schedule does not fit so many contexts."""

    @abstractmethod
    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield batches of durations and contexts; after the last, its context stays in force."""

    def timeline(self, n_contexts: int, rng: np.random.Generator) -> Timeline:
        """Return the schedule of one replicate."""
        return Timeline(self.segments(n_contexts, rng))


class _OrderedSchedule(Schedule):
    """A schedule in which contexts have an order of their own, whatever the durations."""

    def __init__(self, order: Order) -> None:
        if order is None:
            self._order: list[int] | str | None = None
        elif isinstance(order, str):
            self._order = one_of("order", order, ("independent", "other"))
        else:
            self._order = [whole_number("order", i, minimum=0) for i in order]
            if not self._order:
                raise ValueError("order must name at least one context, got an empty sequence")

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return isinstance(self._order, str)

    def check(self, n_contexts: int) -> None:
        """Raise a ValueError if the schedule does not fit so many contexts."""
        if isinstance(self._order, list) and max(self._order) >= n_contexts:
            raise ValueError(
                f"order must name contexts 0 to {n_contexts - 1}, got {max(self._order)}"
            )
        if self._order == "other" and n_contexts < 2:
            raise ValueError('order="other" needs at least two contexts, got one')

    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield batches of durations and contexts; after the last, its context stays in force."""
        if isinstance(self._order, list):
            yield self._durations(rng, len(self._order)), np.array(self._order, np.int64)
            return
        last = -1
        while True:
            if self._order is None:
                contexts = (last + 1 + np.arange(_BATCH)) % n_contexts
            elif self._order == "independent" or last < 0:
                contexts = rng.integers(0, n_contexts, _BATCH)
            if self._order == "other":
                steps = rng.integers(1, n_contexts, _BATCH)
                steps[0] += last if last >= 0 else contexts[0]
                contexts = np.cumsum(steps) % n_contexts
            last = int(contexts[-1])
            yield self._durations(rng, _BATCH), contexts

    def _ordering(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return {"order": list(self._order) if isinstance(self._order, list) else self._order}

    @abstractmethod
    def _durations(self, rng: np.random.Generator, size: int) -> Integers:
        """Return the durations of the next `size` segments."""


class Blocks(_OrderedSchedule):
    """Segments of one length.

    Parameters
    ----------
    block_length : int
        Samples a block.
    order : sequence of int or str, optional
        Context of each block, the last then staying in force; or ``"independent"`` (each drawn
        uniformly, so that a block may repeat the context before it) or ``"other"`` (drawn uniformly
        among the other contexts). By default 0, 1, ..., and again for ever: A-B-A-B for two.

    Raises
    ------
    TypeError, ValueError
        If `block_length` is not a positive whole number, or `order` is empty or no order.

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

    def _durations(self, rng: np.random.Generator, size: int) -> Integers:
        return np.full(size, self._block_length, np.int64)

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {"type": "Blocks", "block_length": self._block_length, **self._ordering()}


class ChangeSamples(_OrderedSchedule):
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
        self._samples = [whole_number("samples", s) for s in samples]
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

    def segments(self, n_contexts: int, rng: np.random.Generator) -> Segments:
        """Yield the only batch."""
        size = len(self._samples) + 1
        contexts = [part for _, part in itertools.islice(super().segments(n_contexts, rng), size)]
        yield self._durations(rng, size), np.concatenate(contexts)[:size]

    def timeline(self, n_contexts: int, rng: np.random.Generator) -> Timeline:
        """Return the schedule of one replicate, which minds how long a run is."""
        return Timeline(self.segments(n_contexts, rng), max(self._samples, default=0))

    def _durations(self, rng: np.random.Generator, size: int) -> Integers:
        durations: Integers = np.diff(self._samples, prepend=0, append=FOR_EVER)
        return durations

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {"type": "ChangeSamples", "samples": list(self._samples), **self._ordering()}


class HazardRate(_OrderedSchedule):
    """Changes at a constant hazard: a Poisson process counted in samples.

    Whatever happened before, each sample begins a new segment with the same probability, so that
    durations are geometric with mean ``1 / rate`` (Glaze, Kable & Gold 2015, eLife 4:e08825).

    Parameters
    ----------
    rate : float
        Probability of a change at each sample, above 0 and at most 1.
    order : sequence of int or str, optional
        As for :class:`Blocks`; by default the contexts are cycled through.
    shortest : int
        Fewest samples a segment has: after a change the hazard is zero until then, so that the
        mean duration is ``shortest - 1 + 1 / rate``.

    Raises
    ------
    TypeError, ValueError
        If the rate is no probability above zero.

    Examples
    --------
    >>> timeline = HazardRate(1.0).timeline(2, np.random.default_rng(0))
    >>> timeline.change_samples(4)
    array([1, 2, 3])
    """

    def __init__(self, rate: float, order: Order = None, *, shortest: int = 1) -> None:
        self._rate = positive("rate", rate)
        if self._rate > 1:
            raise ValueError(
                f"rate must be at most 1, a probability a sample, got {rate!r}; "
                "the mean duration in samples is its inverse"
            )
        self._shortest = whole_number("shortest", shortest)
        super().__init__(order)

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return True

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return self._shortest

    def _durations(self, rng: np.random.Generator, size: int) -> Integers:
        durations: Integers = self._shortest - 1 + rng.geometric(self._rate, size)
        return durations

    def parameters(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values."""
        return {
            "type": "HazardRate",
            "rate": self._rate,
            **self._ordering(),
            "shortest": self._shortest,
        }


class TruncatedExponential(_OrderedSchedule):
    """Exponential durations between a shortest and a longest, as in many experiments.

    Within its range the hazard is constant, so that a change can hardly be foreseen, while no
    segment is too short to adapt in or too long for a session. In whole samples the law is the
    geometric one with ratio ``exp(-1 / scale)`` on shortest, ..., longest.

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
        self._scale = positive("scale", scale)
        self._shortest = whole_number("shortest", shortest)
        self._longest = whole_number("longest", longest)
        if self._longest < self._shortest:
            raise ValueError(
                f"longest must be at least shortest, {self._shortest}, got {self._longest}"
            )
        super().__init__(order)

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return True

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return self._shortest

    def _durations(self, rng: np.random.Generator, size: int) -> Integers:
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
            **self._ordering(),
        }


class MarkovChain(Schedule):
    """Contexts that follow a Markov chain, a step each sample.

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
        matrix = np.array(transition_matrix, dtype=np.float64)
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
                raise ValueError(f"initial must be a context 0 to {n - 1}, got {initial}")

    @property
    def random(self) -> bool:
        """Whether segments are drawn, so that replicates have their own."""
        return True

    @property
    def shortest(self) -> int:
        """Fewest samples that a segment can have."""
        return 1

    def check(self, n_contexts: int) -> None:
        """Raise a ValueError if the schedule does not fit so many contexts."""
        if len(self._matrix) != n_contexts:
            raise ValueError(
                f"transition_matrix must be {n_contexts} x {n_contexts}, a row for each context, "
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
            for chance in rng.random(_BATCH):
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
