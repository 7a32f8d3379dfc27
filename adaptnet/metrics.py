"""How far outputs are from white."""

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats

_SMALL = 16  # neurons up to which the kernel, many records at a time, is quicker than LAPACK


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
    else:
        sound = np.isfinite(flat_a).all(axis=(1, 2))
        sound[sound] = np.linalg.eigvalsh(flat_a[sound])[:, 0] > 0
        excess = output_covariance(flat_a[sound], flat_c[sound]) - np.eye(n)
        excess = (excess + np.swapaxes(excess, -1, -2)) / 2
        worst[sound] = np.abs(np.linalg.eigvalsh(excess)).max(axis=-1)
        total[sound] = np.sqrt((excess**2).sum(axis=(-1, -2)))
    return worst.reshape(shape)[()], total.reshape(shape)[()]


def affine_invariant_distance(left: npt.ArrayLike, entered: npt.ArrayLike) -> Floats:
    """Return the distance sqrt(sum_i log^2 lambda_i), lambda_i the eigenvalues of A^-1 B.

    It does not change when the inputs of both covariances are mixed by the same invertible matrix,
    nor when the covariances trade places.

    Parameters
    ----------
    left, entered : array (..., n, n)
        Covariances A and B, symmetric positive definite; leading dimensions broadcast.

    Returns
    -------
    array (...)

    References
    ----------
    .. [1] X. Pennec, P. Fillard, N. Ayache, "A Riemannian framework for tensor computing",
       International Journal of Computer Vision 66, 2006.

    Examples
    --------
    >>> round(float(affine_invariant_distance(np.eye(2), np.diag([np.e, 1.0]))), 12)
    1.0
    """
    a, b = np.broadcast_arrays(np.asarray(left, float), np.asarray(entered, float))
    factor = np.linalg.cholesky(a)
    half = np.linalg.solve(factor, b)
    relative = np.linalg.solve(factor, np.swapaxes(half, -1, -2))
    relative = (relative + np.swapaxes(relative, -1, -2)) / 2
    distance: Floats = np.sqrt((np.log(np.linalg.eigvalsh(relative)) ** 2).sum(axis=-1))
    return distance
