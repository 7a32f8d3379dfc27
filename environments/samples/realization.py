"""One replicate of an environment: its samples, its path of contexts, and the truth about both."""

from __future__ import annotations

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from environments.checks import Floats, Integers, seed_sequence, whole_number
from environments.samples.readers import CHUNK, Piece, PieceReader, Reader, piece_size
from environments.samples.streams import CHUNKS, child, stream


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

    def child(self, *key: int) -> np.random.SeedSequence:
        """Return the seed at `key`, the same one at every call.

        Keys that begin with 0 are kept for chunks of samples.
        """
        return child(self._seed, *key)

    def generator(self, *key: int) -> np.random.Generator:
        """Return a fresh generator of the seed at `key`."""
        return stream(self.child(*key))

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

        A change that takes time is given by its beginning; :meth:`change_ends` gives its end.

        Raises
        ------
        ValueError
            If this environment cannot give a run of `n_samples`.
        """
        return np.empty(0, dtype=np.int64)

    def change_ends(self, n_samples: int) -> Integers:
        """Return, for each of `change_samples`, the first sample at which it is complete.

        From there on the covariance stays at what the change led to. This is the change's own
        sample if the change is abrupt, and the next change's if that comes before the end. A
        transition that the end of a run cuts off has its end beyond the run, at `n_samples` or
        later; so has a drift in the last segment that never stops.
        """
        return self.change_samples(n_samples)

    def product_variances(self, sample: int, rates: Floats | None = None) -> Floats | None:
        """Return the variances of products of whitened inputs, which set the noise of circuits.

        With y the inputs whitened by the covariance C in force at `sample` and turned into its
        eigenbasis (``np.linalg.eigh(C)``, eigenvalues increasing), and p = y_i y_j, the sum over
        all lags k of ``(1 - rates_ij)**abs(k) Cov(p(t), p(t + k))``: ``1 + (i == j)`` for
        independent Gaussian samples, more for heavy tails or memory.

        Parameters
        ----------
        sample : int
        rates : array (n, n), optional
            Per sample, at which a learning circuit forgets; by default 0, it forgets nothing.

        Returns
        -------
        array (n, n) or None
            None if they are unknown.
        """
        values, vectors = np.linalg.eigh(self.covariances(np.array([sample]))[0])
        if rates is None:
            rates = np.zeros((self.n_neurons, self.n_neurons))
        excess = self.excess_variances(sample, (vectors / np.sqrt(values)).T, rates)
        return None if excess is None else 1 + np.eye(self.n_neurons) + excess

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        """Return by how much :meth:`product_variances` exceed those of Gaussian inputs.

        For y = whitening @ x, whatever the matrix: observation noise, for one, adds nothing, so
        that the excess is that of the clean inputs. None, the default, if it is unknown.
        """
        return None

    def settled(self) -> int | None:
        """Return the first sample from which the first context's covariance stays as it is.

        0 unless the covariance drifts from the beginning on; None if it never stays.
        """
        return 0


class SequentialRealization(Realization):
    """A replicate whose samples are drawn in chunks, which may depend on those before."""

    def reader(self, start: int) -> Reader:
        """Return a reader whose first sample is number `start`."""
        first, skip = divmod(start, CHUNK)
        return PieceReader(self.pieces(first), (piece_size(self.n_neurons), self.n_neurons), skip)

    @abstractmethod
    def pieces(self, first: int) -> Iterator[Piece]:
        """Yield pieces of ``piece_size(n_neurons)`` samples from the beginning of chunk `first`."""


class ChunkedRealization(SequentialRealization):
    """A replicate of which each chunk can be drawn on its own."""

    def pieces(self, first: int) -> Iterator[Piece]:
        """Yield pieces from the beginning of chunk `first` on."""
        size = piece_size(self.n_neurons)
        for index in itertools.count(first):
            rng = self.generator(CHUNKS, index)
            for start in range(index * CHUNK, (index + 1) * CHUNK, size):
                yield functools.partial(self._draw, rng, np.arange(start, start + size))

    def _draw(self, rng: np.random.Generator, samples: Integers, inputs: Floats) -> None:
        inputs[...] = self.chunk(rng, samples)

    @abstractmethod
    def chunk(self, rng: np.random.Generator, samples: Integers) -> Floats:
        """Return the inputs (len(samples), neuron) at `samples`, drawn from `rng` alone.

        Called for successive parts of a chunk with one generator, always the same parts.
        """
