"""Paths of covariances, in units of their own: a whole way, a turn, a period, a time constant.

Smooth paths give every sample a covariance of its own in O(n^2) a sample: what varies with time is
diagonal, or a rotation of planes, between matrices that are worked out once. Random paths and the
log-Euclidean geodesic are stepwise: they hold the covariance for some samples, and need a
decomposition a step.
"""

from environments.paths.base import Path, SmoothPath
from environments.paths.geodesic import Geodesic
from environments.paths.log_ornstein_uhlenbeck import LogOrnsteinUhlenbeck
from environments.paths.random_path import RandomPath
from environments.paths.rotation import Rotation
from environments.paths.sinusoidal_spectrum import SinusoidalSpectrum
from environments.paths.wishart_process import WishartProcess

__all__ = [
    "Geodesic",
    "LogOrnsteinUhlenbeck",
    "Path",
    "RandomPath",
    "Rotation",
    "SinusoidalSpectrum",
    "SmoothPath",
    "WishartProcess",
]
