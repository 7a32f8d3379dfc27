"""One environment after another."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from environments.base import Environment
from environments.checks import Floats, Integers, items, whole_number
from environments.samples import CHUNK, Piece, Reader, Realization
from environments.samples.readers import PieceReader
from environments.samples.streams import CHOICE, PART
from environments.schedules.timeline import FOR_EVER
from environments.transitions import Gradual, Incremental, Transition


class Concatenate(Environment):
    """One environment after another, at once or with a transition between them.

    Parameters
    ----------
    environments : sequence of Environment
        At least two, with the same number of inputs. Each starts at its own sample 0.
    lengths : sequence of int
        Samples of each but the last, which has no end. A run must reach the last one.
    transition : Gradual or Incremental, optional
        Between neighbours. During it both are sampled, and the earlier one continues. Gradual: each
        sample is from one of the two. Incremental: each is ``sqrt(1 - w)`` times a sample of the
        earlier one plus ``sqrt(w)`` times one of the later, so that the covariance moves from one
        to the other along the Euclidean line. This takes centred parts: products of their means
        would be added otherwise. By default the change is made from one sample to the next.

    Raises
    ------
    TypeError, ValueError
        If environments are fewer than two or differ in their inputs, lengths do not match, or the
        transition is wider than a part, follows another geodesic, or mixes parts that are not
        centred.

    Notes
    -----
    Each part has contexts of its own, under the names that the part gives them; if names would
    repeat, the number of the part is put before them. Changes are the beginnings of parts, and the
    changes inside parts.

    Examples
    --------
    A drift that ends in a switch to natural images:

    >>> from environments import DriftingEnvironment, NaturalImageEnvironment
    >>> from environments.paths import Rotation
    >>> environment = Concatenate(
    ...     [
    ...         DriftingEnvironment(Rotation(np.diag([1.0, 2.0, 3.0, 4.0])), speed=0.1),
    ...         NaturalImageEnvironment(["grass", "brick"], patch_size=2, block_length=3000),
    ...     ],
    ...     [5000],
    ... )
    >>> environment.realize(np.random.SeedSequence(0)).change_samples(10_000)
    array([5000, 8000])
    """

    def __init__(
        self,
        environments: Sequence[Environment],
        lengths: Sequence[int],
        *,
        transition: Transition | None = None,
    ) -> None:
        self._parts: tuple[Environment, ...] = tuple(items("environments", environments))
        for part in self._parts:
            if not isinstance(part, Environment):
                raise TypeError(f"environments must be environments, got {part!r}")
        if len(self._parts) < 2:
            raise ValueError(f"environments must be at least two, got {len(self._parts)}")
        sizes = [part.n_neurons for part in self._parts]
        if len(set(sizes)) > 1:
            raise ValueError(f"environments must have the same number of inputs, got {sizes}")
        self._lengths = tuple(
            whole_number("lengths", length) for length in items("lengths", lengths)
        )
        if len(self._lengths) != len(self._parts) - 1:
            raise ValueError(
                f"lengths must be {len(self._parts) - 1}, one for each environment but the last, "
                f"got {len(self._lengths)}"
            )
        if transition is not None:
            _check_transition(transition, self._lengths)
            _refuse_uncentred(transition, self._parts)
        self._transition = transition

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return self._parts[0].n_neurons

    @property
    def truth(self) -> str:
        """The truth of the part of which least is known."""
        kinds = {part.truth for part in self._parts}
        return next(kind for kind in ("absent", "empirical", "exact") if kind in kinds)

    @property
    def centred(self) -> bool:
        """Whether all parts have mean zero."""
        return all(part.centred for part in self._parts)

    @property
    def shared_path(self) -> bool:
        """Whether contexts and covariances are the same for every replicate."""
        return all(part.shared_path for part in self._parts)

    @property
    def deterministic(self) -> bool:
        """Whether all replicates are the same: recordings without a gradual transition."""
        drawn = isinstance(self._transition, Gradual)
        return not drawn and all(part.deterministic for part in self._parts)

    @property
    def context_names(self) -> tuple[str, ...]:
        """The names that the parts give their contexts."""
        names = [name for part in self._parts for name in part.context_names]
        if len(set(names)) == len(names):
            return tuple(names)
        return tuple(f"{i}.{name}" for i, p in enumerate(self._parts) for name in p.context_names)

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if it, or a part, cannot give a run of `n_samples`."""
        spans = _spans(self._lengths, self._transition, n_samples)
        last = spans[-1][0]
        if n_samples <= last:
            raise ValueError(
                f"the last environment begins at sample {last}, beyond the run of {n_samples} "
                "samples; run longer than that, or shorten `lengths`"
            )
        for i, (part, (start, end)) in enumerate(zip(self._parts, spans, strict=True)):
            try:
                part.check_length(end - start)
            except ValueError as reason:  # a part counts from its own beginning
                raise ValueError(f"environment {i}, begun at sample {start}: {reason}") from None

    def realize(self, seed: np.random.SeedSequence) -> _ConcatenatedRealization:
        """Return the replicate that `seed` draws."""
        return _ConcatenatedRealization(self, self._parts, self._lengths, self._transition, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            "type": type(self).__name__,
            "environments": [part.parameters() for part in self._parts],
            "lengths": list(self._lengths),
            "transition": None if self._transition is None else self._transition.parameters(),
        }


