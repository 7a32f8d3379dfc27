"""Interneurons whose gains adapt fast and whose synapses adapt slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Integers, whole_number
from adaptnet.circuits.base import State
from adaptnet.circuits.gain import FramedCircuit
from adaptnet.circuits.rates import Place, Rates, checked_rate, rates_at
from adaptnet.files.schema import SYNAPSES, Variable


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GainPlasticCircuit(FramedCircuit):
    """Interneurons whose gains adapt fast and whose synapses adapt slowly, after [1]_.

    For each input x the activities go to their fixed point, A y = x with A = alpha I + W diag(g) W'
    and z = W' y; then g_i <- g_i + eta (z_i^2 - |w_i|^2) and, at a smaller rate,
    W <- W + eta_w (y (g z)' - W diag(g)). Over many contexts the synapses learn what these have in
    common, so that gains readapt faster: the circuit learns to readapt.

    Parameters
    ----------
    frame : array (neuron, interneuron)
        W before the first sample: see :mod:`adaptnet.circuits.frames`.
    synaptic_rate : float or Rates
        eta_w; 0 freezes the synapses.
    restart_every : int, optional
        Samples after which gains return to `initial_gains`, again and again, as in [1]_ at each
        change of context; never by default.
    initial_gains : float or array (interneuron,)
        g before the first sample; a number stands for equal gains.
    leak : float
        alpha, not negative.
    clip : bool
        Whether gains that would fall below zero become zero.
    learning_rate, learning_rate_decay : float
        Of the gains, as for :class:`InterneuronCircuit`; the synapses' decays with it.
    dynamics, batch_size
        As for :class:`InterneuronCircuit`; every solution factorises A.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, or A is not positive definite before the first sample.

    References
    ----------
    .. [1] L. R. Duong, E. P. Simoncelli, D. B. Chklovskii, D. Lipshutz, "Adaptive whitening with
       fast gain modulation and slow synaptic plasticity", NeurIPS 2023, arXiv:2308.13633.

    Examples
    --------
    >>> from adaptnet.circuits import frames
    >>> circuit = GainPlasticCircuit(
    ...     frame=frames.random_tight(3), learning_rate=0.01, synaptic_rate=1e-4
    ... )
    >>> circuit.initial_state(3).gains
    array([1., 1., 1., 1., 1., 1.])
    """

    synaptic_rate: float | Rates = 1e-5
    restart_every: int | None = None

    theory = "gain_plastic"
    kernel = "gain_plastic"
    takes_batches = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("synaptic_rate", checked_rate("synaptic_rate", self.synaptic_rate, zero=True))
        if self.restart_every is not None:
            self._set("restart_every", whole_number("restart_every", self.restart_every))
            if self.restart_every % self.batch_size:
                raise ValueError(
                    f"restart_every must be a multiple of batch_size, {self.batch_size}, so that "
                    f"no batch meets two gains, got {self.restart_every}"
                )

    def options(self, samples: Integers, n_replicates: int, place: Place | None) -> dict[str, Any]:
        """Return what the kernel takes besides: rates of the synapses, and when gains restart."""
        restarted = np.zeros(len(samples), bool)
        if self.restart_every is not None:
            restarted = (samples + 1) % self.restart_every == 0
        return {
            **super().options(samples, n_replicates, place),
            "synaptic_rates": rates_at(
                self.synaptic_rate, self.learning_rate_decay, samples, n_replicates, place
            ),
            "restarted": restarted,
        }

    def initial_records(self, state: State) -> dict[str, npt.NDArray[Any]]:
        """Return what is recorded before the first sample."""
        return {**super().initial_records(state), "synapses": state.synapses.T}

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        return {**super().recordable(), "synapses": SYNAPSES}
