"""What adaptation is compared with: a circuit that never learns, and a statistician's estimate."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, whole_number
from adaptnet.circuits.base import Circuit, Outcome, Records, State
from adaptnet.circuits.dynamics import IntegratedDynamics


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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StaticCircuit(Comparator):
    """Primary neurons whose effective weights stay as they are.

    What adaptation is worth is what it gains on this: with the square root of one context's
    covariance as its weights it is perfect there, and as wrong elsewhere as the contexts differ.

    Parameters
    ----------
    initial_weights : float or array (neuron, neuron)
        The effective weights, symmetric positive definite; a number a stands for a I.

    Raises
    ------
    TypeError, ValueError
        If the weights are not positive definite.

    Examples
    --------
    >>> StaticCircuit(initial_weights=2.0)
    StaticCircuit(initial_weights=2.0)
    """

    def initial_state(self, n_neurons: int) -> State:
        """Return the weights."""
        return self._initial_matrix(n_neurons)

    def effective_weights(self, state: State) -> Floats:
        """Return a copy of the weights."""
        weights: Floats = state.copy()
        return weights

    def advance(
        self, state: State, inputs: Floats, n_processed: int, record_every: int, records: Records
    ) -> Outcome:
        """Take in a block of inputs and learn nothing; see :meth:`Circuit.advance`."""
        n_rows = (n_processed + len(inputs)) // record_every - n_processed // record_every
        records.effective_weights[:n_rows] = state
        records.fast_steps[:n_rows] = 0
        return Outcome(0, len(inputs))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BatchEstimator(Comparator):
    """Whitening by the sample covariance of the last `window` inputs: the observer to beat.

    Its effective weights are the square root of the mean of x x' over the window, the maximum
    likelihood estimate for centred Gaussian inputs. A short window readapts soon but is noisy, a
    long one is neither. Until the window is full, what is missing in it stands at the square of
    the initial weights. It stores `window` inputs and takes matrix roots: no circuit does.

    Parameters
    ----------
    window : int
        Inputs that the estimate is taken from; at least the number of neurons.
    initial_weights : float or array (neuron, neuron)
        Effective weights before the first sample, symmetric positive definite; a number a stands
        for a I.

    Raises
    ------
    TypeError, ValueError
        If the window is no whole number or too short, or the weights are not positive definite.

    Examples
    --------
    >>> BatchEstimator(window=500)
    BatchEstimator(initial_weights=1.0, window=500)
    """

    window: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", whole_number("window", self.window))
        super().__post_init__()

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        from adaptnet.kernels import batch

        if self.window < n_neurons:
            raise ValueError(
                f"window must be at least the number of neurons, {n_neurons}, got {self.window}: "
                "fewer samples have a singular covariance"
            )
        return batch.initial_state(self._initial_matrix(n_neurons), self.window)

    def effective_weights(self, state: State) -> Floats:
        """Return the square root of the estimated covariance."""
        from adaptnet.kernels import batch

        return batch.weights(state)

    def advance(
        self, state: State, inputs: Floats, n_processed: int, record_every: int, records: Records
    ) -> Outcome:
        """Take in a block of inputs; see :meth:`Circuit.advance`."""
        from adaptnet.kernels import batch

        recorded = (n_processed + 1 + np.arange(len(inputs))) % record_every == 0
        blocks = inputs[None], recorded, records.at(None)._asdict()
        failure, n_rows = batch.advance([state], *blocks)[0]
        records.fast_steps[: np.count_nonzero(recorded)] = 0
        return Outcome(int(failure), n_rows)