def _spans(
    lengths: Sequence[int], transition: Transition | None, n_samples: int
) -> list[tuple[int, int]]:
    """Return where each part is sampled: from its beginning to its end, transition included."""
    starts = [0, *itertools.accumulate(lengths)]
    width = 0 if transition is None else transition.width
    return list(zip(starts, [*(start + width for start in starts[1:]), n_samples], strict=True))


def _check_transition(transition: Transition, lengths: Sequence[int]) -> None:
    if not isinstance(transition, Transition):
        raise TypeError(f"transition must be Gradual or Incremental, got {transition!r}")
    if transition.width > min(lengths):
        raise ValueError(
            f"transition takes {transition.width} samples, but the shortest part has only "
            f"{min(lengths)}; narrow the transition or lengthen the part"
        )
    if isinstance(transition, Incremental) and transition.metric != "euclidean":
        raise ValueError(
            "transition between environments must be Euclidean because it mixes their samples, got "
            f"metric={transition.metric!r}; between two covariances SwitchingEnvironment and "
            "DriftingEnvironment follow other geodesics"
        )


def _refuse_uncentred(transition: Transition, parts: Sequence[Environment]) -> None:
    uncentred = [i for i, part in enumerate(parts) if not part.centred]
    if isinstance(transition, Incremental) and uncentred:
        raise ValueError(
            f"transition must be Gradual or None between parts that are not centred, got "
            f"{transition!r} with environment {uncentred[0]}: a sum of their samples would have "
            "products of means in its second moment; use centred=True"
        )


