"""A spectrum that rises and falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, covariance_matrix, positive, real_array
from environments.paths.base import SmoothPath, waves


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
        self._phases = np.zeros(self.n_neurons) if phases is None else real_array("phases", phases)
        if self._phases.shape != (self.n_neurons,) or not np.isfinite(self._phases).all():
            raise ValueError(
                f"phases must be {self.n_neurons} numbers, one for each eigenvalue, got {phases!r}"
            )

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    def _variances(self, u: float, waves: Floats) -> Floats:
        """Return the variances along the eigenvectors at u and turns after it, (turn, n)."""
        # sin(a + b) taken apart, so that a product of matrices gives those of all eigenvectors.
        swing, own = self._amplitude * self._spectrum, 2 * np.pi * (u + self._phases)
        return np.asarray(waves.T @ [self._spectrum, swing * np.sin(own), swing * np.cos(own)])

    def covariances(self, u: Floats) -> Floats:
        """Return C(u), (len(u), n, n)."""
        angle = 2 * np.pi * u
        variances = self._variances(0, np.stack([np.ones_like(u), np.cos(angle), np.sin(angle)]))
        return np.asarray((self._vectors * variances[:, None, :]) @ self._vectors.T)

    def colour(self, start: float, step: float, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples (sample, n) given the covariance of each."""
        scaled = self._variances(start, waves(step, len(white)))
        np.sqrt(scaled, out=scaled)
        scaled *= white
        np.matmul(scaled, self._vectors.T, out=inputs)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "SinusoidalSpectrum",
            "covariance": self._covariance.tolist(),
            "amplitude": self._amplitude,
            "phases": self._phases.tolist(),
        }
