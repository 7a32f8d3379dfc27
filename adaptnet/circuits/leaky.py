"""Interneurons beside a leak, of any number: partial whitening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats, positive_number, real_matrix
from adaptnet.circuits import wired
from adaptnet.circuits.base import State
from adaptnet.files.schema import SYNAPSES, Variable


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeakyInterneuronCircuit(wired.WiredCircuit):
    """Primary neurons with a leak and any number of interneurons: partial whitening.

    For each input x the activities go to their fixed point, A y = x with A = alpha I + W W' and
    z = W' y; then W <- W + eta (y z' - W), as in the appendix of [1]_. At rest
    W W' = C^(1/2) - alpha I on the k directions of largest standard deviation s above alpha:
    outputs have variance 1 along them, and (s / alpha)^2 along the rest.

    Parameters
    ----------
    leak : float
        alpha, not negative. Without a leak there must be as many interneurons as neurons.
    n_interneurons : int, optional
        Number k of interneurons; by default that of neurons.
    initial_weights : float or array (neuron, interneuron)
        W before the first sample. A number a stands for W W' = a I or, if k < n, for W' W = a I:
        W = sqrt(a) times part of an orthogonal matrix.
    learning_rate, learning_rate_decay, dynamics, batch_size
        As for :class:`InterneuronCircuit`; every solution factorises A.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, or k < n without a leak.

    References
    ----------
    .. [1] D. Lipshutz, C. Pehlevan, D. B. Chklovskii, "Interneurons accelerate learning dynamics in
       recurrent neural networks for statistical adaptation", ICLR 2023, arXiv:2209.10634.

    Examples
    --------
    >>> circuit = LeakyInterneuronCircuit(leak=0.5, n_interneurons=1)
    >>> circuit.effective_weights(circuit.initial_state(2))
    array([[1. , 0.5],
           [0.5, 1. ]])
    """

    leak: float
    n_interneurons: int | None = None
    initial_weights: float | npt.ArrayLike = 1.0

    theory = "leaky_interneuron"
    kernel = "leaky"
    takes_batches = True
    largest_learning_rate = 1.0  # from 1 on, W turns its sign within a sample

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("n_interneurons", wired.checked_count(self.n_interneurons))
        name, value = "initial_weights", self.initial_weights
        if np.ndim(value) == 0:
            self._set(name, positive_number(name, value))
        else:
            self._set(name, real_matrix(name, value))

    def count(self, n_neurons: int) -> int:
        """Return the number of interneurons."""
        shape = np.shape(self.initial_weights)
        k = self.n_interneurons if self.n_interneurons or not shape else shape[1]
        return wired.counted(k, n_neurons, self.leak)

    def synapses(self, n_neurons: int) -> Floats:
        """Return W before the first sample."""
        k = self.count(n_neurons)
        return wired.synapses("initial_weights", self.initial_weights, n_neurons, k)

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        W = self.synapses(n_neurons)
        if self.batch_size > 1:
            return kernels.minibatch.interneurons.initial_state(W.T, leak=self.leak)
        return kernels.leaky.initial_state(W, self.leak)

    def initial_records(self, state: State) -> dict[str, npt.NDArray[Any]]:
        """Return what is recorded before the first sample."""
        return {**super().initial_records(state), "synapses": state.synapses.T}

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        return {**super().recordable(), "synapses": SYNAPSES}
