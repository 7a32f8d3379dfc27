"""Covariances drawn at random."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from environments.checks import Floats, Rng, generator, positive, whole_number
from environments.covariances._parts import checked_spectrum, symmetric
from environments.covariances.spectra import random_eigenbasis, with_spectrum
from environments.threads import one_blas_thread


@one_blas_thread()
def wishart_covariance(n_neurons: int, degrees_of_freedom: int, rng: Rng) -> Floats:
    """Return the covariance of a few white samples (Wishart), whose mean is the identity.

    Parameters
    ----------
    n_neurons : int
    degrees_of_freedom : int
        Samples, at least `n_neurons`; the fewer, the more the covariance differs from the identity.
    rng : None, int, SeedSequence or Generator

    Raises
    ------
    ValueError
        If degrees of freedom are fewer than neurons: the covariance would be singular.

    Examples
    --------
    >>> wishart_covariance(3, 10, np.random.default_rng(0)).shape
    (3, 3)
    """
    n_neurons = whole_number("n_neurons", n_neurons)
    degrees = whole_number("degrees_of_freedom", degrees_of_freedom, minimum=n_neurons)
    drawn = scipy.stats.wishart.rvs(
        degrees, np.eye(n_neurons) / degrees, random_state=generator(rng)
    )
    return symmetric(np.reshape(drawn, (n_neurons, n_neurons)))


@one_blas_thread()
def random_correlation(spectrum: npt.ArrayLike, rng: Rng) -> Floats:
    """Return a random correlation matrix, all variances one, with the given eigenvalues.

    Parameters
    ----------
    spectrum : array (n,)
        Eigenvalues, positive, with the sum n.
    rng : None, int, SeedSequence or Generator

    Raises
    ------
    ValueError
        If an eigenvalue is not positive or their sum is not n.

    Examples
    --------
    >>> np.diag(random_correlation([0.5, 1.0, 1.5], np.random.default_rng(0))).round(12)
    array([1., 1., 1.])
    """
    values = checked_spectrum(spectrum)
    if abs(values.sum() - len(values)) > 1e-9 * len(values):
        raise ValueError(
            f"spectrum must have the sum {len(values)}, as of every correlation matrix, "
            f"got {values.sum():g}; multiply it by {len(values) / values.sum():.6g}"
        )
    values *= len(values) / values.sum()
    return symmetric(
        scipy.stats.random_correlation.rvs(values, random_state=generator(rng), tol=1e-10)
    )


@one_blas_thread()
def low_rank_plus_noise(n_neurons: int, rank: int, noise: float, rng: Rng) -> Floats:
    """Return the covariance of a few latent signals of variance one, plus private noise.

    Latent signals reach the neurons along orthonormal directions, drawn uniformly.

    Parameters
    ----------
    n_neurons : int
    rank : int
        Latent signals, at most `n_neurons`.
    noise : float
        Private variance, positive.
    rng : None, int, SeedSequence or Generator

    Raises
    ------
    ValueError
        If there are more signals than neurons, or the noise is not positive.

    Examples
    --------
    >>> low = low_rank_plus_noise(4, 1, 0.1, np.random.default_rng(0))
    >>> np.linalg.eigvalsh(low).round(12)
    array([0.1, 0.1, 0.1, 1.1])
    """
    n_neurons = whole_number("n_neurons", n_neurons)
    if whole_number("rank", rank) > n_neurons:
        raise ValueError(f"rank must be at most n_neurons, {n_neurons}, got {rank}")
    variances = np.full(n_neurons, positive("noise", noise))
    variances[:rank] += 1
    return with_spectrum(variances, random_eigenbasis(n_neurons, rng))
