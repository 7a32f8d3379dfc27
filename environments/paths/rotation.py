"""An eigenbasis that turns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, cholesky, covariance_matrix, real_array
from environments.paths.base import SmoothPath, waves


class Rotation(SmoothPath):
    """The eigenbasis turns at a constant rate; the spectrum stays.

    C(u) = R(u) C R(u)', where R(u) turns orthogonal planes by u turns each.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        At u = 0.
    planes : array (neuron, 2 * plane), optional
        Orthonormal; columns 0 and 1 span the first plane, 2 and 3 the second. By default the planes
        of neurons 0 and 1, 2 and 3, and so on.

    Notes
    -----
    u counts turns. After half a turn every plane is rotated by 180 degrees, which reverses the sign
    of covariances between a plane and what does not turn, and nothing else: C is back after half a
    turn only if it has no such covariances (two neurons, all neurons in turning planes, or a
    covariance that is block-diagonal in the planes), and otherwise after a whole one.

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
        self._planes = real_array("planes", planes)
        if self._planes.ndim != 2 or self._planes.shape[0] != n or self._planes.shape[1] % 2:
            raise ValueError(
                f"planes must have {n} rows and two columns per plane, "
                f"got shape {self._planes.shape}"
            )
        n_columns = self._planes.shape[1]
        if not np.abs(self._planes.T @ self._planes - np.eye(n_columns)).max(initial=0.0) <= 1e-10:
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

    def _turn(self, cosine: Floats, sine: Floats, vectors: Floats) -> None:
        """Turn vectors (..., component in the basis, sample or column) in place."""
        half = self._planes.shape[1] // 2
        along, across = vectors[..., :half, :], vectors[..., half : 2 * half, :]
        turned = cosine * along
        turned -= sine * across
        across *= cosine
        across += sine * along
        along[...] = turned

    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""
        angle = (2 * np.pi * u)[:, None, None]
        factors = np.repeat(self._factor[None], len(u), axis=0)
        self._turn(np.cos(angle), np.sin(angle), factors)
        factors = self._basis @ factors
        return np.asarray(factors @ np.swapaxes(factors, -1, -2))

    def colour(self, start: float, step: float, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (sample, n) given the covariance of each."""
        # Samples come last, so that NumPy's inner loops are long however few neurons there are.
        vectors = self._factor @ white.T
        _, cosine, sine = waves(step, len(white))
        self._turn(cosine, sine, vectors)
        begun, angle = np.eye(self.n_neurons), np.array(2 * np.pi * start)
        self._turn(np.cos(angle), np.sin(angle), begun)
        np.matmul(vectors.T, (self._basis @ begun).T, out=inputs)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "Rotation",
            "covariance": self._covariance.tolist(),
            "planes": self._planes.tolist(),
        }
