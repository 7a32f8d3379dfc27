"""Paths of covariances.

Positions are in units of the path: the whole path, a turn, a period or a time constant.

Smooth paths give each sample its own covariance in O(n^2) per sample: what varies with time is
diagonal, or a rotation of planes, between matrices that are computed once. Random paths and the
log-Euclidean geodesic are stepwise: they hold the covariance for some samples, and need one
decomposition per step.
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


def __dir__() -> list[str]:
    return __all__
