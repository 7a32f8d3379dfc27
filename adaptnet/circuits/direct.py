"""Primary neurons that inhibit each other directly."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite
from adaptnet.circuits.base import Circuit, Outcome, Records, State


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DirectCircuit(Circuit):
    """Primary neurons with direct recurrent connections M (Algorithm 1 of [1]_).

    For each input x the activity goes to its fixed point, y = M^-1 x; then the synapses change,
    M <- M + eta (y y' - I). Their fixed point is M = C^(1/2), where the outputs are white.

    Parameters
    ----------
    initial_weights : float or array (neuron, neuron)
        M before the first sample, symmetric positive definite; a number a stands for a I.
    learning_rate : float
        eta_0, for sample t (from 0) eta_t = eta_0 / (1 + learning_rate_decay t).
    learning_rate_decay : float
        gamma in the schedule above; 0 keeps the learning rate constant.
    dynamics : "equilibrium", "cholesky" or IntegratedDynamics
        Whether the activity's fixed point is solved exactly, which is the default, or approached by
        Euler steps. "cholesky" also solves exactly, by the plain way of a factorisation a sample:
        slow for many neurons, and what the quick way is tested against.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range or the weights are not positive definite.

    References
    ----------
    .. [1] D. Lipshutz, C. Pehlevan, D. B. Chklovskii, "Interneurons accelerate learning dynamics in
       recurrent neural networks for statistical adaptation", ICLR 2023, arXiv:2209.10634.

    Examples
    --------
    >>> DirectCircuit(initial_weights=2.0, learning_rate=1e-3)
    DirectCircuit(initial_weights=2.0, learning_rate=0.001, learning_rate_decay=0.0,
                  dynamics='equilibrium')
    """

    theory = "direct"
    few_neurons = 12  # up to which factorising is as quick as carrying an inverse, even alone

    def _checked_weights(self, value: npt.ArrayLike) -> Floats:
        return positive_definite("initial_weights", value)

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        weights = np.asarray(self.initial_weights, dtype=np.float64)
        if weights.ndim == 0:
            weights = weights * np.eye(n_neurons)
        elif len(weights) != n_neurons:
            raise ValueError(
                f"initial_weights must be {n_neurons} x {n_neurons}, the inputs having {n_neurons} "
                f"neurons, got shape {weights.shape}"
            )
        return self._way_for(n_neurons).initial_state(weights)

    def effective_weights(self, state: State) -> Floats:
        """Return a copy of the effective weights."""
        weights: Floats = self._way(state).weights(state)
        return weights

    def advance(
        self, state: State, inputs: Floats, n_processed: int, record_every: int, records: Records
    ) -> Outcome:
        """Take in a block of inputs; see :meth:`Circuit.advance`."""
        alone = [state], inputs[None], n_processed, record_every, records.at(None)
        return self.advance_side_by_side(*alone)[0]

    def advance_side_by_side(
        self,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        record_every: int,
        records: Records,
    ) -> list[Outcome]:
        """Take in blocks of inputs; see :meth:`Circuit.advance_side_by_side`."""
        if not states:
            return []
        way = self._way_for(inputs.shape[-1])
        return self._advance_by(way, states, inputs, n_processed, record_every, records)

    def _way(self, state: State) -> ModuleType:
        return self._way_for(_n_neurons(state))

    def _way_for(self, n_neurons: int) -> ModuleType:
        from adaptnet.kernels.direct import inverse, lanes, plain

        if self.dynamics != "equilibrium":
            return plain
        return lanes if self.side_by_side(n_neurons) > 1 else inverse


def _n_neurons(state: State) -> int:
    return len(state.weights) if hasattr(state, "weights") else int(state.n_neurons[0])
