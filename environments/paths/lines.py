"""Geodesics between two covariances, in four geometries."""

from abc import ABC, abstractmethod

import numpy as np

from environments.checks import Floats, cholesky
from environments.paths.geometry import distance, exponential_root, logarithm, root, whitened_by


class Line(ABC):
    """The geodesic from one covariance (t = 0) to another (t = 1).

    Parameters
    ----------
    start, end : array (n, n)
    """

    metric: str

    def __init__(self, start: Floats, end: Floats) -> None:
        self.length = float(distance(start, end, self.metric))

    @abstractmethod
    def covariances(self, t: Floats) -> Floats:
        """Return C(t), (len(t), n, n)."""


class ColouringLine(Line):
    """A geodesic that gives each sample a covariance of its own, in O(n^2) per sample."""

    @abstractmethod
    def colour(self, t: Floats, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (len(t), n) given the covariance C(t) of each."""

    def walk(self, start: float, step: float, white: Floats, inputs: Floats) -> None:
        """Colour samples of which number k lies at t = start + k step, at most 1."""
        self.colour(np.asarray(start + step * np.arange(len(white)), np.float64), white, inputs)


class _SharedFactorLine(ColouringLine):
    """A geodesic on which A = G G', B = G diag(r) G', and C(t) = G diag(v(t, r)) G'."""

    def __init__(self, start: Floats, end: Floats) -> None:
        super().__init__(start, end)
        factor = cholesky(start)
        vectors, self._ratios = whitened_by(factor, end)
        self._shared = factor @ vectors

    @abstractmethod
    def _deviations(self, t: Floats) -> Floats:
        """Return the standard deviations along the columns of the shared factor, (len(t), n)."""

    def covariances(self, t: Floats) -> Floats:
        """Return C(t), (len(t), n, n)."""
        variances = self._deviations(t)[:, None, :] ** 2
        return np.asarray((self._shared * variances) @ self._shared.T)

    def colour(self, t: Floats, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (len(t), n) given the covariance C(t) of each."""
        scaled = self._deviations(t)
        scaled *= white
        np.matmul(scaled, self._shared.T, out=inputs)


class EuclideanLine(_SharedFactorLine):
    """(1 - t) A + t B."""

    metric = "euclidean"

    def _deviations(self, t: Floats) -> Floats:
        # A product of matrices: faster than broadcasting if there are few neurons.
        variances = np.stack([1 - t, t], axis=-1) @ [np.ones_like(self._ratios), self._ratios]
        return np.asarray(np.sqrt(variances, out=variances))


class AffineInvariantLine(_SharedFactorLine):
    """A^1/2 (A^-1/2 B A^-1/2)^t A^1/2."""

    metric = "affine_invariant"

    def __init__(self, start: Floats, end: Floats) -> None:
        super().__init__(start, end)
        self._half_logarithms = np.log(self._ratios)[None, :] / 2
        self._growth = 0.0, np.empty((0, len(start)))

    def _deviations(self, t: Floats) -> Floats:
        exponents: Floats = t[:, None] @ self._half_logarithms
        return np.asarray(np.exp(exponents, out=exponents))

    def walk(self, start: float, step: float, white: Floats, inputs: Floats) -> None:
        """Colour samples of which number k lies at t = start + k step, at most 1."""
        # r^(start + k step) as a product: r^(k step) is the same for every piece of a path.
        known, growth = self._growth
        if known != step or len(growth) < len(white):
            growth = self._deviations(np.asarray(step * np.arange(len(white)), np.float64))
            self._growth = step, growth  # in one assignment, because threads share lines
        shared = self._shared * np.exp(start * self._half_logarithms)
        np.matmul(growth[: len(white)] * white, shared.T, out=inputs)


class BuresWassersteinLine(ColouringLine):
    """T(t) A T(t) with T(t) = (1 - t) I + t T, where T A T = B."""

    metric = "bures_wasserstein"

    def __init__(self, start: Floats, end: Floats) -> None:
        super().__init__(start, end)
        a = root(start)
        optimal = np.linalg.solve(a, np.linalg.solve(a, root(a @ end @ a)).T)
        self._start = start
        self._towards = (optimal + optimal.T) / 2 - np.eye(len(start))
        self._factor = cholesky(start)
        self._moved = self._towards @ self._factor

    def covariances(self, t: Floats) -> Floats:
        """Return C(t), (len(t), n, n)."""
        maps = np.eye(len(self._start)) + t[:, None, None] * self._towards
        return maps @ self._start @ maps

    def colour(self, t: Floats, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (len(t), n) given the covariance C(t) of each."""
        np.matmul(white, self._factor.T, out=inputs)
        inputs += (white * t[:, None]) @ self._moved.T


class LogEuclideanLine(Line):
    """exp((1 - t) log A + t log B), which needs an eigendecomposition at each t."""

    metric = "log_euclidean"

    def __init__(self, start: Floats, end: Floats) -> None:
        super().__init__(start, end)
        self._logarithms = logarithm(start), logarithm(end)

    def factors(self, t: Floats) -> Floats:
        """Return F with C(t) = F F', (len(t), n, n)."""
        start, end = self._logarithms
        along = t[:, None, None]
        return exponential_root((1 - along) * start + along * end)

    def covariances(self, t: Floats) -> Floats:
        """Return C(t), (len(t), n, n)."""
        factors = self.factors(t)
        return factors @ np.swapaxes(factors, -1, -2)


def between(start: Floats, end: Floats, metric: str) -> Line:
    """Return the geodesic between two covariances in the geometry of a metric."""
    kinds = (EuclideanLine, AffineInvariantLine, BuresWassersteinLine, LogEuclideanLine)
    kind = next(kind for kind in kinds if kind.metric == metric)
    return kind(start, end)
