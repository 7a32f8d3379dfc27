"""The base of paths: a covariance for each position u, in units of the path."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod

import numpy as np

from environments.checks import Floats
from environments.configuration import Configuration
from environments.paths.geometry import distance

_QUADRATURE = 512  # pieces into which a unit of path is cut to measure it


class Path(Configuration):
    """A covariance for each u, the position along the path."""

    unit = ""
    """Meaning of one unit of u."""

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """Number of inputs."""

    @property
    def stepwise(self) -> bool:
        """Whether the covariance is held for some samples at a time."""
        return False

    @property
    def end(self) -> float:
        """Position from which the covariance stays as it is; infinity if it never does."""
        return math.inf

    @abstractmethod
    def displacement(self, units: float, metric: str) -> float:
        """Return the distance covered in a number of units, in a metric of covariances."""


class SmoothPath(Path):
    """A path that is a function of u."""

    @property
    def corners(self) -> Floats:
        """Positions of sharp turns, at which the path is cut to measure it."""
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
        """Return the mean arc length of a number of units, measured over the first unit."""
        u = np.union1d(np.linspace(0, 1, _QUADRATURE + 1), self.corners)
        path = self.covariances(u)
        return units * float(distance(path[:-1], path[1:], metric).sum())


@functools.lru_cache(maxsize=16)
def waves(step: float, size: int) -> Floats:
    """Return 1, cosine and sine, (3, size), after 0, 1, ... steps; `step` is in turns.

    All pieces of a path take steps of one length, so that these are computed once; the beginning of
    a piece is added as an angle.
    """
    angle = 2 * np.pi * step * np.arange(size)
    found = np.stack([np.ones(size), np.cos(angle), np.sin(angle)])
    found.setflags(write=False)
    return found
