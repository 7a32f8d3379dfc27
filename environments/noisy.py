"""Observation noise on top of another environment."""

from typing import Any

import numpy as np

from environments._checks import Floats, Integers, positive
from environments.base import Environment
from environments.samples.readers import CHUNK, Reader
from environments.samples.realization import Realization
from environments.samples.sources import PART, piece_size


class NoisyEnvironment(Environment):
    """Another environment's inputs, observed with independent Gaussian noise.

    Parameters
    ----------
    environment : Environment
    variance : float
        Of the noise at each input, positive; the covariance gains so much on its diagonal.

    Raises
    ------
    TypeError, ValueError
        If `environment` is none or the variance is not positive.

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
        """As the environment has it."""
        return self._environment.truth

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

    def realize(self, seed: np.random.SeedSequence) -> "_NoisyRealization":
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
        self._variance = variance
        self.deviation = np.sqrt(variance)

    def contexts(self, samples: Integers) -> Integers:
        return self._clean.contexts(samples)

    def change_samples(self, n_samples: int) -> Integers:
        return self._clean.change_samples(n_samples)

    def covariances(self, samples: Integers) -> Floats:
        return self._clean.covariances(samples) + self._variance * np.eye(self.n_neurons)

    def reader(self, start: int) -> "_NoisyReader":
        return _NoisyReader(self._clean.reader(start), self, start)


class _NoisyReader:
    """Adds noise, of which each chunk is drawn row by row however many rows are asked for."""

    def __init__(self, clean: Reader, of: _NoisyRealization, start: int) -> None:
        self._clean = clean
        self._of = of
        self._at = start
        self._noise = np.empty((piece_size(of.n_neurons), of.n_neurons))
        self._rng = of.generator(0, start // CHUNK)
        self._rng.standard_normal((start % CHUNK, of.n_neurons))  # passed over

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        row = 0
        while row < len(inputs):
            into = self._at % CHUNK
            if into == 0:
                self._rng = self._of.generator(0, self._at // CHUNK)
            noise = self._noise[: min(len(inputs) - row, CHUNK - into)]
            self._rng.standard_normal(out=noise)
            noise *= self._of.deviation
            observed = inputs[row : row + len(noise)]
            self._clean.read(observed)
            observed += noise
            row += len(noise)
            self._at += len(noise)
