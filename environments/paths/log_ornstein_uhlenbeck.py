"""The logarithm of a covariance wandering about a mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, covariance_matrix, positive
from environments.paths.geometry import exponential_root, logarithm
from environments.paths.random_path import RandomPath


class LogOrnsteinUhlenbeck(RandomPath):
    """The logarithm of the covariance wanders about a mean: Ornstein-Uhlenbeck on log C.

    log C = log(covariance) + spread E, where E is a symmetric matrix of Gaussian processes: of
    variance 1 on the diagonal and 1/2 off it, so that no direction is preferred. exp keeps every
    covariance positive definite; its law at any time is the lognormal one of matrices (Schwartzman
    2016, Int. Stat. Rev. 84, 456-486).

    Parameters
    ----------
    covariance : array (neuron, neuron)
        Centre of the process, exp of the mean of log C.
    spread : float
        Standard deviation of the logarithm of a variance about it, dimensionless.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not one of full rank, or the spread not positive, or so large that
        covariances would not be of full rank in double precision.

    Examples
    --------
    >>> import numpy as np
    >>> LogOrnsteinUhlenbeck(np.eye(3), 0.5).state_shape
    (3, 3)
    """

    def __init__(self, covariance: npt.ArrayLike, spread: float) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._spread = positive("spread", spread)
        self._mean = logarithm(self._covariance)
        # Eigenvalues of spread E fill the semicircle of radius spread sqrt(2 n) about 0.
        values = np.log(np.linalg.eigvalsh(self._covariance))
        widest = -np.log(np.finfo(np.float64).eps) - (values[-1] - values[0])
        if 2 * self._spread * np.sqrt(2 * self.n_neurons) > widest:
            raise ValueError(
                f"spread must be below {widest / (2 * np.sqrt(2 * self.n_neurons)):.3g} for this "
                f"covariance, got {spread!r}: the smallest variances would be lost in the rounding "
                "of the largest, and the path would leave the cone of positive definite covariances"
            )

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""
        return self._covariance.shape

    def factor(self, state: Floats) -> Floats:
        """Return F with C = F F' for states (..., n, n)."""
        symmetric = (state + np.swapaxes(state, -1, -2)) / 2  # variances 1 and 1/2
        return exponential_root(self._mean + self._spread * symmetric)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "LogOrnsteinUhlenbeck",
            "covariance": self._covariance.tolist(),
            "spread": self._spread,
        }
