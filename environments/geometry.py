"""Straight lines between covariances, in four geometries, and how long they are.

Euclidean: C itself. Affine-invariant: Pennec, Fillard & Ayache 2006 (Int. J. Comput. Vis. 66,
41-66). Log-Euclidean: Arsigny, Fillard, Pennec & Ayache 2006 (Magn. Reson. Med. 56, 411-421).
Bures-Wasserstein: Bhatia, Jain & Lim 2019 (Expo. Math. 37, 165-191).
"""

import itertools

import numpy as np

from environments._checks import Floats, cholesky

METRICS = ("euclidean", "affine_invariant", "log_euclidean", "bures_wasserstein")


def root(matrix: Floats) -> Floats:
    """Return the symmetric square roots of covariances (..., n, n)."""
    values, vectors = np.linalg.eigh(matrix)
    # Rounding can take a product of covariances a hair below zero.
    return _recomposed(np.sqrt(np.maximum(values, 0)), vectors)


def logarithm(matrix: Floats) -> Floats:
    """Return the matrix logarithms of covariances (..., n, n)."""
    values, vectors = np.linalg.eigh(matrix)
    return _recomposed(np.log(values), vectors)


def exponential_root(matrix: Floats) -> Floats:
    """Return factors F of the exponentials of symmetric matrices (..., n, n): F F' = exp(L)."""
    values, vectors = np.linalg.eigh(matrix)
    factor: Floats = vectors * np.exp(values / 2)[..., None, :]
    return factor


def _recomposed(values: Floats, vectors: Floats) -> Floats:
    matrix: Floats = (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return matrix


def distance(start: Floats, end: Floats, metric: str) -> Floats:
    """Return the lengths of the geodesics from `start` to `end`, (..., n, n) each."""
    if metric == "euclidean":
        return _norm(end - start)
    if metric == "log_euclidean":
        return _norm(logarithm(end) - logarithm(start))
    if metric == "affine_invariant":
        ratios = np.log(_whitened_by(cholesky(start), end)[1])
        return np.asarray(np.sqrt((ratios**2).sum(-1)))
    # d^2 = Tr A + Tr B - 2 Tr (A^1/2 B A^1/2)^1/2, and = |A^1/2 - B^1/2 U|^2 for the U that polar
    # decomposition gives: a difference of factors, which keeps its digits where d is small.
    a, b = root(start), root(end)
    left, _, right = np.linalg.svd(b @ a)
    return _norm(a - b @ left @ right)


def _norm(matrix: Floats) -> Floats:
    return np.asarray(np.sqrt((matrix**2).sum((-1, -2))))


def _whitened_by(factor: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Return eigenvectors and eigenvalues of L^-1 C L^-T, L being the factor of the start."""
    half = np.linalg.solve(factor, end)
    inside = np.linalg.solve(factor, np.swapaxes(half, -1, -2))
    values, vectors = np.linalg.eigh((inside + np.swapaxes(inside, -1, -2)) / 2)
    return vectors, values


class Line:
    """The geodesic from one covariance (t = 0) to another (t = 1), followed in O(n^2) a sample.

    In the Euclidean and the affine-invariant geometry both ends share a factor: A = G G' and
    B = G diag(l) G', so that C(t) = G diag((1 - t) + t l) G' or G diag(l^t) G'. In the
    Bures-Wasserstein geometry C(t) = T(t) A T(t) with T(t) = (1 - t) I + t T, T A T = B. Only the
    log-Euclidean geodesic needs an eigendecomposition at each t.

    Parameters
    ----------
    start, end : array (n, n)
    metric : str
        One of ``METRICS``.
    """

    def __init__(self, start: Floats, end: Floats, metric: str) -> None:
        self._ends = start, end
        self._metric = metric
        self.length = float(distance(start, end, metric))
        self._factor = cholesky(start)
        if metric == "bures_wasserstein":
            a = root(start)
            optimal = np.linalg.solve(a, np.linalg.solve(a, root(a @ end @ a)).T)
            self._transport = (optimal + optimal.T) / 2
            self._towards = self._transport @ self._factor - self._factor
        elif metric == "log_euclidean":
            self._logarithms = logarithm(start), logarithm(end)
        else:
            vectors, self._ratios = _whitened_by(self._factor, end)
            self._log_ratios = np.log(self._ratios)
            self._shared = self._factor @ vectors

    def _deviations(self, t: Floats) -> Floats:
        """Return the standard deviations along the columns of the shared factor, (n, len(t)).

        Samples come last, so that NumPy's inner loops are long however few neurons there are.
        """
        if self._metric == "euclidean":
            variances = np.multiply.outer(self._ratios - 1, t)
            variances += 1
            return np.sqrt(variances, out=variances)
        logarithms = np.multiply.outer(self._log_ratios, t / 2)
        return np.exp(logarithms, out=logarithms)

    def _exponents(self, t: Floats) -> Floats:
        start, end = self._logarithms
        return np.asarray((1 - t[:, None, None]) * start + t[:, None, None] * end)

    def covariances(self, t: Floats) -> Floats:
        """Return C(t), (len(t), n, n)."""
        if self._metric == "bures_wasserstein":
            maps = self._maps(t)
            return maps @ self._ends[0] @ maps
        if self._metric == "log_euclidean":
            factors = exponential_root(self._exponents(t))
            return factors @ np.swapaxes(factors, -1, -2)
        return np.asarray((self._shared * self._deviations(t).T[:, None, :] ** 2) @ self._shared.T)

    def _maps(self, t: Floats) -> Floats:
        identity = np.eye(len(self._transport))
        return np.asarray((1 - t[:, None, None]) * identity + t[:, None, None] * self._transport)

    def colour(self, t: Floats, white: Floats) -> Floats:
        """Return white samples (len(t), n) with the covariance C(t), each with its own t."""
        if self._metric == "bures_wasserstein":
            moved: Floats = self._towards @ white.T
            moved *= t
            moved += self._factor @ white.T
            return np.ascontiguousarray(moved.T)
        if self._metric == "log_euclidean":
            coloured = np.empty_like(white)
            edges = [0, *(np.flatnonzero(np.diff(t)) + 1).tolist(), len(t)]
            for i, j in itertools.pairwise(edges):
                coloured[i:j] = white[i:j] @ exponential_root(self._exponents(t[i : i + 1]))[0].T
            return coloured
        scaled = self._deviations(t)
        scaled *= white.T
        return scaled.T @ self._shared.T
