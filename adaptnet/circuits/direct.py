"""Primary neurons with direct recurrent connections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats
from adaptnet.circuits.base import number_or_matrix, square_weights
from adaptnet.circuits.plastic import PlasticCircuit, Way


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DirectCircuit(PlasticCircuit):
    """Primary neurons with direct recurrent connections M (Algorithm 1 of [1]_).

    For each input x the activity goes to its fixed point, y = M^-1 x; then the synapses change,
    M <- M + eta (y y' - I). Their fixed point is M = C^(1/2), at which the outputs are white.

    Parameters
    ----------
    initial_weights : float or array (neuron, neuron)
        M before the first sample, symmetric positive definite; a number a stands for a I.
    learning_rate : float or Rates
        eta_0; sample t (from 0) has eta_t = eta_0 / (1 + learning_rate_decay t).
        Or :class:`Rates` given as data, per context or segment. At 0 nothing is learned.
    learning_rate_decay : float
        gamma in the schedule above; 0 keeps the learning rate constant.
    dynamics : "equilibrium", "cholesky" or IntegratedDynamics
        How the activity gets to its fixed point. "equilibrium", the default, solves for it exactly.
        So does "cholesky", with one factorisation per sample: slow for many neurons, and what the
        default is tested against. An IntegratedDynamics approaches it in Euler steps.
    batch_size : int
        B: the weights change every B samples, by the mean of their B updates at the weights before
        them. Learning is about as fast, and as noisy, as from single samples at the rate eta / B.

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
    DirectCircuit(learning_rate=0.001, learning_rate_decay=0.0, dynamics='equilibrium',
                  batch_size=1, initial_weights=2.0)
    """

    initial_weights: float | npt.ArrayLike = 1.0

    theory = "direct"
    takes_batches = True
    few_neurons = (
        12  # up to 12, factorising is as fast as carrying an inverse even for one replicate
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("initial_weights", number_or_matrix("initial_weights", self.initial_weights))

    @property
    def ways(self) -> dict[str, Way]:
        """The kernel modules that compute this circuit."""
        direct = kernels.direct
        return {
            "plain": direct.plain,
            "inverse": direct.inverse,
            "lanes": direct.lanes,
            "minibatch": kernels.minibatch.direct,
        }

    def synapses(self, n_neurons: int) -> Floats:
        """Return M before the first sample."""
        return square_weights("initial_weights", self.initial_weights, n_neurons)
