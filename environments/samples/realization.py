"""One replicate of an environment: its samples, its path of contexts, and the truth about both."""

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from environments._checks import Floats, Integers, seed_sequence, whole_number
from environments.samples.readers import CHUNK, Piece, PieceReader, Reader
from environments.seeds import Words, generator_from, words_of_children

_SEEDS = 64  # worked out at a time


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
