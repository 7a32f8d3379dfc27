"""What every environment is: a configuration that is realised once for each replicate."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from environments._checks import Floats, Integers, whole_number
from environments.configuration import Configuration
from environments.description import description

CHUNK = 2048
"""Samples drawn at a time. Chunks start at multiples of it and have a seed each, so that samples
are a pure function of their index: no block size and no starting point can change them."""


class Reader(Protocol):
    """Gives successive samples, as many as it is asked for."""

    def take(self, size: int) -> Floats:
        """Return the next `size` samples, (size, neuron)."""


class ChunkReader:
    """A reader of samples that are drawn in chunks.

    Parameters
    ----------
    chunks : iterator of array
    skip : int
        Samples of the first chunk that are passed over.
    """

    def __init__(self, chunks: Iterator[Floats], skip: int) -> None:
        self._chunks = chunks
        self._skip = skip
        self._held: Floats | None = None

    def take(self, size: int) -> Floats:
        """Return the next `size` samples."""
        if self._held is None:
            self._held = next(self._chunks)[self._skip :]
        parts = [self._held[:size]]
        self._held = self._held[size:]
        missing = size - len(parts[0])
        while missing > 0:
            held = next(self._chunks)
            parts.append(held[:missing])
            self._held = held[missing:]
            missing -= len(parts[-1])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


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
        self._seed = seed

    def child(self, *key: int) -> np.random.SeedSequence:
        """Return the seed at `key`, the same one at every call.

        Keys that begin with 0 are kept for chunks of samples.
        """
        return np.random.SeedSequence(self._seed.entropy, spawn_key=(*self._seed.spawn_key, *key))

    def generator(self, *key: int) -> np.random.Generator:
        """Return a fresh generator of the seed at `key`. SFC64 is NumPy's fastest."""
        return np.random.Generator(np.random.SFC64(self.child(*key)))

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        """Yield samples `start` to `n_samples` as arrays (at most `block_size`, neuron)."""
        reader = self.reader(start)
        for first in range(start, n_samples, block_size):
            yield reader.take(min(block_size, n_samples - first))

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


class ChunkedRealization(Realization):
    """A replicate whose samples are drawn in chunks."""

    def reader(self, start: int) -> Reader:
        """Return a reader whose first sample is number `start`."""
        first = start // CHUNK
        return ChunkReader(self.chunks(first), start - first * CHUNK)

    @abstractmethod
    def chunks(self, first: int) -> Iterator[Floats]:
        """Yield whole chunks of samples, beginning with chunk number `first`."""


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
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return ("only",)

    @abstractmethod
    def realize(self, seed: np.random.SeedSequence) -> Realization:
        """Return the replicate that `seed` draws."""

    def sample(self, n_samples: int, seed: int = 0) -> Floats:
        """Return the first `n_samples` inputs (sample, neuron) of the replicate of `seed`."""
        n_samples = whole_number("n_samples", n_samples)
        realization = self.realize(np.random.SeedSequence(seed))
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
        root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        return {
            "environment": type(self).__name__,
            "n_neurons": self.n_neurons,
            "truth": self.truth,
            "shared_path": self.shared_path,
            **description(self.realize(root), self.context_names, n_samples, self.truth),
        }
