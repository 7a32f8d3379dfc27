"""What every environment is: a configuration that is realised once for each replicate."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from environments._checks import Floats, Integers, whole_number

CHUNK = 1024
"""Samples drawn at a time. Chunks start at multiples of it and have a seed each, so that samples
are a pure function of their index: no block size and no starting point can change them."""


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

    def generator(self, *key: int) -> np.random.Generator:
        """Return the generator at `key`, the same one at every call.

        Keys that begin with 0 are kept for chunks of samples. SFC64 is NumPy's fastest.
        """
        seed = np.random.SeedSequence(self._seed.entropy, spawn_key=(*self._seed.spawn_key, *key))
        return np.random.Generator(np.random.SFC64(seed))

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        """Yield samples `start` to `n_samples` as arrays (at most `block_size`, neuron)."""
        first_chunk = start // CHUNK
        chunks = self.chunks(first_chunk)
        held = next(chunks)[start - first_chunk * CHUNK :]
        while start < n_samples:
            size = min(block_size, n_samples - start)
            parts = [held[:size]]
            held = held[size:]
            missing = size - len(parts[0])
            while missing > 0:
                held = next(chunks)
                parts.append(held[:missing])
                held = held[missing:]
                missing -= len(parts[-1])
            yield parts[0] if len(parts) == 1 else np.concatenate(parts)
            start += size

    def chunks(self, first: int) -> Iterator[Floats]:
        """Yield whole chunks of samples, beginning with chunk number `first`.

        An environment whose samples depend on earlier ones overrides this.
        """
        for index in itertools.count(first):
            yield self.chunk(self.generator(0, index), np.arange(CHUNK) + index * CHUNK)

    @abstractmethod
    def chunk(self, rng: np.random.Generator, samples: Integers) -> Floats:
        """Draw the inputs of a chunk, (len(samples), neuron), `samples` being their indices."""

    @abstractmethod
    def covariances(self, samples: Integers) -> Floats:
        """Return the covariance in force for each of `samples`, (len(samples), n, n)."""

    def contexts(self, samples: Integers) -> Integers:
        """Return the number of the context in force for each of `samples`."""
        return np.zeros(len(samples), dtype=np.int64)

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes."""
        return np.empty(0, dtype=np.int64)


class Environment(ABC):
    """Where inputs come from: an immutable configuration, realised once for each replicate."""

    truth = "exact"
    """``"exact"`` if covariances are known, ``"empirical"`` if estimated, or ``"absent"``."""

    shared_path = True
    """Whether contexts and covariances are the same for every replicate."""

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """Number of inputs, and so of primary neurons."""

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return ("only",)

    @abstractmethod
    def realize(self, seed: np.random.SeedSequence) -> Realization:
        """Return the replicate that `seed` draws."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values, with the environment's type."""

    def __repr__(self) -> str:
        shown = (
            f"{key}={_abridged(value)}" for key, value in self.parameters().items() if key != "type"
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def sample(self, n_samples: int, seed: int = 0) -> Floats:
        """Return the first `n_samples` inputs (sample, neuron) of the replicate of `seed`."""
        n_samples = whole_number("n_samples", n_samples)
        realization = self.realize(np.random.SeedSequence(seed))
        return next(realization.blocks(n_samples, n_samples))


def _abridged(value: Any) -> str:
    """Return lists of lists by their shape, everything else as it is."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return f"<array {np.shape(value)}>"
    return repr(value)
