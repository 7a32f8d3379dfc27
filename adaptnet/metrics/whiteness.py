"""How far outputs are from white."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats

_ROUNDING = 1e-12  # of the largest entry: far above rounding, far below any meant asymmetry
_SMALL = 64  # neurons up to which the kernel, with many records at a time, is faster than LAPACK


def output_covariance(weights: npt.ArrayLike, covariance: npt.ArrayLike) -> Floats:
    """Return the covariance of the outputs, C_yy = A^-1 C A^-1 for symmetric A.

    Parameters
    ----------
    weights : array (..., n, n)
        Effective weights A, whose inverse maps inputs to outputs; C_yy is A^-1 C A^-T if they are
        not symmetric.
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
        Effective weights A. C_yy is A^-1 C A^-T if they are not symmetric.
    covariance : array (..., n, n)
        Covariance C of the inputs; leading dimensions broadcast against those of `weights`.

    Returns
    -------
    whitening_error : array (...)
        Largest absolute eigenvalue of C_yy - I: the error of the worst direction, whether its
        variance is too large (without bound) or too small (at most 1). NaN where the weights are
        not positive definite or, if they are not symmetric, an eigenvalue has no positive real
        part: the fast dynamics then have no stable fixed point.
    frobenius_error : array (...)
        Frobenius norm of C_yy - I: the errors of all directions together; NaN likewise.

    Examples
    --------
    >>> worst, total = whitening_errors(np.eye(2), np.diag([0.5, 3.0]))
    >>> float(worst), round(float(total), 3)
    (2.0, 2.062)
    """
    a, c = np.asarray(weights, float), np.asarray(covariance, float)
    whole = np.broadcast_shapes(a.shape, c.shape)
    shape, n = whole[:-2], whole[-1]
    # Copied where they are broadcast, since kernels take no views of that kind without a warning.
    flat_a, flat_c = (
        np.ascontiguousarray(m if m.shape == whole else np.array(np.broadcast_to(m, whole)))
        for m in (a, c)
    )
    flat_a, flat_c = flat_a.reshape(-1, n, n), flat_c.reshape(-1, n, n)
    worst, total = np.full(len(flat_a), np.nan), np.full(len(flat_a), np.nan)
    if n <= _SMALL:
        kernels.whitening.errors(flat_a, flat_c, worst, total)
        positive = np.isfinite(total) & np.isnan(worst)  # what the kernel leaves to LAPACK
    else:
        positive = np.isfinite(flat_a).all(axis=(1, 2))
        positive[positive] = np.linalg.eigvalsh(flat_a[positive])[:, 0] > 0
    skew = np.zeros(len(flat_a), np.bool_)  # of which all of this has read one triangle
    kernels.whitening.mark_skew(flat_a, _ROUNDING, skew)
    if skew.any():
        worst[skew] = total[skew] = np.nan
        positive[skew] = False
        skew &= np.isfinite(flat_a).all(axis=(1, 2))
        positive[skew] = np.linalg.eigvals(flat_a[skew]).real.min(axis=-1) > 0
    if positive.any():
        excess = output_covariance(flat_a[positive], flat_c[positive]) - np.eye(n)
        excess = (excess + np.swapaxes(excess, -1, -2)) / 2
        worst[positive] = np.abs(np.linalg.eigvalsh(excess)).max(axis=-1)
        total[positive] = np.sqrt((excess**2).sum(axis=(-1, -2)))
    return worst.reshape(shape)[()], total.reshape(shape)[()]


def square_root(covariance: npt.ArrayLike) -> Floats:
    """Return the symmetric square roots of positive definite matrices.

    Parameters
    ----------
    covariance : array (..., n, n)

    Returns
    -------
    array (..., n, n)
        Symmetric to the last bit.

    Examples
    --------
    >>> square_root(np.diag([4.0, 9.0]))
    array([[2., 0.],
           [0., 3.]])
    """
    values, vectors = np.linalg.eigh(np.asarray(covariance, np.float64))
    root = (vectors * np.sqrt(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.asarray((root + np.swapaxes(root, -1, -2)) / 2)


def response_errors(response: npt.ArrayLike, covariance: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return how far the outputs y = G x are from white, in two norms.

    Parameters
    ----------
    response : array (..., n, n)
        G, which need not be symmetric.
    covariance : array (..., n, n)
        Covariance C of the inputs.

    Returns
    -------
    whitening_error, frobenius_error : array (...)
        max |eigenvalue(C_yy) - 1| and ||C_yy - I||_F with C_yy = G C G'; NaN if G is not finite.

    Examples
    --------
    >>> response_errors(np.eye(2) / 2, np.diag([4.0, 16.0]))
    (array(3.), array(3.))
    """
    G, C = np.broadcast_arrays(np.asarray(response, float), np.asarray(covariance, float))
    finite = np.isfinite(G).all(axis=(-1, -2))
    G = np.where(finite[..., None, None], G, 0.0)
    excess = G @ C @ np.swapaxes(G, -1, -2) - np.eye(G.shape[-1])
    eigenvalues = np.linalg.eigvalsh((excess + np.swapaxes(excess, -1, -2)) / 2)
    worst = np.abs(eigenvalues).max(axis=-1)
    return np.where(finite, worst, np.nan), np.where(
        finite, np.sqrt((eigenvalues**2).sum(axis=-1)), np.nan
    )
