"""Geodesics from covariance to covariance."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, cholesky, covariance_matrices, one_of
from environments.paths.base import SmoothPath
from environments.paths.geometry import METRICS
from environments.paths.lines import ColouringLine, LogEuclideanLine, between
from environments.samples.stretches import stretches


class Geodesic(SmoothPath):
    """Geodesics from covariance to covariance, at constant speed; the last one then stays.

    Parameters
    ----------
    covariances : sequence of array (neuron, neuron)
        At least two, neighbours different. The first again as the last closes the path.
    metric : str
        Geometry of the geodesics: ``"affine_invariant"``, ``"log_euclidean"``,
        ``"bures_wasserstein"`` or ``"euclidean"``; see :mod:`environments.paths.geometry`.

    Notes
    -----
    u = 1 is the end. The log-Euclidean geodesic is followed stepwise, the others exactly.

    Raises
    ------
    TypeError, ValueError
        If a covariance is not one of full rank, fewer than two are given, neighbours are equal, or
        the metric is unknown.

    Examples
    --------
    >>> Geodesic([np.eye(2), 4 * np.eye(2)]).covariances(np.array([0.5]))[0].round(12)
    array([[2., 0.],
           [0., 2.]])
    """

    unit = "the whole path"

    def __init__(
        self, covariances: Sequence[npt.ArrayLike], metric: str = "affine_invariant"
    ) -> None:
        self._matrices = covariance_matrices("covariances", covariances)
        self._metric = one_of("metric", metric, METRICS)
        if len(self._matrices) < 2:
            raise ValueError("covariances must be at least two, a start and an end, got one")
        self._lines = []
        for i in range(len(self._matrices) - 1):
            start, end = self._matrices[i], self._matrices[i + 1]
            if np.array_equal(start, end):
                raise ValueError(
                    f"covariances[{i}] and covariances[{i + 1}] must differ, but are equal; leave "
                    "one out"
                )
            self._lines.append(between(start, end, self._metric))
        lengths = np.array([leg.length for leg in self._lines])
        self._ends = np.concatenate([[0], np.cumsum(lengths) / lengths.sum()])
        self._ends[-1] = 1
        self._arrived = cholesky(self._matrices[-1])

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._matrices[0])

    @property
    def stepwise(self) -> bool:
        """Whether the covariance is held for some samples at a time."""
        return self._metric == "log_euclidean"

    @property
    def end(self) -> float:
        """Position from which the covariance stays at the last one."""
        return 1.0

    @property
    def corners(self) -> Floats:
        """Positions of the covariances given."""
        return self._ends

    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""
        u = np.minimum(u, 1.0)
        path = np.empty((len(u), self.n_neurons, self.n_neurons))
        legs = (np.searchsorted(self._ends, u, side="right") - 1).clip(0, len(self._lines) - 1)
        for leg, rows in stretches(legs):
            start, end = self._ends[leg : leg + 2]
            path[rows] = self._lines[leg].covariances((u[rows] - start) / (end - start))
        return path

    def factor(self, u: float) -> Floats:
        """Return F with C(u) = F F', on a path that is followed stepwise."""
        u = min(u, 1.0)
        leg = min(bisect.bisect_right(self._ends, u), len(self._lines)) - 1
        start, end = self._ends[leg : leg + 2]
        line = self._lines[leg]
        assert isinstance(line, LogEuclideanLine)  # other metrics are not stepwise
        return np.asarray(line.factors(np.array([(u - start) / (end - start)]))[0])

    def colour(self, start: float, step: float, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (sample, n) given the covariance of each."""
        u = start + step * np.arange(len(white))
        edges = [0, *np.searchsorted(u, self._ends[1:]).tolist(), len(u)]
        for leg, (first, stop) in enumerate(itertools.pairwise(edges)):
            rows = slice(first, stop)
            if first == stop:
                continue
            if leg == len(self._lines):  # at the end
                np.matmul(white[rows], self._arrived.T, out=inputs[rows])
                continue
            begin, end = self._ends[leg : leg + 2]
            way, along = (u[first] - begin) / (end - begin), step / (end - begin)
            line = self._lines[leg]
            assert isinstance(line, ColouringLine)  # not a stepwise metric
            line.walk(float(way), float(along), white[rows], inputs[rows])

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "Geodesic",
            "covariances": [matrix.tolist() for matrix in self._matrices],
            "metric": self._metric,
        }
