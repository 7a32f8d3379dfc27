"""What adaptation is compared with: a circuit that never learns, and a statistician's estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Flags, Floats, whole_number
from adaptnet.circuits.base import (
    Circuit,
    Records,
    State,
    number_or_matrix,
    square_weights,
)
from adaptnet.kernels.status import Outcome, Status


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparator(Circuit):
    """A circuit whose effective weights do not come from a synaptic learning rule.

    It has no learning rate, and so no synaptic time.
    """

    initial_weights: float | npt.ArrayLike = 1.0

    def __post_init__(self) -> None:
        self._set("initial_weights", number_or_matrix("initial_weights", self.initial_weights))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StaticCircuit(Comparator):
    """Primary neurons whose effective weights stay as they are.

    The value of adaptation is what it gains over this circuit. With the square root of one
    context's covariance as its weights it is perfect there, and elsewhere as wrong as the contexts
    differ.

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
        return (square_weights("initial_weights", self.initial_weights, n_neurons),)

    def effective_weights(self, state: State) -> Floats:
        """Return a copy of the weights."""
        (weights,) = state
        copy: Floats = weights.copy()
        return copy

    def advance(
        self,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        recorded: Flags,
        records: Records,
    ) -> list[Outcome]:
        """Record the weights, and learn nothing; see :meth:`Circuit.advance`."""
        for r, (weights,) in enumerate(states):
            records["effective_weights"][r] = weights
        return [Outcome(Status.OK, inputs.shape[1])] * len(states)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BatchEstimator(Comparator):
    """Whitening by the sample covariance of the last `window` inputs: the observer to beat.

    Its effective weights are the square root of the mean of x x' over the window, the maximum
    likelihood estimate for centred Gaussian inputs. A short window readapts soon but is noisy; a
    long one is slow and precise. Until the window is full, missing samples count as the square of
    the initial weights. It stores `window` inputs and takes matrix roots, which no circuit does.

    Parameters
    ----------
    window : int
        Number of inputs that the estimate is taken from; at least the number of neurons.
    initial_weights : float or array (neuron, neuron)
        Effective weights before the first sample, symmetric positive definite; a number a stands
        for a I.

    Raises
    ------
    TypeError, ValueError
        If the window is not a whole number or too short, or the weights are not positive definite.

    Examples
    --------
    >>> BatchEstimator(window=500)
    BatchEstimator(initial_weights=1.0, window=500)
    """

    window: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("window", whole_number("window", self.window))

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        if self.window < n_neurons:
            raise ValueError(
                f"window must be at least the number of neurons, {n_neurons}, got {self.window}: "
                "the covariance of fewer samples is singular"
            )
        weights = square_weights("initial_weights", self.initial_weights, n_neurons)
        return kernels.batch.initial_state(weights, self.window)

    def effective_weights(self, state: State) -> Floats:
        """Return the square root of the estimated covariance."""
        weights: Floats = kernels.batch.weights(state)
        return weights

    def advance(
        self,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        recorded: Flags,
        records: Records,
    ) -> list[Outcome]:
        """Process a block of samples per replicate; see :meth:`Circuit.advance`."""
        outcomes: list[Outcome] = kernels.batch.advance(states, inputs, recorded, records)
        return outcomes
