"""Observation noise on top of another environment."""

from __future__ import annotations

from typing import Any

import numpy as np

from environments.base import Environment
from environments.checks import Floats, Integers, positive
from environments.samples import ChunkedRealization, Reader, Realization, piece_size
from environments.samples.streams import PART


class NoisyEnvironment(Environment):
    """Another environment's inputs, observed with independent Gaussian noise.

    Parameters
    ----------
    environment : Environment
    variance : float
        Of the noise at each input, positive; added to the diagonal of the covariance.

    Raises
    ------
    TypeError, ValueError
        If `environment` is not an environment, or the variance is not positive.

    Examples
    --------
    >>> from environments import StationaryEnvironment
    >>> noisy = NoisyEnvironment(StationaryEnvironment(np.eye(2)), 0.5)
    >>> noisy.realize(np.random.SeedSequence(0)).covariances(np.array([0]))
    array([[[1.5, 0. ],
            [0. , 1.5]]])
    """

    def __init__(self, environment: Environment, variance: float) -> None:
        if not isinstance(environment, Environment):
            raise TypeError(f"environment must be an environment, got {environment!r}")
        self._environment = environment
        self._variance = positive("variance", variance)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return self._environment.n_neurons

    @property
    def truth(self) -> str:
        """The truth of the environment without noise."""
        return self._environment.truth

    @property
    def centred(self) -> bool:
        """Whether the inputs without noise have mean zero."""
        return self._environment.centred

    @property
    def shared_path(self) -> bool:
        """Whether contexts and covariances are the same for every replicate."""
        return self._environment.shared_path

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return self._environment.context_names

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if the environment cannot give a run of `n_samples`."""
        self._environment.check_length(n_samples)

    def realize(self, seed: np.random.SeedSequence) -> _NoisyRealization:
        """Return the replicate that `seed` draws."""
        return _NoisyRealization(self._environment, self._variance, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            "type": type(self).__name__,
            "environment": self._environment.parameters(),
            "variance": self._variance,
        }


class _NoisyRealization(Realization):
    def __init__(
        self, environment: Environment, variance: float, seed: np.random.SeedSequence
    ) -> None:
        super().__init__(environment.n_neurons, seed)
        self._clean = environment.realize(self.child(PART, 0))
        self._noise = _WhiteNoise(self.n_neurons, variance, seed)
        self._added = variance * np.eye(self.n_neurons)

    def contexts(self, samples: Integers) -> Integers:
        return self._clean.contexts(samples)

    def change_samples(self, n_samples: int) -> Integers:
        return self._clean.change_samples(n_samples)

    def change_ends(self, n_samples: int) -> Integers:
        return self._clean.change_ends(n_samples)

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        return self._clean.excess_variances(sample, whitening, rates)

    def settled(self) -> int | None:
        return self._clean.settled()

    def covariances(self, samples: Integers) -> Floats:
        return self._clean.covariances(samples) + self._added

    def reader(self, start: int) -> _NoisyReader:
        return _NoisyReader(self._clean.reader(start), self._noise.reader(start))


class _WhiteNoise(ChunkedRealization):
    def __init__(self, n_neurons: int, variance: float, seed: np.random.SeedSequence) -> None:
        super().__init__(n_neurons, seed)
        self._variance = variance

    def chunk(self, rng: np.random.Generator, samples: Integers) -> Floats:
        noise = rng.standard_normal((len(samples), self.n_neurons))
        noise *= np.sqrt(self._variance)
        return noise

    def covariances(self, samples: Integers) -> Floats:
        return np.repeat(self._variance * np.eye(self.n_neurons)[None], len(samples), axis=0)


class _NoisyReader:
    """Adds what one reader gives to what another gives."""

    def __init__(self, clean: Reader, noise: Reader) -> None:
        self._clean = clean
        self._noise = noise

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        size = piece_size(inputs.shape[1])  # a part at a time, so that the noise stays in the cache
        added = np.empty((min(size, len(inputs)), inputs.shape[1]))
        for first in range(0, len(inputs), size):
            observed = inputs[first : first + size]
            self._noise.read(added[: len(observed)])
            self._clean.read(observed)
            observed += added[: len(observed)]
