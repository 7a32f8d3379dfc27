"""Interneurons whose synapses to and from the primary neurons learn apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats, positive_number, real_matrix
from adaptnet.circuits import wired
from adaptnet.circuits.base import State
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.files.schema import INWARD_SYNAPSES, OUTWARD_SYNAPSES, RESPONSE, Variable
from adaptnet.kernels.dynamics import EXACT


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DecoupledInterneuronCircuit(wired.WiredCircuit):
    """Interneurons whose synapses to and from the primary neurons learn apart.

    No neuron knows its synapse's counterpart: W_yz from interneurons and W_zy to them start apart
    and learn by the same Hebbian rule. For each input x the activities go to their fixed point,
    A y = x with A = alpha I + W_yz W_zy and z = W_zy y; then W_yz <- W_yz + eta (y z' - W_yz) and
    W_zy <- W_zy + eta (z y' - W_zy). Their difference D = W_yz - W_zy' shrinks whatever the inputs:
    after t samples it is (1 - eta)^t D.

    Until then A is not symmetric: errors follow from C_yy = A^-1 C A^-T, A^-1 being recorded as
    ``response``. If an eigenvalue of A loses its positive real part, the fast dynamics do not
    settle, and the circuit counts as diverged.

    Parameters
    ----------
    leak : float
        alpha, not negative. Without a leak there must be as many interneurons as neurons.
    n_interneurons : int, optional
        Number k of interneurons; by default that of neurons.
    initial_outward_weights : float or array (neuron, interneuron)
        W_yz before the first sample. A number a stands for sqrt(a) times part of an orthogonal
        matrix.
    initial_inward_weights : float or array (interneuron, neuron), optional
        W_zy before the first sample; by default the transpose of W_yz.
    learning_rate, learning_rate_decay, dynamics, batch_size
        As for :class:`InterneuronCircuit`; every solution eliminates A.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, k < n without a leak, or shapes do not fit together.

    Examples
    --------
    >>> circuit = DecoupledInterneuronCircuit(
    ...     initial_outward_weights=[[1.0, 0.5], [0.0, 1.0]], initial_inward_weights=1.0
    ... )
    >>> circuit.effective_weights(circuit.initial_state(2))
    array([[1. , 0.5],
           [0. , 1. ]])
    """

    n_interneurons: int | None = None
    initial_outward_weights: float | npt.ArrayLike = 1.0
    initial_inward_weights: float | npt.ArrayLike | None = None

    theory = "decoupled_interneuron"
    kernel = "decoupled"
    takes_batches = True
    inward = ("inward_synapses",)
    largest_learning_rate = 1.0  # from 1 on, what synapses start as does not fade

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("n_interneurons", wired.checked_count(self.n_interneurons))
        for name in ("initial_outward_weights", "initial_inward_weights"):
            value = getattr(self, name)
            if value is None:
                continue
            numbers = positive_number if np.ndim(value) == 0 else real_matrix
            self._set(name, numbers(name, value))

    def count(self, n_neurons: int) -> int:
        """Return the number of interneurons."""
        outward, inward = np.shape(self.initial_outward_weights), self._inward_shape()
        k = self.n_interneurons or (outward[1] if outward else inward[0] if inward else None)
        return wired.counted(k, n_neurons, self.leak)

    def _inward_shape(self) -> tuple[int, ...]:
        value = self.initial_inward_weights
        return () if value is None else np.shape(value)

    def synapses(self, n_neurons: int) -> Floats:
        """Return W_yz before the first sample."""
        name, k = "initial_outward_weights", self.count(n_neurons)
        return wired.synapses(name, self.initial_outward_weights, n_neurons, k)

    def _inward(self, n_neurons: int) -> Floats:
        """Return W_zy before the first sample."""
        name, value = "initial_inward_weights", self.initial_inward_weights
        if value is None:
            return self.synapses(n_neurons).T
        k = self.count(n_neurons)
        if np.ndim(value) == 0:
            return wired.synapses(name, value, n_neurons, k).T
        if np.shape(value) != (k, n_neurons):
            raise ValueError(
                f"{name} must have the shape {(k, n_neurons)}, a row per interneuron and a column "
                f"per primary neuron, got {np.shape(value)}"
            )
        return np.array(value)

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        outward, inward = self.synapses(n_neurons), self._inward(n_neurons)
        if self.batch_size > 1:
            return kernels.minibatch.interneurons.initial_state(inward, outward, leak=self.leak)
        return kernels.decoupled.initial_state(outward, inward, self.leak)

    def initial_records(self, state: State) -> dict[str, npt.NDArray[Any]]:
        """Return what is recorded before the first sample."""
        integrated = isinstance(self.dynamics, IntegratedDynamics)
        dynamics = self.dynamics.constants() if integrated else EXACT  # type: ignore[union-attr]
        return {
            **super().initial_records(state),
            "outward_synapses": state.outward.T,
            "inward_synapses": state.inward,
            "response": self._way_of(state).response(state, dynamics),
        }

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        synapses = {"outward_synapses": OUTWARD_SYNAPSES, "inward_synapses": INWARD_SYNAPSES}
        return {**super().recordable(), "response": RESPONSE, **synapses}

    def synapses_of(self, records: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Return the synapses to interneurons, as (..., n, k)."""
        return np.swapaxes(records["inward_synapses"], -1, -2)

    @property
    def response(self) -> str:
        """Name of the record that outputs follow from."""
        return "response"
