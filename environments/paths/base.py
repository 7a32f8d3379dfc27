"""What every path is: a covariance for each position u, in units of its own."""

import functools
import math
from abc import abstractmethod

import numpy as np

from environments.checks import Floats
from environments.configuration import Configuration
from environments.paths.geometry import distance

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

    @property
    def end(self) -> float:
        """Position from which the covariance stays as it is; infinity if it never does."""
        return math.inf

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
    def colour(self, start: float, step: float, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (sample, n) given the covariance of each.

        Sample k lies at u = start + k step.
        """

    def displacement(self, units: float, metric: str) -> float:
        """Return the mean arc length of so many units, measured over the first unit."""
        u = np.union1d(np.linspace(0, 1, _QUADRATURE + 1), self.corners)
        path = self.covariances(u)
        return units * float(distance(path[:-1], path[1:], metric).sum())


@functools.lru_cache(maxsize=16)
def waves(step: float, size: int) -> Floats:
    """Return 1, cosine and sine, (3, size), of 0, 1, ... steps, each so much of a turn.

    All pieces of a path take steps of one length, so that these are worked out once; where a piece
    begins is added as an angle.
    """
    angle = 2 * np.pi * step * np.arange(size)
    found = np.stack([np.ones(size), np.cos(angle), np.sin(angle)])
    found.setflags(write=False)
    return found
