"""Interneurons beside a leak: partial whitening by W W' + alpha I, for any number of interneurons.

Own, after the appendix of [L23]; derived in docs/theory.md.
"""

from typing import Self

import numpy as np

from adaptnet._checks import Floats, positive_number, whole_number
from adaptnet.circuits.base import Circuit
from adaptnet.theory.law import Law


class LeakyInterneuronLaw(Law, name="leaky_interneuron"):
    """The state is W (n, k), with columns enough for n directions; A = alpha I + W W'.

    Parameters
    ----------
    leak : float
        alpha, not negative.
    n_interneurons : int
        k; more than n change nothing.

    Examples
    --------
    >>> law = LeakyInterneuronLaw(leak=0.5, n_interneurons=2)
    >>> C = np.diag([0.4, 0.8, 1.5, 3.0]) ** 2
    >>> inverse = np.linalg.inv(law.effective_weights(law.fixed_point(C)))
    >>> np.diag(inverse @ C @ inverse).round(2)
    array([0.64, 2.56, 1.  , 1.  ])
    """

    symmetric = False

    def __init__(self, leak: float, n_interneurons: int) -> None:
        self.leak = positive_number("leak", leak, zero=True)
        self.n_interneurons = whole_number("n_interneurons", n_interneurons)

    @classmethod
    def of_circuit(cls, circuit: Circuit) -> Self:
        """Return the law with the circuit's ``leak`` and ``n_interneurons``."""
        n_interneurons = getattr(circuit, "n_interneurons", None)
        return cls(getattr(circuit, "leak", 0.0), n_interneurons or 2**31)

    def start(self, circuit: Circuit, n_neurons: int) -> Floats:
        """Return W before the first sample, up to a rotation that changes no output."""
        weights = circuit.effective_weights(circuit.initial_state(n_neurons))
        return self._synapses(weights - self.leak * np.eye(n_neurons))

    def effective_weights(self, state: Floats) -> Floats:
        """Return alpha I + W W'."""
        weights: Floats = state @ state.T + self.leak * np.eye(len(state))
        return weights

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return yy' W - W."""
        change: Floats = moments @ state - state
        return change

    def fixed_point(self, covariance: Floats) -> Floats:
        """Return W with W W' = S - alpha I on the k directions of largest s > alpha, 0 elsewhere.

        Of the states at rest this is the stable one: any other leaves out a direction whose output
        variance exceeds 1.
        """
        variances, basis = np.linalg.eigh(covariance)
        excess = np.sqrt(variances) - self.leak
        return self._synapses((basis * excess) @ basis.T)

    def _synapses(self, products: Floats) -> Floats:
        """Return W (n, k) with W W' nearest to a symmetric matrix."""
        values, vectors = np.linalg.eigh(products)
        k = min(self.n_interneurons, len(values))
        synapses: Floats = vectors[:, ::-1][:, :k] * np.sqrt(np.maximum(values[::-1][:k], 0))
        return synapses
