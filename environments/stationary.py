"""One covariance for ever."""

from typing import Any

import numpy as np
import numpy.typing as npt

from environments._checks import Floats, Integers, cholesky, covariance_matrix
from environments.base import Environment, Realization


class StationaryEnvironment(Environment):
    """Independent Gaussian inputs whose covariance never changes.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        Symmetric and positive definite.

    Raises
    ------
    TypeError, ValueError
        If `covariance` is not a covariance matrix of full rank.

    Examples
    --------
    >>> environment = StationaryEnvironment([[2.0, 0.5], [0.5, 1.0]])
    >>> environment.sample(3).shape
    (3, 2)
    """

    def __init__(self, covariance: npt.ArrayLike) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._factor = cholesky(self._covariance)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    def realize(self, seed: np.random.SeedSequence) -> "_StationaryRealization":
        """Return the replicate that `seed` draws."""
        return _StationaryRealization(self._covariance, self._factor, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {"type": type(self).__name__, "covariance": self._covariance.tolist()}


class _StationaryRealization(Realization):
    def __init__(self, covariance: Floats, factor: Floats, seed: np.random.SeedSequence) -> None:
        super().__init__(len(covariance), seed)
        self._covariance = covariance
        self._factor = factor

    def chunk(self, rng: np.random.Generator, samples: Integers) -> Floats:
        white = rng.standard_normal((len(samples), self.n_neurons))
        return white @ self._factor.T

    def covariances(self, samples: Integers) -> Floats:
        return np.repeat(self._covariance[None], len(samples), axis=0)
