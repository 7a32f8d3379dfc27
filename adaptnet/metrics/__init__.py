"""How far outputs are from white, and covariances from each other."""

from adaptnet.metrics.distances import (
    affine_invariant_distance,
    bures_wasserstein_distance,
    frobenius_distance,
    jeffreys_divergence,
    kl_divergence,
    log_euclidean_distance,
    stein_distance,
)
from adaptnet.metrics.sampling import (
    EmpiricalErrors,
    RunningMoments,
    SamplingFloor,
    empirical_errors,
    moment_errors,
    running_second_moments,
    sampling_floor,
)
from adaptnet.metrics.whiteness import (
    output_covariance,
    response_errors,
    square_root,
    whitening_errors,
)

__all__ = [
    "EmpiricalErrors",
    "RunningMoments",
    "SamplingFloor",
    "affine_invariant_distance",
    "bures_wasserstein_distance",
    "empirical_errors",
    "frobenius_distance",
    "jeffreys_divergence",
    "kl_divergence",
    "log_euclidean_distance",
    "moment_errors",
    "output_covariance",
    "response_errors",
    "running_second_moments",
    "sampling_floor",
    "square_root",
    "stein_distance",
    "whitening_errors",
]


def __dir__() -> list[str]:
    return __all__
