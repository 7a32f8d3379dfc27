"""Paths of covariances, in units of their own: a whole way, a turn, a period, a time constant.

Smooth paths give every sample a covariance of its own in O(n^2) a sample: what varies with time is
diagonal, or a rotation of planes, between matrices that are worked out once. The log-Euclidean
geodesic is stepwise: it holds the covariance for some samples, and needs a decomposition a step.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments._checks import (
    Floats,
    cholesky,
    covariance_matrices,
    covariance_matrix,
    one_of,
    positive,
)
from environments.configuration import Configuration
from environments.geometry import METRICS, Line, distance
from environments.timeline import runs

_QUADRATURE = 512  # pieces that a unit of path is cut into to measure it


class Path(Configuration):
    """A covariance for each u, the position along the path."""

    unit = ""
    """What one unit of u is."""

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """Number of inputs."""

    @property
    def stepwise(self) -> bool:
        """Whether the covariance has to be held for some samples at a time."""
        return False

    @abstractmethod
    def displacement(self, units: float, metric: str) -> float:
        """Return the distance that drift covers in so many units, in a metric of covariances."""


class SmoothPath(Path):
    """A path that is a function of u."""

    @property
    def corners(self) -> Floats:
        """Positions where the path turns sharply, which chords must not cut off."""
        return np.empty(0)

    @abstractmethod
    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""

    @abstractmethod
    def colour(self, u: Floats, white: Floats) -> Floats:
        """Return white samples (len(u), n) with the covariance C(u), each with its own u."""

    def displacement(self, units: float, metric: str) -> float:
        """Return the mean arc length of so many units, measured over the first unit."""
        u = np.union1d(np.linspace(0, 1, _QUADRATURE + 1), self.corners)
        path = self.covariances(u)
        return units * float(distance(path[:-1], path[1:], metric).sum())


class Geodesic(SmoothPath):
    """Straight on from covariance to covariance, at constant speed, then staying at the last.

    Parameters
    ----------
    covariances : sequence of array (neuron, neuron)
        At least two, neighbours different. The first again as the last closes the path.
    metric : str
        Geometry in which the way is straight: ``"affine_invariant"``, ``"log_euclidean"``,
        ``"bures_wasserstein"`` or ``"euclidean"``; see :mod:`environments.geometry`.

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

    unit = "the whole way"

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
                    f"covariances[{i}] and covariances[{i + 1}] must differ, but are equal: there "
                    "is no way between them; leave one out"
                )
            self._lines.append(Line(start, end, self._metric))
        lengths = np.array([line.length for line in self._lines])
        self._ends = np.concatenate([[0], np.cumsum(lengths) / lengths.sum()])
        self._ends[-1] = 1

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._matrices[0])

    @property
    def stepwise(self) -> bool:
        """Whether the covariance has to be held for some samples at a time."""
        return self._metric == "log_euclidean"

    @property
    def corners(self) -> Floats:
        """Positions of the covariances given."""
        return self._ends

    def _legs(self, u: Floats) -> Any:
        """Yield for each stretch on one leg its line, its rows, and the way along the leg."""
        u = np.minimum(u, 1.0)
        legs = (np.searchsorted(self._ends, u, side="right") - 1).clip(0, len(self._lines) - 1)
        for leg, rows in runs(legs):
            start, end = self._ends[leg : leg + 2]
            yield self._lines[leg], rows, (u[rows] - start) / (end - start)

    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""
        path = np.empty((len(u), self.n_neurons, self.n_neurons))
        for line, rows, t in self._legs(u):
            path[rows] = line.covariances(t)
        return path

    def colour(self, u: Floats, white: Floats) -> Floats:
        """Return white samples (len(u), n) with the covariance C(u), each with its own u."""
        inputs = np.empty_like(white)
        for line, rows, t in self._legs(u):
            inputs[rows] = line.colour(t, white[rows])
        return inputs

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "Geodesic",
            "covariances": [matrix.tolist() for matrix in self._matrices],
            "metric": self._metric,
        }


