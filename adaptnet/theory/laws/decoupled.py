"""Interneurons whose two sets of synapses are learned apart by the same Hebbian rule.

Own; derived in docs/theory.md.
"""

from typing import Self

import numpy as np

from adaptnet._checks import Floats, positive_number, whole_number
from adaptnet.circuits.base import Circuit
from adaptnet.metrics import square_root
from adaptnet.theory.law import Law


class DecoupledInterneuronLaw(Law, name="decoupled_interneuron"):
    """The state is W_yz and W_zy' (2, n, k); A = alpha I + W_yz W_zy need not be symmetric.

    W_yz - W_zy' decays at the rate 1 whatever the inputs.

    Parameters
    ----------
    n_interneurons : int
        k, at least n if there is no leak.
    leak : float
        alpha, not negative.
    """

    symmetric = False

    def __init__(self, n_interneurons: int, leak: float = 0.0) -> None:
        self.n_interneurons = whole_number("n_interneurons", n_interneurons)
        self.leak = positive_number("leak", leak, zero=True)

    @classmethod
    def of_circuit(cls, circuit: Circuit) -> Self:
        """Return the law with the circuit's ``leak`` and ``n_interneurons``."""
        n_interneurons = getattr(circuit, "n_interneurons", None)
        return cls(n_interneurons or 2**31, getattr(circuit, "leak", 0.0))

    def start(self, circuit: Circuit, n_neurons: int) -> Floats:
        """Return both sets of synapses before the first sample."""
        state = circuit.initial_state(n_neurons)
        return np.stack([state.outward.T, state.inward.T])

    def effective_weights(self, state: Floats) -> Floats:
        """Return alpha I + W_yz W_zy."""
        weights: Floats = state[0] @ state[1].T + self.leak * np.eye(len(state[0]))
        return weights

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return y z' - W_yz and y z' - W_zy', where z = W_zy y."""
        change: Floats = moments @ state[1] - state
        return change

    def fixed_point(self, covariance: Floats) -> Floats:
        """Return W_yz = W_zy' with W_yz W_zy = S - alpha I, which must be positive definite."""
        products = square_root(covariance) - self.leak * np.eye(len(covariance))
        if self.n_interneurons < len(covariance) or np.linalg.eigvalsh(products)[0] <= 0:
            raise ValueError(
                "the circuit must be able to whiten all directions: lower leak below "
                "the smallest standard deviation, or raise n_interneurons"
            )
        return np.stack([square_root(products)] * 2)
