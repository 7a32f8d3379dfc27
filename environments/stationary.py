"""One covariance throughout."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from environments.base import Environment
from environments.checks import Floats, Integers, cholesky, covariance_matrix
from environments.samples import ColouredRealization, Sources
from environments.samples.sources import checked_sources


class StationaryEnvironment(Environment):
    """Inputs whose covariance never changes.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        Symmetric and positive definite.
    sources : Sources, optional
        Marginal distribution and memory of the inputs; by default independent and Gaussian.
    name : str
        Of the only context.

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

    def __init__(
        self, covariance: npt.ArrayLike, *, sources: Sources | None = None, name: str = "only"
    ) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._factor = cholesky(self._covariance)
        self._sources = checked_sources(sources)
        self._name = str(name)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    @property
    def context_names(self) -> tuple[str, ...]:
        """The only context's name."""
        return (self._name,)

    def realize(self, seed: np.random.SeedSequence) -> _StationaryRealization:
        """Return the replicate that `seed` draws."""
        return _StationaryRealization(self._covariance, self._factor, self._sources, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            "type": type(self).__name__,
            "covariance": self._covariance.tolist(),
            "sources": self._sources.parameters(),
            "name": self._name,
        }


class _StationaryRealization(ColouredRealization):
    def __init__(
        self,
        covariance: Floats,
        factor: Floats,
        sources: Sources,
        seed: np.random.SeedSequence,
    ) -> None:
        super().__init__(len(covariance), sources, seed)
        self._covariance = covariance
        self._factor = factor

    def colour(self, start: int, white: Floats, inputs: Floats) -> None:
        np.matmul(white, self._factor.T, out=inputs)

    def covariances(self, samples: Integers) -> Floats:
        return np.repeat(self._covariance[None], len(samples), axis=0)
