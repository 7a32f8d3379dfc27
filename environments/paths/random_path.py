"""The base of random paths: stationary processes, followed step by step."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from environments.checks import Floats
from environments.paths.base import Path
from environments.paths.geometry import distance
from environments.samples.streams import stream


class RandomPath(Path):
    """A stationary Markov process of covariances, followed by a state that is drawn step by step.

    States are arrays of standard normal entries, each an Ornstein-Uhlenbeck process with time
    constant 1 in u; steps follow its exact law, whatever the length of a step.
    """

    unit = "a time constant"

    @property
    def stepwise(self) -> bool:
        """Whether the covariance is held for some samples at a time."""
        return True

    @property
    @abstractmethod
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""

    @abstractmethod
    def factor(self, state: Floats) -> Floats:
        """Return F with C = F F' for states ``(..., *state_shape)``."""

    def start(self, rng: np.random.Generator) -> Floats:
        """Return a state of the stationary law."""
        return rng.standard_normal(self.state_shape)

    def advance(self, state: Floats, units: float, rng: np.random.Generator) -> Floats:
        """Return the state a number of units later."""
        kept, fresh = np.exp(-units), np.sqrt(-np.expm1(-2 * units))
        return np.asarray(kept * state + fresh * rng.standard_normal(self.state_shape))

    def displacement(self, units: float, metric: str) -> float:
        """Return the root mean square distance between covariances a number of units apart.

        Estimated from pairs drawn at a fixed seed. Its relative standard error is that of
        :meth:`displacement_error`.
        """
        return float(np.sqrt((self._distances(units, metric) ** 2).mean()))

    def displacement_error(self, units: float, metric: str) -> float:
        """Return the relative standard error of :meth:`displacement`, by the scatter of pairs.

        Below 0.02 in the dimensionless metrics. Euclidean distances of widely spread covariances
        have heavy tails: 0.05 to 0.1 for a :class:`LogOrnsteinUhlenbeck` of spread 1.
        """
        squares = self._distances(units, metric) ** 2
        return float(squares.std(ddof=1) / np.sqrt(len(squares)) / squares.mean() / 2)

    def _distances(self, units: float, metric: str) -> Floats:
        """Return distances between the covariances of pairs drawn at a fixed seed."""
        rng = stream(np.random.SeedSequence(0))
        # Distances vary less with many neurons, whose decompositions take longer.
        n_pairs = int(np.clip(2**16 // self.n_neurons**2, 64, 1024))
        start = rng.standard_normal((n_pairs, *self.state_shape))
        kept, fresh = np.exp(-units), np.sqrt(-np.expm1(-2 * units))
        end = kept * start + fresh * rng.standard_normal(start.shape)
        factors = [self.factor(states) for states in (start, end)]
        first, second = (factor @ np.swapaxes(factor, -1, -2) for factor in factors)
        return distance(first, second, metric)
