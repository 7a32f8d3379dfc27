"""A circuit that never learns."""

from dataclasses import dataclass

from adaptnet._checks import Floats
from adaptnet.circuits.base import Outcome, Records, State
from adaptnet.circuits.comparator import Comparator


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
