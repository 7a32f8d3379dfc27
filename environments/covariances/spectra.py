"""Given spectra, in given or random eigenbases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, Rng, covariance_matrix, generator, real_array, whole_number
from environments.covariances._parts import checked_spectrum, symmetric
from environments.threads import one_blas_thread


@one_blas_thread()
def random_eigenbasis(n_neurons: int, rng: Rng) -> Floats:
    """Return an orthogonal matrix drawn from the uniform (Haar) distribution [1]_.

    The distribution of scipy.stats.ortho_group, whose import takes half of the time in which a
    command of the command line starts.

    Parameters
    ----------
    n_neurons : int
    rng : None, int, SeedSequence or Generator

    Returns
    -------
    array (neuron, eigenvector)

    References
    ----------
    .. [1] F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices
       of the AMS 54, 592 (2007).

    Examples
    --------
    >>> basis = random_eigenbasis(3, np.random.default_rng(0))
    >>> bool(np.allclose(basis @ basis.T, np.eye(3)))
    True
    """
    n_neurons = whole_number("n_neurons", n_neurons)
    rng = generator(rng)
    if n_neurons == 1:
        return np.ones((1, 1))
    basis, triangle = np.linalg.qr(rng.standard_normal((n_neurons, n_neurons)))
    uniform: Floats = basis * np.sign(np.diag(triangle))  # QR alone favours some signs
    return uniform


@one_blas_thread()
def with_spectrum(spectrum: npt.ArrayLike, eigenbasis: npt.ArrayLike) -> Floats:
    """Return the covariance with the given eigenvalues and eigenvectors.

    Parameters
    ----------
    spectrum : array (n,)
        Variances along the eigenvectors, positive.
    eigenbasis : array (n, n)
        Eigenvectors, one per column.

    Raises
    ------
    ValueError
        If a variance is not positive or the eigenvectors are not orthonormal.

    Examples
    --------
    >>> with_spectrum([1.0, 4.0], np.eye(2))
    array([[1., 0.],
           [0., 4.]])
    """
    values, basis = checked_spectrum(spectrum), real_array("eigenbasis", eigenbasis)
    if basis.shape != (len(values), len(values)):
        raise ValueError(
            f"eigenbasis must be {len(values)} x {len(values)}, one column per variance, "
            f"got shape {basis.shape}"
        )
    if not np.abs(basis.T @ basis - np.eye(len(values))).max() <= 1e-10:
        raise ValueError("eigenbasis must have orthonormal columns; orthogonalise it first")
    return symmetric((basis * values) @ basis.T)


@one_blas_thread()
def spectrum_matched(covariance: npt.ArrayLike, rng: Rng) -> Floats:
    """Return a covariance with the spectrum of another, in an eigenbasis drawn uniformly.

    The control for a change of context: variances are equal, but lie along other directions.

    Raises
    ------
    TypeError, ValueError
        If `covariance` is not a covariance matrix of full rank.

    Examples
    --------
    >>> control = spectrum_matched(np.diag([1.0, 2.0, 5.0]), np.random.default_rng(0))
    >>> np.linalg.eigvalsh(control).round(12)
    array([1., 2., 5.])
    """
    matrix = covariance_matrix("covariance", covariance)
    return with_spectrum(np.linalg.eigvalsh(matrix), random_eigenbasis(len(matrix), rng))
