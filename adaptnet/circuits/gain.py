"""Interneurons whose synapses are fixed and whose gains adapt."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats, Integers, real_matrix
from adaptnet.circuits import frames, wired
from adaptnet.circuits.base import State
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.circuits.rates import Place
from adaptnet.errors import PartialWhiteningWarning
from adaptnet.files.schema import GAINS, Variable


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FramedCircuit(wired.WiredCircuit):
    """Interneurons with gains, whose synapses start as, or stay, a frame."""

    frame: npt.ArrayLike
    initial_gains: float | npt.ArrayLike = 1.0
    clip: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("frame", frames.checked("frame", self.frame))
        if not isinstance(self.clip, bool | np.bool_):
            raise TypeError(f"clip must be True or False, got {self.clip!r}")
        self._set("clip", bool(self.clip))
        self._check_gains()
        W = np.asarray(self.frame)
        weights = self.leak * np.eye(len(W)) + (W * self.initial_gains) @ W.T
        smallest = np.linalg.eigvalsh(weights)[0]
        if not smallest > 1e-12 * np.abs(weights).max():
            raise ValueError(
                "initial_gains must make alpha I + W diag(g) W' positive definite, but its "
                f"smallest eigenvalue is {smallest:.3g}; raise them, or raise leak"
            )

    def _check_gains(self) -> None:
        name, k = "initial_gains", np.shape(self.frame)[1]
        gains = real_matrix(name, np.atleast_1d(self.initial_gains)[None])[0]
        if np.ndim(self.initial_gains) > 1 or len(gains) not in (1, k):
            raise ValueError(
                f"{name} must be a number, or one per column of the frame, {k}, got shape "
                f"{np.shape(self.initial_gains)}"
            )
        if self.clip and gains.min() < 0:
            raise ValueError(f"{name} must not be negative if gains are clipped, got {gains.min()}")
        self._set(name, float(gains[0]) if np.ndim(self.initial_gains) == 0 else gains)

    def count(self, n_neurons: int) -> int:
        """Return the number of interneurons: columns of the frame."""
        return int(np.shape(self.frame)[1])

    def synapses(self, n_neurons: int) -> Floats:
        """Return the frame W (n, k)."""
        frame = np.array(self.frame, dtype=np.float64)
        if len(frame) != n_neurons:
            raise ValueError(
                f"frame must have a row for each of {n_neurons} primary neurons, got shape "
                f"{frame.shape}"
            )
        return frame

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        frame = self.synapses(n_neurons)
        gains = np.broadcast_to(np.asarray(self.initial_gains, np.float64), frame.shape[1:])
        kernel, least = getattr(kernels, self.kernel), 0.0 if self.clip else -math.inf
        if self.batch_size > 1:
            batched = kernels.minibatch.interneurons
            return batched.initial_state(frame.T, None, gains, self.leak, least)
        return kernel.initial_state(gains, frame, self.leak, least)

    def initial_records(self, state: State) -> dict[str, npt.NDArray[Any]]:
        """Return what is recorded before the first sample."""
        return {**super().initial_records(state), "gains": state.gains}

    @abstractmethod
    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name: gains, and what else it learns."""
        return {**super().recordable(), "gains": GAINS}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GainCircuit(FramedCircuit):
    """Interneurons with fixed synapses and gains that adapt, after [1]_.

    For each input x the activities go to their fixed point, A y = x with A = alpha I + W diag(g) W'
    and z = W' y; then each interneuron moves its gain by the variance of its own activity alone,
    g_i <- g_i + eta (z_i^2 - |w_i|^2). If the products w_i w_i' span the symmetric matrices, gains
    at rest make the outputs white for inputs of any covariance.

    Parameters
    ----------
    frame : array (neuron, interneuron)
        W, usually of unit columns: see :mod:`adaptnet.circuits.frames`. One that cannot whiten
        inputs of every covariance is taken, and a `PartialWhiteningWarning` says what it can do.
    initial_gains : float or array (interneuron,)
        g before the first sample; a number stands for equal gains.
    leak : float
        alpha, not negative.
    clip : bool
        Whether gains that would fall below zero become zero. They may otherwise make A indefinite,
        at which the circuit counts as diverged.
    learning_rate, learning_rate_decay, dynamics, batch_size
        As for :class:`InterneuronCircuit`; every solution factorises A.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, or A is not positive definite before the first sample.

    References
    ----------
    .. [1] L. R. Duong, D. Lipshutz, D. J. Heeger, D. B. Chklovskii, E. P. Simoncelli, "Adaptive
       whitening in neural populations with gain-modulating interneurons", ICML 2023,
       arXiv:2301.11955.

    Examples
    --------
    >>> from adaptnet.circuits import frames
    >>> circuit = GainCircuit(frame=frames.mercedes_benz(), learning_rate=0.01)
    >>> circuit.effective_weights(circuit.initial_state(2)).round(3) + 0.0
    array([[1.5, 0. ],
           [0. , 1.5]])
    """

    theory = "gain"
    kernel = "gain"
    takes_batches = True
    constants = (*wired.WiredCircuit.constants, "synapses")
    inward = ()  # the frame stays as it is

    def __post_init__(self) -> None:
        super().__post_init__()
        can = frames.what_it_can_do(self.frame)
        if "cannot" in can:
            warnings.warn(f"frame of {can}", PartialWhiteningWarning, stacklevel=4)

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        return super().recordable()

    def options(self, samples: Integers, n_replicates: int, place: Place | None) -> dict[str, Any]:
        """Return what the kernel takes besides: for batches, that synapses do not learn."""
        fixed = {"synaptic_rates": np.zeros((n_replicates, len(samples)))}
        options = super().options(samples, n_replicates, place)
        return {**options, **(fixed if self.batch_size > 1 else {})}

    def group_size(self, n_neurons: int) -> int:
        """Return how many replicates are worth advancing at once; never changes a result."""
        lanes: int = kernels.building_blocks.lanes.LANES
        is_exact = self.batch_size == 1 and not isinstance(self.dynamics, IntegratedDynamics)
        return lanes if is_exact and kernels.gain.side_by_side(n_neurons, lanes) else 1

    def synapses_of(self, records: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Return the frame (n, k)."""
        return np.asarray(self.frame, np.float64)
