"""Distances between covariances in the four geometries of paths.

Euclidean: C itself. Affine-invariant: Pennec, Fillard & Ayache 2006 (Int. J. Comput. Vis. 66,
41-66). Log-Euclidean: Arsigny, Fillard, Pennec & Ayache 2006 (Magn. Reson. Med. 56, 411-421).
Bures-Wasserstein: Bhatia, Jain & Lim 2019 (Expo. Math. 37, 165-191).

``adaptnet.metrics`` has these and more, with checks of arguments. Neither package imports the
other; a test compares the two.
"""

import numpy as np

from environments.checks import Floats, cholesky

METRICS = ("euclidean", "affine_invariant", "log_euclidean", "bures_wasserstein")


def distance(start: Floats, end: Floats, metric: str) -> Floats:
    """Return the lengths of the geodesics from `start` to `end`, (..., n, n) each."""
    if metric == "affine_invariant":
        ratios = np.log(whitened_by(cholesky(start), end)[1])
        return np.asarray(np.sqrt((ratios**2).sum(-1)))
    if metric == "log_euclidean":
        start, end = logarithm(start), logarithm(end)
    elif metric == "bures_wasserstein":
        # |A^1/2 - B^1/2 U| for the nearest U, from polar decomposition: a difference of factors,
        # which keeps its digits where the traces of the usual formula cancel.
        start, end = root(start), root(end)
        left, _, right = np.linalg.svd(end @ start)
        end = end @ left @ right
    return np.asarray(np.sqrt(((end - start) ** 2).sum((-1, -2))))


def root(matrix: Floats) -> Floats:
    """Return the symmetric square roots of covariances (..., n, n)."""
    values, vectors = np.linalg.eigh(matrix)
    # By rounding, a product of covariances may have eigenvalues slightly below zero.
    return _recomposed(np.sqrt(np.maximum(values, 0)), vectors)


def logarithm(matrix: Floats) -> Floats:
    """Return the matrix logarithms of covariances (..., n, n)."""
    values, vectors = np.linalg.eigh(matrix)
    return _recomposed(np.log(values), vectors)


def exponential_root(matrix: Floats) -> Floats:
    """Return F with F F' the exponential, for symmetric matrices (..., n, n)."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.exp(values / 2)[..., None, :])


def _recomposed(values: Floats, vectors: Floats) -> Floats:
    matrix: Floats = (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return matrix


def whitened_by(factor: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Return eigenvectors and eigenvalues of L^-1 C L^-T, where L L' is the start."""
    half = np.linalg.solve(factor, end)
    inside = np.linalg.solve(factor, np.swapaxes(half, -1, -2))
    values, vectors = np.linalg.eigh((inside + np.swapaxes(inside, -1, -2)) / 2)
    return vectors, values