class _ConcatenatedRealization(Realization):
    def __init__(
        self,
        concatenation: Concatenate,
        parts: Sequence[Environment],
        lengths: Sequence[int],
        transition: Transition | None,
        seed: np.random.SeedSequence,
    ) -> None:
        super().__init__(parts[0].n_neurons, seed)
        self.parts = [part.realize(self.child(PART, i)) for i, part in enumerate(parts)]
        self._check_length = concatenation.check_length
        self._lengths = lengths
        self.starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self.transition = transition
        self.width = 0 if transition is None else transition.width
        n_contexts = [len(part.context_names) for part in parts]
        self._joinedfsets = np.cumsum([0, *n_contexts])

    def part(self, samples: Integers) -> Integers:
        """Return the number of the part in force for each of `samples`."""
        return np.asarray(np.searchsorted(self.starts, samples, side="right") - 1)

    def contexts(self, samples: Integers) -> Integers:
        samples = np.asarray(samples)
        parts = self.part(samples)
        contexts = np.empty(len(samples), np.int64)
        for i in np.unique(parts):
            here = parts == i
            local = samples[here] - self.starts[i]
            contexts[here] = self._joinedfsets[i] + self.parts[i].contexts(local)
        return contexts

    def covariances(self, samples: Integers) -> Floats:
        samples = np.asarray(samples)
        parts = self.part(samples)
        path = np.empty((len(samples), self.n_neurons, self.n_neurons))
        for i in np.unique(parts):
            here = parts == i
            age = samples[here] - self.starts[i]
            path[here] = self.parts[i].covariances(age)
            if i > 0 and self.transition is not None and (age < self.width).any():
                moving = np.flatnonzero(here)[age < self.width]
                weights = self.transition.weights(samples[moving] - self.starts[i])[:, None, None]
                before = self.parts[i - 1].covariances(samples[moving] - self.starts[i - 1])
                path[moving] = weights * path[moving] + (1 - weights) * before
        return path

    def change_samples(self, n_samples: int) -> Integers:
        self._check_length(n_samples)
        changes = [self.starts[1:]]
        for i, (start, end) in enumerate(_spans(self._lengths, self.transition, n_samples)):
            inside = self.parts[i].change_samples(end - start) + start
            changes.append(inside[self.part(inside) == i])
        return np.sort(np.concatenate(changes))

    def change_ends(self, n_samples: int) -> Integers:
        changes, ends = [self.starts[1:]], [self._part_ends(n_samples)]
        for i, (start, end) in enumerate(_spans(self._lengths, self.transition, n_samples)):
            local = self.parts[i].change_samples(end - start)
            inside = self.part(local + start) == i
            own = self.parts[i].change_ends(end - start)[inside] + start
            changes.append(local[inside] + start)
            # A change within a transition from the part before is not complete before that is.
            ends.append(np.maximum(own, start + (self.width if i else 0)))
        order = np.argsort(np.concatenate(changes))
        following = np.append(np.concatenate(changes)[order][1:], FOR_EVER)
        return np.asarray(np.minimum(np.concatenate(ends)[order], following))

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        part = int(self.part(np.array([sample]))[0])
        age = sample - int(self.starts[part])
        if not part or age >= self.width:
            return self.parts[part].excess_variances(age, whitening, rates)
        if self.transition is None or isinstance(self.transition, Gradual):
            return None  # samples of two parts: neither's moments
        weight = float(self.transition.weights(np.array([age]))[0])
        earlier = sample - int(self.starts[part - 1])
        left = self.parts[part - 1].excess_variances(
            earlier, np.sqrt(1 - weight) * whitening, rates
        )
        entered = self.parts[part].excess_variances(age, np.sqrt(weight) * whitening, rates)
        return None if left is None or entered is None else left + entered

    def _part_ends(self, n_samples: int) -> Integers:
        """Return where the change to each part but the first is complete."""
        ends = []
        for start, part in zip(self.starts[1:].tolist(), self.parts[1:], strict=True):
            settled = part.settled()
            ends.append(n_samples if settled is None else start + max(self.width, settled))
        return np.array(ends, np.int64)

    def settled(self) -> int | None:
        settled, length = self.parts[0].settled(), self._lengths[0]
        return length if settled is None else min(settled, length)

    def reader(self, start: int) -> _ConcatenatedReader:
        return _ConcatenatedReader(self, start)

    def chances(self, start: int) -> Reader:
        """Return a reader of uniform numbers, one for each sample from `start`."""

        def pieces(first: int) -> Iterator[Piece]:
            for index in itertools.count(first):
                yield functools.partial(self._draw_chances, index)

        return PieceReader(pieces(start // CHUNK), (CHUNK, 1), start % CHUNK)

    def _draw_chances(self, index: int, chances: Floats) -> None:
        self.generator(CHOICE, index).random(out=chances)


class _ConcatenatedReader:
    """Reads samples of the part in force, and of the one before while a transition lasts."""

    def __init__(self, joined: _ConcatenatedRealization, start: int) -> None:
        self._joined = joined
        self._at = start
        self._chances: Reader | None = None
        self._readers: dict[int, Reader] = {}

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        last = self._at + len(inputs)
        while self._at < last:
            part = int(self._joined.part(np.array([self._at]))[0])
            begun = int(self._joined.starts[part])
            settled = begun + (self._joined.width if part else 0)
            final = part == len(self._joined.parts) - 1
            end = last if final else int(self._joined.starts[part + 1])
            stop = min(last, settled if self._at < settled else end)
            piece, inputs = np.split(inputs, [stop - self._at])
            self._read(part, piece)
            if self._at < settled:
                before = np.empty_like(piece)
                self._read(part - 1, before)
                self._mix(before, piece, np.arange(self._at, stop) - begun)
            else:
                self._chances = None
            self._at = stop

    def _mix(self, before: Floats, after: Floats, age: Integers) -> None:
        """Write to `after` samples that lie in a transition, `age` samples after its beginning."""
        assert self._joined.transition is not None
        weights = self._joined.transition.weights(age)[:, None]
        if not isinstance(self._joined.transition, Gradual):
            after *= np.sqrt(weights)
            before *= np.sqrt(1 - weights)
            after += before
            return
        if self._chances is None:
            self._chances = self._joined.chances(self._at)
        chances = np.empty_like(weights)
        self._chances.read(chances)
        old = np.flatnonzero(chances >= weights)
        after[old] = before.take(old, axis=0)

    def _read(self, part: int, inputs: Floats) -> None:
        if part not in self._readers:
            local = self._at - int(self._joined.starts[part])
            self._readers[part] = self._joined.parts[part].reader(local)
        self._readers[part].read(inputs)
