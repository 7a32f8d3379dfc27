"""Builders of covariance matrices."""

from environments.covariances.neighbours import (
    gaussian_neighbours,
    power_law_covariance,
    toeplitz_covariance,
)
from environments.covariances.random import (
    low_rank_plus_noise,
    random_correlation,
    wishart_covariance,
)
from environments.covariances.sparse_mixing import sparse_mixing
from environments.covariances.spectra import random_eigenbasis, spectrum_matched, with_spectrum
from environments.covariances.tuned_population import tuned_population

__all__ = [
    "gaussian_neighbours",
    "low_rank_plus_noise",
    "power_law_covariance",
    "random_correlation",
    "random_eigenbasis",
    "sparse_mixing",
    "spectrum_matched",
    "toeplitz_covariance",
    "tuned_population",
    "wishart_covariance",
    "with_spectrum",
]


def __dir__() -> list[str]:
    return __all__
