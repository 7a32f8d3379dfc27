"""What circuits to compare with have in common: no synapses that learn at a rate."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite
from adaptnet.circuits.base import Circuit, IntegratedDynamics


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparator(Circuit):
    """A circuit whose effective weights do not come from a synaptic learning rule.

    It has no learning rate, and so no synaptic time.
    """

    learning_rate: float = dataclasses.field(init=False, default=0.0)
    learning_rate_decay: float = dataclasses.field(init=False, default=0.0)
    dynamics: str | IntegratedDynamics = dataclasses.field(init=False, default="equilibrium")

    def __post_init__(self) -> None:
        self._check_initial_weights()

    def _checked_weights(self, value: npt.ArrayLike) -> Floats:
        return positive_definite("initial_weights", value)

    def _initial_matrix(self, n_neurons: int) -> Floats:
        """Return the effective weights before the first sample."""
        weights = np.array(self.initial_weights, dtype=np.float64)
        if weights.ndim == 0:
            return weights * np.eye(n_neurons)
        if len(weights) != n_neurons:
            raise ValueError(
                f"initial_weights must be {n_neurons} x {n_neurons}, the inputs having {n_neurons} "
                f"neurons, got shape {weights.shape}"
            )
        return weights
