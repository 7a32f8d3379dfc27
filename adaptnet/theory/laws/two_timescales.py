"""Gains that adapt fast and synapses that adapt slowly [D23b].

[D23b]: Duong et al., NeurIPS 2023, arXiv 2308.13633.
"""

from typing import Self

import numpy as np

from adaptnet._checks import Flags, Floats, positive_number
from adaptnet.circuits.base import Circuit
from adaptnet.circuits.rates import Rates
from adaptnet.theory.law import Law
from adaptnet.theory.laws.gain import GainLaw


class TwoTimescalesLaw(Law, name="gain_plastic"):
    """The state is the gains above the synapses, (1 + n, k); A = alpha I + W diag(g) W'.

    Synaptic time is that of the gains; the synapses' own rate is `ratio` of theirs.

    Parameters
    ----------
    start : array (1 + n, k)
        Gains and synapses before the first sample.
    ratio : float
        eta_w / eta_g, not negative.
    leak : float
        alpha, not negative.
    clip : bool
        Whether gains stop at 0.
    """

    symmetric = False

    def __init__(
        self, start: Floats, ratio: float, leak: float = 0.0, *, clip: bool = False
    ) -> None:
        self.clip = clip
        self._start = np.asarray(start, dtype=np.float64)
        self.ratio = positive_number("ratio", ratio, zero=True)
        self.leak = positive_number("leak", leak, zero=True)

    @classmethod
    def of_circuit(cls, circuit: Circuit) -> Self:
        """Return the law with the circuit's initial gains and synapses, rates and leak."""
        state = circuit.initial_state(circuit.frame.shape[0])  # type: ignore[attr-defined]
        start = np.vstack([state.gains, state.synapses.T])
        rates = circuit.synaptic_rate, circuit.learning_rate  # type: ignore[attr-defined]
        if any(isinstance(rate, Rates) for rate in rates):
            raise ValueError("theory needs constant learning rates of gains and synapses")
        ratio = circuit.synaptic_rate / circuit.learning_rate  # type: ignore[attr-defined]
        options = getattr(circuit, "leak", 0.0), getattr(circuit, "clip", False)
        return cls(start, ratio, options[0], clip=options[1])

    def start(self, circuit: Circuit, n_neurons: int) -> Floats:
        """Return gains and synapses before the first sample."""
        if getattr(circuit, "restart_every", None) is not None:
            raise ValueError(
                "restart_every must be None to follow the flow, in which gains do not restart, "
                f"got {circuit.restart_every!r}"  # type: ignore[attr-defined]
            )
        return self._start.copy()

    def effective_weights(self, state: Floats) -> Floats:
        """Return alpha I + W diag(g) W'."""
        gains, W = state[0], state[1:]
        weights: Floats = (W * gains) @ W.T + self.leak * np.eye(len(W))
        return (weights + weights.T) / 2

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return z z - |w_i|^2 above the ratio of rates times y (g z)' - W diag(g)."""
        gains, W = state[0], state[1:]
        of_gains = np.einsum("ik,ij,jk->k", W, moments, W) - (W**2).sum(axis=0)
        of_synapses = (moments @ W - W) * gains
        return np.vstack([of_gains, self.ratio * of_synapses])

    def drift(self, state: Floats, covariance: Floats) -> Floats:
        """Return the mean change; gains that are clipped at 0 do not fall."""
        flow = self.mean_change(state, covariance)
        if self.clip:
            flow[0] = np.where((state[0] <= 0) & (flow[0] < 0), 0.0, flow[0])
        return flow

    def stops(self, state: Floats) -> Flags | None:
        """Return that gains stop at 0, if they are clipped."""
        if not self.clip:
            return None
        stops = np.zeros(state.shape, bool)
        stops[0] = True
        return stops

    def offline_step(self, state: Floats, covariance: Floats, learning_rate: float) -> Floats:
        """Return the state after one update with C_yy in place of yy'."""
        after: Floats = state + learning_rate * self.mean_change(state, covariance)
        if self.clip:
            after[0] = np.maximum(after[0], 0.0)
        return after

    def fixed_point(self, covariance: Floats) -> Floats:
        """Return the gains at rest for the synapses before the first sample, and those synapses.

        White outputs leave every synapse at rest, so there are many fixed points; this is the one
        that fast gains reach before the synapses have moved.
        """
        W = self._start[1:]
        law = GainLaw(W, self.leak, clip=self.clip)
        gains = law.fixed_point(covariance)
        if not law.whitens or (self.clip and gains.min() <= 0):
            raise ValueError(
                "the frame cannot whiten these inputs by its gains alone, so the synapses move on; "
                "follow them with adaptnet.flow"
            )
        return np.vstack([gains, W])
