"""How far two covariances are from each other, in seven ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats
from adaptnet.metrics.whiteness import square_root

_SHARED = """
    Parameters
    ----------
    first, second : array (..., n, n)
        Covariances A and B, {kind}; leading dimensions broadcast.

    Returns
    -------
    array (...)

    Raises
    ------
    ValueError
        If a matrix is not square, finite, {kind}, or sizes differ.

"""


Formula = Callable[[Floats, Floats], Floats]


class Distance(Protocol):
    """A function of two (stacks of) covariances."""

    def __call__(self, first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
        """Return the distance of each pair."""


def _checked(*, definite: bool = True) -> Callable[[Formula], Distance]:
    """Give a formula its checks, and its docstring the sections that all share."""

    def decorate(formula: Formula) -> Distance:
        def distance(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
            return formula(*_pair(first, second, definite=definite))

        distance.__name__, distance.__qualname__ = formula.__name__, formula.__qualname__
        if formula.__doc__:  # python -OO strips it
            text, heading, examples = formula.__doc__.partition("    Examples\n")
            kind = "symmetric and positive definite" if definite else "symmetric"
            shared = _SHARED.format(kind=kind)
            distance.__doc__ = f"{text.rstrip()}\n{shared}{heading}{examples}"
        return distance

    return decorate


@_checked(definite=False)
def frobenius_distance(a: Floats, b: Floats) -> Floats:
    """Return the Frobenius norm of the difference: the Euclidean distance, in squared input units.

    Examples
    --------
    >>> float(frobenius_distance(np.eye(2), 4 * np.eye(2)).round(12))
    4.242640687119
    """
    return _norm(a - b)


@_checked()
def affine_invariant_distance(a: Floats, b: Floats) -> Floats:
    """Return the affine-invariant Riemannian distance, |log(A^-1/2 B A^-1/2)|_F; dimensionless.

    It does not change when all inputs pass through one invertible linear map: Pennec, Fillard &
    Ayache 2006 (Int. J. Comput. Vis. 66, 41-66); for Gaussians it is Rao's distance times sqrt 2.

    Examples
    --------
    >>> float(affine_invariant_distance(np.eye(2), np.e * np.eye(2)).round(12))
    1.414213562373
    """
    return np.asarray(np.sqrt((np.log(_ratios(a, b)) ** 2).sum(-1)))


@_checked()
def log_euclidean_distance(a: Floats, b: Floats) -> Floats:
    """Return the log-Euclidean distance, |log A - log B|_F; dimensionless.

    Arsigny, Fillard, Pennec & Ayache 2006 (Magn. Reson. Med. 56, 411-421).

    Examples
    --------
    >>> float(log_euclidean_distance(np.eye(2), np.e * np.eye(2)).round(12))
    1.414213562373
    """
    return _norm(_logarithm(a) - _logarithm(b))


@_checked()
def bures_wasserstein_distance(a: Floats, b: Floats) -> Floats:
    """Return the Bures-Wasserstein distance, in input units.

    The 2-Wasserstein distance between centred Gaussians: how far, in root mean square, inputs must
    be moved to give them the other covariance. d^2 = Tr A + Tr B - 2 Tr (A^1/2 B A^1/2)^1/2:
    Bhatia, Jain & Lim 2019 (Expo. Math. 37, 165-191).

    Examples
    --------
    >>> float(bures_wasserstein_distance(np.eye(2), 4 * np.eye(2)).round(12))
    1.414213562373
    """
    a, b = square_root(a), square_root(b)
    # As the least |A^1/2 - B^1/2 U|_F over rotations U, which keeps its digits when A is near B.
    left, _, right = np.linalg.svd(b @ a)
    return _norm(a - b @ (left @ right))


@_checked()
def stein_distance(a: Floats, b: Floats) -> Floats:
    """Return the square root of the Stein (Jensen-Bregman log-determinant) divergence.

    d^2 = log det((A + B) / 2) - log det(A B) / 2, dimensionless: Sra 2016 (Proc. Am. Math. Soc.
    144, 2787-2797), who shows that its root is a metric.

    Examples
    --------
    >>> float(stein_distance([[1.0]], [[4.0]]).round(12))
    0.472380727077
    """
    # log((1 + r) / 2) - log(r) / 2 = log cosh(log(r) / 2), without cancellation near r = 1.
    half = np.log(_ratios(a, b)) / 2
    terms = np.log1p(2 * np.sinh(half / 2) ** 2)
    return np.asarray(np.sqrt(terms.sum(-1)))


@_checked()
def kl_divergence(a: Floats, b: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of centred Gaussians, in nats: first from second.

    (Tr(B^-1 A) - n - log det(B^-1 A)) / 2: Kullback & Leibler 1951 (Ann. Math. Stat. 22, 79-86).
    Not symmetric: A is the covariance of the inputs, B the one that was expected.

    Examples
    --------
    >>> float(kl_divergence([[4.0]], [[1.0]]).round(12))
    0.80685281944
    """
    ratios = _ratios(b, a)
    return np.asarray((ratios - 1 - np.log(ratios)).sum(-1) / 2)


