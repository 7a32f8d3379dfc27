"""Primary neurons that inhibit each other through interneurons."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, real_matrix, whole_number
from adaptnet.circuits.base import Circuit, Outcome, Records, State
from adaptnet.files.sizes import require_memory

_TOO_FEW = (
    "n_interneurons must be at least the number of primary neurons, {n}, got {k}: "
    "with fewer, W W' is singular and the fixed point undefined"
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InterneuronCircuit(Circuit):
    """Primary neurons that inhibit each other through interneurons (Algorithm 2 of [1]_).

    For each input x the activities go to their fixed point, z = W' y and y = (W W')^-1 x; then the
    synapses change, W <- W + eta (y z' - W). At their fixed point W W' = C^(1/2) and the outputs
    are white.

    Parameters
    ----------
    n_interneurons : int, optional
        Number k of interneurons, at least the number of primary neurons; by default equal to it.
        At the exact fixed point they act through W W' alone, which is what is then carried: neither
        outputs nor the time that a sample takes depend on k.
    initial_weights : float or array (neuron, interneuron)
        W before the first sample, of full row rank. A number a stands for weights with W W' = a I:
        W = sqrt(a) times the first n rows of an orthogonal matrix (the identity if k = n, else of
        the cosine transform, so that every interneuron takes part).
    learning_rate : float
        eta_0 < 1, for sample t (from 0) eta_t = eta_0 / (1 + learning_rate_decay t).
    learning_rate_decay : float
        gamma in the schedule above; 0 keeps the learning rate constant.
    dynamics : "equilibrium", "cholesky" or IntegratedDynamics
        Whether the activities' fixed point is solved exactly, the default, or approached by
        Euler steps. "cholesky" also solves exactly, by the plain way of a factorisation a sample:
        slow for many neurons, and what the quick way is tested against.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, the weights are not of full row rank, or k < n.

    References
    ----------
    .. [1] D. Lipshutz, C. Pehlevan, D. B. Chklovskii, "Interneurons accelerate learning dynamics in
       recurrent neural networks for statistical adaptation", ICLR 2023, arXiv:2209.10634.

    Examples
    --------
    >>> InterneuronCircuit(n_interneurons=20, learning_rate=1e-3)
    InterneuronCircuit(initial_weights=1.0, learning_rate=0.001, learning_rate_decay=0.0,
                       dynamics='equilibrium', n_interneurons=20)
    """

    n_interneurons: int | None = None

    theory = "interneuron"
    few_neurons = 5  # from there on carrying an inverse is as quick
    largest_learning_rate = 1.0  # from there on W W' need not stay positive definite

    def __post_init__(self) -> None:
        if self.n_interneurons is not None:
            whole_number("n_interneurons", self.n_interneurons)
        super().__post_init__()

    def _checked_weights(self, value: npt.ArrayLike) -> Floats:
        weights = real_matrix("initial_weights", value)
        n, k = weights.shape
        if self.n_interneurons not in (None, k):
            raise ValueError(
                f"initial_weights must have a column for each of n_interneurons = "
                f"{self.n_interneurons}, got shape {weights.shape}"
            )
        if k < n:
            raise ValueError(_TOO_FEW.format(n=n, k=k))
        if np.linalg.matrix_rank(weights) < n:
            raise ValueError(
                "initial_weights must have full row rank, or W W' is singular and the fixed "
                f"point undefined; got rank {np.linalg.matrix_rank(weights)} for {n} neurons"
            )
        return weights

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        weights = np.asarray(self.initial_weights, dtype=np.float64)
        if weights.ndim == 0:
            k = self.n_interneurons or n_neurons
            if k < n_neurons:
                raise ValueError(_TOO_FEW.format(n=n_neurons, k=k))
            require_memory(f"{k} interneurons", 8 * 4 * n_neurons * k, "choose fewer")
            weights = np.sqrt(weights) * _orthonormal_rows(n_neurons, k)
        elif len(weights) != n_neurons:
            raise ValueError(
                f"initial_weights must have a row for each of {n_neurons} primary neurons, "
                f"got shape {weights.shape}"
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
        from adaptnet.kernels.interneuron import inverse, lanes, plain

        if self.dynamics != "equilibrium":
            return plain
        return lanes if self.side_by_side(n_neurons) > 1 else inverse


def _n_neurons(state: State) -> int:
    return int(state.synapses.shape[1] if hasattr(state, "synapses") else len(state.root))


def _orthonormal_rows(n: int, k: int) -> Floats:
    """Return an n x k matrix Q with Q Q' = I and, where k > n, no column of zeros."""
    if n == k:
        return np.eye(n)
    angles = np.outer(np.arange(n), 2 * np.arange(k) + 1) % (4 * k)  # in units of pi / 2k
    rows: Floats = np.sqrt(2.0 / k) * np.cos(np.pi / (2 * k) * angles)
    rows[0] = np.sqrt(1.0 / k)
    return rows
