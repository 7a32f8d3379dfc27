"""The covariance of a few wandering vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, cholesky, covariance_matrix, whole_number
from environments.paths.random_path import RandomPath


class WishartProcess(RandomPath):
    """The covariance of a few vectors that wander: a stationary Wishart process.

    C = X X' / degrees_of_freedom, the columns of X being independent Ornstein-Uhlenbeck processes
    with the given covariance (Bru 1991, J. Theor. Probab. 4, 725-751). Its mean is that covariance;
    the fewer degrees of freedom, the farther it strays.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        Mean of the process.
    degrees_of_freedom : int
        Columns, more than neurons: with as many or fewer the path would reach or lie on the border
        of the positive definite cone.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not one of full rank, or degrees of freedom are too few.

    Examples
    --------
    >>> WishartProcess(np.eye(3), 12).state_shape
    (3, 12)
    """

    def __init__(self, covariance: npt.ArrayLike, degrees_of_freedom: int) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._degrees = whole_number("degrees_of_freedom", degrees_of_freedom)
        if self._degrees <= self.n_neurons:
            raise ValueError(
                f"degrees_of_freedom must be above the number of neurons, {self.n_neurons}, got "
                f"{degrees_of_freedom}: covariances would leave the positive definite cone, or "
                "come arbitrarily near its border"
            )
        self._root = cholesky(self._covariance)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""
        return (self.n_neurons, self._degrees)

    def factor(self, state: Floats) -> Floats:
        """Return F with C = F F' for states (..., n, degrees of freedom)."""
        return self._root @ cholesky(state @ np.swapaxes(state, -1, -2) / self._degrees)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "WishartProcess",
            "covariance": self._covariance.tolist(),
            "degrees_of_freedom": self._degrees,
        }
