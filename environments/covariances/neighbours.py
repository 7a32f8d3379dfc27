"""Covariances that depend on the distance between neurons in a row or on a ring."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from environments.checks import (
    Floats,
    covariance_matrix,
    non_negative,
    positive,
    real_array,
    whole_number,
)
from environments.covariances._parts import symmetric
from environments.threads import one_blas_thread


@one_blas_thread()
def toeplitz_covariance(first_row: npt.ArrayLike) -> Floats:
    """Return the covariance that depends only on the distance between neurons.

    Parameters
    ----------
    first_row : array (n,)
        Covariance at distance 0, 1, ...; for example ``0.8 ** np.arange(n)``.

    Raises
    ------
    ValueError
        If the matrix is not positive definite: not every row gives a covariance.

    Examples
    --------
    >>> toeplitz_covariance([1.0, 0.5, 0.25])
    array([[1.  , 0.5 , 0.25],
           [0.5 , 1.  , 0.5 ],
           [0.25, 0.5 , 1.  ]])
    """
    row = real_array("first_row", first_row)
    if row.ndim != 1 or not row.size:
        raise ValueError(f"first_row must be a list of covariances, got shape {row.shape}")
    return covariance_matrix("the Toeplitz matrix of first_row", scipy.linalg.toeplitz(row)).copy()


@one_blas_thread()
def power_law_covariance(n_neurons: int, exponent: float = 2.0) -> Floats:
    """Return the covariance of a ring of neurons whose power spectrum is a power law.

    Neurons see a signal at equal spacing on a ring; at k cycles around it the power is
    ``(1 + k) ** -exponent``, scaled so that each neuron has variance one. Natural images have an
    exponent near 2 (Field 1987, J. Opt. Soc. Am. A 4, 2379-2394).

    Examples
    --------
    >>> covariance = power_law_covariance(8)
    >>> bool(np.allclose(np.diag(covariance), 1.0))
    True
    """
    n_neurons = whole_number("n_neurons", n_neurons)
    cycles = np.abs(np.fft.fftfreq(n_neurons, 1 / n_neurons))
    power = (1 + cycles) ** -non_negative("exponent", exponent)
    return symmetric(scipy.linalg.circulant(np.fft.ifft(power / power.mean()).real))


@one_blas_thread()
def gaussian_neighbours(n_neurons: int, width: float, noise: float = 0.1) -> Floats:
    """Return the covariance of a row of neurons that share signal with their neighbours.

    The covariance at distance d is ``(1 - noise) exp(-d^2 / (2 width^2))``, and each neuron has
    noise of its own with variance `noise`, so that the variance is one.

    Parameters
    ----------
    n_neurons : int
    width : float
        Distance, in neurons, over which covariance falls.
    noise : float
        Private variance, above 0 and at most 1.

    Raises
    ------
    ValueError
        If width or noise is out of range.

    Examples
    --------
    >>> gaussian_neighbours(3, 1.0, noise=0.5).round(2)
    array([[1.  , 0.3 , 0.07],
           [0.3 , 1.  , 0.3 ],
           [0.07, 0.3 , 1.  ]])
    """
    place = np.arange(whole_number("n_neurons", n_neurons))
    noise = positive("noise", noise)
    if noise > 1:
        raise ValueError(f"noise must be at most 1, the whole variance, got {noise:g}")
    shared = np.exp(-(((place[:, None] - place) / positive("width", width)) ** 2) / 2)
    return np.asarray((1 - noise) * shared + noise * np.eye(len(place)))
