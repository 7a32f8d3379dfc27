"""What every path is: a covariance for each position u, in units of its own."""

from abc import abstractmethod

import numpy as np

from environments._checks import Floats
from environments.configuration import Configuration
from environments.geometry import distance

_QUADRATURE = 512  # pieces that a unit of path is cut into to measure it


class Path(Configuration):
    """A covariance for each u, the position along the path."""

    unit = ""
    """What one unit of u is."""

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """Number of inputs."""

    @property
    def stepwise(self) -> bool:
        """Whether the covariance has to be held for some samples at a time."""
        return False

    @abstractmethod
    def displacement(self, units: float, metric: str) -> float:
        """Return the distance that drift covers in so many units, in a metric of covariances."""


class SmoothPath(Path):
    """A path that is a function of u."""

    @property
    def corners(self) -> Floats:
        """Positions where the path turns sharply, which chords must not cut off."""
        return np.empty(0)

    @abstractmethod
    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""

    @abstractmethod
    def colour(self, u: Floats, white: Floats) -> Floats:
        """Return white samples (len(u), n) with the covariance C(u), each with its own u."""

    def displacement(self, units: float, metric: str) -> float:
        """Return the mean arc length of so many units, measured over the first unit."""
        u = np.union1d(np.linspace(0, 1, _QUADRATURE + 1), self.corners)
        path = self.covariances(u)
        return units * float(distance(path[:-1], path[1:], metric).sum())
