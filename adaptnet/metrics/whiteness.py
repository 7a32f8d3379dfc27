"""How far outputs are from white."""

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats

_SMALL = 64  # neurons up to which the kernel, many records at a time, is quicker than LAPACK


def output_covariance(weights: npt.ArrayLike, covariance: npt.ArrayLike) -> Floats:
    """Return the covariance of the outputs, C_yy = A^-1 C A^-1.

    Parameters
    ----------
    weights : array (..., n, n)
        Effective weights A: the symmetric matrices whose inverse maps inputs to outputs.
    covariance : array (..., n, n)
        Covariance C of the inputs; leading dimensions broadcast against those of `weights`.

    Returns
    -------
    array (..., n, n)

    Examples
    --------
    >>> output_covariance(2 * np.eye(2), np.diag([4.0, 16.0]))
    array([[1., 0.],
           [0., 4.]])
    """
    a, c = np.broadcast_arrays(np.asarray(weights, float), np.asarray(covariance, float))
    half = np.linalg.solve(a, c)
    outer: Floats = np.linalg.solve(a, np.swapaxes(half, -1, -2))
    return outer


def whitening_errors(weights: npt.ArrayLike, covariance: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return how far the outputs are from white, in two norms.

    Parameters
    ----------
    weights : array (..., n, n)
        Effective weights A, symmetric.
    covariance : array (..., n, n)
        Covariance C of the inputs; leading dimensions broadcast against those of `weights`.

    Returns
    -------
    whitening_error : array (...)
        Largest absolute eigenvalue of C_yy - I: the error of the worst direction, whether its
        variance is too large (without bound) or too small (at most 1). NaN where the weights are
        not positive definite: the fast dynamics then have no stable fixed point.
    frobenius_error : array (...)
        Frobenius norm of C_yy - I: the errors of all directions together; NaN likewise.

    Examples
    --------
    >>> worst, total = whitening_errors(np.eye(2), np.diag([0.5, 3.0]))
    >>> float(worst), round(float(total), 3)
    (2.0, 2.062)
    """
    a, c = np.broadcast_arrays(np.asarray(weights, float), np.asarray(covariance, float))
    shape, n = a.shape[:-2], a.shape[-1]
    flat_a, flat_c = (np.ascontiguousarray(m).reshape(-1, n, n) for m in (a, c))
    worst, total = np.full(len(flat_a), np.nan), np.full(len(flat_a), np.nan)
    if n <= _SMALL:
        from adaptnet.kernels import whitening

        whitening.errors(flat_a, flat_c, worst, total)
        sound = np.isfinite(total) & np.isnan(worst)  # what the kernel leaves to LAPACK
    else:
        sound = np.isfinite(flat_a).all(axis=(1, 2))
        sound[sound] = np.linalg.eigvalsh(flat_a[sound])[:, 0] > 0
    if sound.any():
        excess = output_covariance(flat_a[sound], flat_c[sound]) - np.eye(n)
        excess = (excess + np.swapaxes(excess, -1, -2)) / 2
        worst[sound] = np.abs(np.linalg.eigvalsh(excess)).max(axis=-1)
        total[sound] = np.sqrt((excess**2).sum(axis=(-1, -2)))
    return worst.reshape(shape)[()], total.reshape(shape)[()]


def square_root(covariance: Floats) -> Floats:
    """Return the symmetric square roots of positive definite matrices (..., n, n)."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return root
