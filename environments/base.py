"""What every environment is: a configuration that is realised once for each replicate."""

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from environments._checks import Floats, Integers, seed_sequence, whole_number
from environments.configuration import Configuration
from environments.description import description
from environments.seeds import Words, generator_from, words_of_children

CHUNK = 2048
"""Samples drawn at a time. Chunks start at multiples of it and have a seed each, so that samples
are a pure function of their index: no block size and no starting point can change them."""


_SEEDS = 64  # worked out at a time


class Reader(Protocol):
    """Gives successive samples, as many as it is asked for."""

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`, (sample, neuron) in C order."""


Piece = Callable[[Floats], None]
"""Writes some samples to an array (sample, neuron): to where they are wanted, for copying a few
hundred kilobytes may cost a quarter of drawing them."""


class PieceReader:
    """A reader of samples that come in pieces of one length.

    Parameters
    ----------
    pieces : iterator of Piece
        Each is called before the next is asked for, or not at all.
    shape : (int, int)
        Of a piece.
    skip : int
        Samples that are passed over.
    """

    def __init__(self, pieces: Iterator[Piece], shape: tuple[int, int], skip: int) -> None:
        self._pieces = pieces
        self._held = np.empty(shape)
        self._given = len(self._held)
        for _ in range(skip // len(self._held)):
            next(self._pieces)
        if skip % len(self._held):
            next(self._pieces)(self._held)
            self._given = skip % len(self._held)

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        size, row = len(self._held), 0
        while row < len(inputs):
            rest = inputs[row:]
            if self._given == size and len(rest) >= size:
                next(self._pieces)(rest[:size])
                row += size
                continue
            if self._given == size:
                next(self._pieces)(self._held)
                self._given = 0
            part = self._held[self._given : self._given + len(rest)]
            rest[: len(part)] = part
            self._given += len(part)
            row += len(part)


class Realization(ABC):
    """One replicate: its path of contexts, its samples, and the truth about them.

    Parameters
    ----------
    n_neurons : int
        Number of inputs.
    seed : SeedSequence
        Everything random about this replicate comes from it.
    """

    def __init__(self, n_neurons: int, seed: np.random.SeedSequence) -> None:
        self.n_neurons = n_neurons
        self._seed = seed_sequence("seed", seed)
        self._words: dict[tuple[int, ...], tuple[int, Words]] = {}

    def child(self, *key: int) -> np.random.SeedSequence:
        """Return the seed at `key`, the same one at every call.

        Keys that begin with 0 are kept for chunks of samples.
        """
        return np.random.SeedSequence(self._seed.entropy, spawn_key=(*self._seed.spawn_key, *key))

    def generator(self, *key: int) -> np.random.Generator:
        """Return a fresh generator of the seed at `key`.

        Keys are best numbered in their last place, for neighbours are worked out together.
        """
        *family, number = key
        batch, place = divmod(number, _SEEDS)
        if number >= 2**32:  # more than a word
            return np.random.Generator(np.random.SFC64(self.child(*key)))
        known, words = self._words.get(tuple(family), (-1, np.empty(0, np.uint64)))
        if known != batch:
            first = batch * _SEEDS
            words = words_of_children(self.child(*family), first, first + _SEEDS)
            self._words[tuple(family)] = batch, words
        return generator_from(words[place])

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        """Yield samples `start` to `n_samples` as arrays (at most `block_size`, neuron)."""
        block_size = whole_number("block_size", block_size)
        reader = self.reader(start)
        for first in range(start, n_samples, block_size):
            inputs = np.empty((min(block_size, n_samples - first), self.n_neurons))
            reader.read(inputs)
            yield inputs

    @abstractmethod
    def reader(self, start: int) -> Reader:
        """Return a reader whose first sample is number `start`."""

    @abstractmethod
    def covariances(self, samples: Integers) -> Floats:
        """Return the covariance in force for each of `samples`, (len(samples), n, n)."""

    def contexts(self, samples: Integers) -> Integers:
        """Return the number of the context in force for each of `samples`."""
        return np.zeros(len(samples), dtype=np.int64)

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes.

        Raises
        ------
        ValueError
            If a run of `n_samples` is one that this environment cannot give.
        """
        return np.empty(0, dtype=np.int64)


class SequentialRealization(Realization):
    """A replicate whose samples come in chunks, which may depend on those before."""

    @property
    def piece_size(self) -> int:
        """Samples in a piece, a divisor of ``CHUNK``."""
        return CHUNK

    def reader(self, start: int) -> Reader:
        """Return a reader whose first sample is number `start`."""
        first = start // CHUNK
        shape = self.piece_size, self.n_neurons
        return PieceReader(self.pieces(first), shape, start - first * CHUNK)

    @abstractmethod
    def pieces(self, first: int) -> Iterator[Piece]:
        """Yield pieces from the beginning of chunk `first` on."""


class ChunkedRealization(SequentialRealization):
    """A replicate of which each chunk can be drawn on its own."""

    def pieces(self, first: int) -> Iterator[Piece]:
        """Yield pieces from the beginning of chunk `first` on."""
        for index in itertools.count(first):
            yield functools.partial(self._draw, index)

    def _draw(self, index: int, inputs: Floats) -> None:
        inputs[...] = self.chunk(self.generator(0, index), np.arange(CHUNK) + index * CHUNK)

    @abstractmethod
    def chunk(self, rng: np.random.Generator, samples: Integers) -> Floats:
        """Return the inputs (len(samples), neuron) at `samples`, drawn from `rng` alone."""


class Environment(Configuration):
    """Where inputs come from: an immutable configuration, realised once for each replicate."""

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """Number of inputs, and so of primary neurons."""

    @property
    def truth(self) -> str:
        """``"exact"`` if covariances are known, ``"empirical"`` if estimated, or ``"absent"``."""
        return "exact"

    @property
    def shared_path(self) -> bool:
        """Whether contexts and covariances are the same for every replicate."""
        return True

    @property
    def deterministic(self) -> bool:
        """Whether all replicates are the same, samples included, so that one is enough."""
        return False

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return ("only",)

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if a run of `n_samples` is one that this environment cannot give."""

    @abstractmethod
    def realize(self, seed: np.random.SeedSequence) -> Realization:
        """Return the replicate that `seed` draws."""

    def sample(self, n_samples: int, seed: "int | np.random.SeedSequence" = 0) -> Floats:
        """Return the first `n_samples` inputs (sample, neuron) of the replicate of `seed`."""
        n_samples = whole_number("n_samples", n_samples)
        realization = self.realize(seed_sequence("seed", seed))
        return next(realization.blocks(n_samples, n_samples))

    def describe(self, n_samples: int, seed: "int | np.random.SeedSequence" = 0) -> dict[str, Any]:
        """Return what a replicate of `n_samples` really draws, as plain JSON values.

        Parameters
        ----------
        n_samples : int
        seed : int or SeedSequence
            The replicate: for replicate r of a run, child r of the run's seed.

        Returns
        -------
        dict
            ``segments``, each with its ``start``, ``duration`` and ``context``; ``mean_duration``;
            ``time_in_context``, the share of samples by context; and, where the truth is known,
            ``distance_start_to_end`` and ``distance_covered``, affine-invariant and dimensionless,
            the latter summed over ``distance_points`` samples: every change, and 128 at equal
            spacing. A random path is rough, so that more points would give a longer one.

        Raises
        ------
        TypeError, ValueError
            If `n_samples` is not a positive whole number, or is a run this environment cannot give.
        """
        n_samples = whole_number("n_samples", n_samples)
        root = seed_sequence("seed", seed)
        return {
            "environment": type(self).__name__,
            "n_neurons": self.n_neurons,
            "truth": self.truth,
            "shared_path": self.shared_path,
            **description(self.realize(root), self.context_names, n_samples, self.truth),
        }