class Rotation(SmoothPath):
    """The eigenbasis turns at a constant rate; the spectrum stays.

    C(u) = R(u) C R(u)', where R(u) turns each of a number of orthogonal planes by u turns.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        At u = 0.
    planes : array (neuron, 2 * plane), optional
        Orthonormal; columns 0 and 1 span the first plane, 2 and 3 the second. By default the planes
        of neurons 0 and 1, 2 and 3, and so on.

    Notes
    -----
    u counts turns; after half a turn C is back where it started if only one plane turns.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not one of full rank, or the planes' columns are not orthonormal pairs.

    Examples
    --------
    >>> np.diag(Rotation(np.diag([1.0, 4.0])).covariances(np.array([0.25]))[0]).round(12)
    array([4., 1.])
    """

    unit = "a turn"

    def __init__(self, covariance: npt.ArrayLike, planes: npt.ArrayLike | None = None) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        n = len(self._covariance)
        if planes is None:
            planes = np.eye(n)[:, : n // 2 * 2]
        self._planes = np.array(planes, dtype=np.float64)
        if self._planes.ndim != 2 or self._planes.shape[0] != n or self._planes.shape[1] % 2:
            raise ValueError(
                f"planes must have {n} rows and two columns a plane, got shape {self._planes.shape}"
            )
        n_columns = self._planes.shape[1]
        if np.abs(self._planes.T @ self._planes - np.eye(n_columns)).max(initial=1e-300) > 1e-10:
            raise ValueError("planes must have orthonormal columns; orthogonalise them first")
        if not n_columns:
            raise ValueError("planes must span at least one plane, which takes two neurons")
        # The planes' first columns, their second ones, and a basis of what does not turn.
        rest = np.linalg.svd(self._planes, full_matrices=True)[0][:, n_columns:]
        self._basis = np.hstack([self._planes[:, ::2], self._planes[:, 1::2], rest])
        self._factor = self._basis.T @ cholesky(self._covariance)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    def _turned(self, cosine: Floats, sine: Floats, rows: Floats) -> Floats:
        """Return vectors in the basis, their components in rows, turned."""
        half = self._planes.shape[1] // 2
        along, across, rest = rows[:half], rows[half : 2 * half], rows[2 * half :]
        first = cosine * along - sine * across
        still = np.broadcast_to(rest, (*first.shape[:-2], *rest.shape))
        return np.concatenate([first, sine * along + cosine * across, still], axis=-2)

    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""
        angle = (2 * np.pi * u)[:, None, None]
        factors = self._basis @ self._turned(np.cos(angle), np.sin(angle), self._factor)
        return np.asarray(factors @ np.swapaxes(factors, -1, -2))

    def colour(self, u: Floats, white: Floats) -> Floats:
        """Return white samples (len(u), n) with the covariance C(u), each with its own u."""
        # Samples come last, so that NumPy's inner loops are long however few neurons there are.
        angle = 2 * np.pi * u
        turned = self._turned(np.cos(angle), np.sin(angle), self._factor @ white.T)
        return np.asarray(turned.T @ self._basis.T)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "Rotation",
            "covariance": self._covariance.tolist(),
            "planes": self._planes.tolist(),
        }


class SinusoidalSpectrum(SmoothPath):
    """Variances along fixed eigenvectors rise and fall: l_i (1 + a sin 2 pi (u + phase_i)).

    Parameters
    ----------
    covariance : array (neuron, neuron)
        The mean over a period.
    amplitude : float
        a, above 0 and below 1: from 1 on the path would leave the positive definite cone.
    phases : sequence of float, optional
        One for each eigenvalue in increasing order, in periods; by default 0, so that contrast
        alone changes.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not one of full rank, the amplitude is out of range, or phases are too
        few or too many.

    Examples
    --------
    >>> path = SinusoidalSpectrum(np.eye(2), 0.5, phases=[0, 0.5])
    >>> path.covariances(np.array([0.25]))[0].round(12)
    array([[1.5, 0. ],
           [0. , 0.5]])
    """

    unit = "a period"

    def __init__(
        self,
        covariance: npt.ArrayLike,
        amplitude: float,
        phases: Sequence[float] | None = None,
    ) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._amplitude = positive("amplitude", amplitude)
        if self._amplitude >= 1:
            raise ValueError(
                f"amplitude must be below 1, got {amplitude!r}: variances would fall to zero, and "
                "the path would leave the cone of positive definite covariances"
            )
        self._spectrum, self._vectors = np.linalg.eigh(self._covariance)
        self._phases = np.zeros(self.n_neurons) if phases is None else np.array(phases, float)
        if self._phases.shape != (self.n_neurons,) or not np.isfinite(self._phases).all():
            raise ValueError(
                f"phases must be {self.n_neurons} numbers, one for each eigenvalue, got {phases!r}"
            )

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    def _variances(self, u: Floats) -> Floats:
        """Return the variances along the eigenvectors, (n, len(u))."""
        # sin(a + b) taken apart: two sines a sample instead of n.
        swing, own = self._amplitude * self._spectrum, 2 * np.pi * self._phases
        variances: Floats = np.multiply.outer(swing * np.cos(own), np.sin(2 * np.pi * u))
        if own.any():
            variances += np.multiply.outer(swing * np.sin(own), np.cos(2 * np.pi * u))
        variances += self._spectrum[:, None]
        return variances

    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""
        return np.asarray((self._vectors * self._variances(u).T[:, None, :]) @ self._vectors.T)

    def colour(self, u: Floats, white: Floats) -> Floats:
        """Return white samples (len(u), n) with the covariance C(u), each with its own u."""
        scaled = self._variances(u)
        np.sqrt(scaled, out=scaled)
        scaled *= white.T
        return np.asarray(scaled.T @ self._vectors.T)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "SinusoidalSpectrum",
            "covariance": self._covariance.tolist(),
            "amplitude": self._amplitude,
            "phases": self._phases.tolist(),
        }