@_checked()
def jeffreys_divergence(a: Floats, b: Floats) -> Floats:
    """Return the Kullback-Leibler divergences of both directions added, in nats.

    Tr(A^-1 B + B^-1 A - 2 I) / 2: Jeffreys 1946 (Proc. R. Soc. Lond. A 186, 453-461).

    Examples
    --------
    >>> float(jeffreys_divergence([[4.0]], [[1.0]]))
    1.125
    """
    ratios = _ratios(a, b)
    return np.asarray(((ratios - 1) ** 2 / ratios).sum(-1) / 2)


def _pair(first: npt.ArrayLike, second: npt.ArrayLike, *, definite: bool) -> tuple[Floats, Floats]:
    """Return both as arrays if they hold covariances of one size."""
    matrices = []
    for name, value in (("first", first), ("second", second)):
        matrix = np.asarray(value, dtype=np.float64)
        if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
            raise ValueError(f"{name} must be square matrices (..., n, n), got {matrix.shape}")
        if not np.isfinite(matrix).all():
            raise ValueError(f"{name} must be finite, but it holds NaN or infinity")
        transposed = np.swapaxes(matrix, -1, -2)
        gap = np.abs(matrix - transposed).max(initial=0.0)
        if gap > 1e-10 * np.abs(matrix).max(initial=0.0):  # far above the rounding of an estimate
            raise ValueError(
                f"{name} must be symmetric, but it differs from its transpose by up to {gap:.3g}; "
                "covariances are: check how it was computed"
            )
        if definite and matrix.size:
            smallest = np.linalg.eigvalsh(matrix)[..., 0].min()
            if smallest <= 0:
                raise ValueError(
                    f"{name} must be positive definite, but an eigenvalue is {smallest:.3g}; "
                    "add a ridge, a small multiple of the identity"
                )
        matrices.append(matrix)
    a, b = matrices
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"both must have one size, got {a.shape[-1]} and {b.shape[-1]} neurons")
    return a, b


def _ratios(a: Floats, b: Floats) -> Floats:
    """Return the eigenvalues of A^-1 B, (..., n)."""
    factor = np.linalg.cholesky(a)
    half = np.linalg.solve(factor, b)
    inside = np.linalg.solve(factor, np.swapaxes(half, -1, -2))
    return np.asarray(np.linalg.eigvalsh((inside + np.swapaxes(inside, -1, -2)) / 2))


def _logarithm(matrix: Floats) -> Floats:
    """Return the symmetric logarithms of positive definite matrices."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.log(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2))


def _norm(matrix: Floats) -> Floats:
    return np.asarray(np.sqrt((matrix**2).sum((-1, -2))))
