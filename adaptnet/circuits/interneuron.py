"""Primary neurons that inhibit each other through interneurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats, positive_definite, positive_number, real_matrix, whole_number
from adaptnet.circuits.base import State, square_weights
from adaptnet.circuits.plastic import PlasticCircuit, Way
from adaptnet.files.sizes import require_memory
from adaptnet.metrics import square_root

_TOO_FEW = (
    "n_interneurons must be at least the number of primary neurons, {n}, got {k}: "
    "with fewer, W W' is singular and the fixed point undefined; a LeakyInterneuronCircuit with a "
    "leak takes any number"
)
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InterneuronCircuit(PlasticCircuit):
    """Primary neurons that inhibit each other through interneurons (Algorithm 2 of [1]_).

    For each input x the activities go to their fixed point, z = W' y and y = (W W')^-1 x; then the
    synapses change, W <- W + eta (y z' - W). At their fixed point W W' = C^(1/2) and the outputs
    are white.

    Parameters
    ----------
    n_interneurons : int, optional
        Number k of interneurons, at least the number of primary neurons; by default equal to it.
        **With the exact fixed point k changes nothing**: interneurons then act through W W' alone,
        so that outputs, errors and computing time are the same for every k.
    initial_weights : float or array (neuron, interneuron)
        W before the first sample, of full row rank. A number a stands for weights with W W' = a I:
        W = sqrt(a) times the first n rows of an orthogonal matrix (the identity if k = n, else the
        cosine transform, so that every interneuron takes part).
    initial_effective_weights : array (neuron, neuron), optional
        W W' before the first sample, in place of `initial_weights`: what runs record as
        ``effective_weights``. W is then its symmetric square root times the same orthogonal rows.
    learning_rate : float or Rates
        eta_0 < 1; sample t (from 0) has eta_t = eta_0 / (1 + learning_rate_decay t).
        Or :class:`Rates` given as data, per context or segment. At 0 nothing is learned.
    learning_rate_decay : float
        gamma in the schedule above; 0 keeps the learning rate constant.
    dynamics : "equilibrium", "cholesky" or IntegratedDynamics
        How the activities get to their fixed point. "equilibrium", the default, solves for it
        exactly. So does "cholesky", with one factorisation per sample: slow for many neurons, and
        what the default is tested against. An IntegratedDynamics approaches it in Euler steps.
    batch_size : int
        B: the weights change every B samples, by the mean of their B updates at the weights before
        them. Learning is about as fast, and as noisy, as from single samples at the rate eta / B.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, the weights are not of full row rank, or k < n; if
        `initial_weights` is a symmetric positive definite matrix, which could be meant as W or as
        W W'.

    References
    ----------
    .. [1] D. Lipshutz, C. Pehlevan, D. B. Chklovskii, "Interneurons accelerate learning dynamics in
       recurrent neural networks for statistical adaptation", ICLR 2023, arXiv:2209.10634.

    Examples
    --------
    >>> InterneuronCircuit(n_interneurons=20, learning_rate=1e-3)
    InterneuronCircuit(learning_rate=0.001, learning_rate_decay=0.0, dynamics='equilibrium',
                       batch_size=1, initial_weights=1.0, n_interneurons=20,
                       initial_effective_weights=None)
    """

    initial_weights: float | npt.ArrayLike = 1.0
    n_interneurons: int | None = None
    initial_effective_weights: npt.ArrayLike | None = None

    theory = "interneuron"
    takes_batches = True
    few_neurons = 5  # beyond 5, carrying an inverse is as fast as factorising in groups
    largest_learning_rate = 1.0  # from 1 on, W W' need not stay positive definite

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_interneurons is not None:
            whole_number("n_interneurons", self.n_interneurons)
        if self.initial_effective_weights is not None:
            self._check_effective_weights()
        elif np.ndim(self.initial_weights) == 0:
            self._set("initial_weights", positive_number("initial_weights", self.initial_weights))
        else:
            weights = real_matrix("initial_weights", self.initial_weights)
            self._check_synapses(weights)
            self._set("initial_weights", weights)

    def _check_effective_weights(self) -> None:
        name = "initial_effective_weights"
        if np.ndim(self.initial_weights) != 0 or self.initial_weights != 1.0:
            raise ValueError(
                f"give either initial_weights (W) or {name} (W W'), got both: "
                f"{self.initial_weights!r:.50} and {self.initial_effective_weights!r:.50}"
            )
        self._set(name, positive_definite(name, self.initial_effective_weights))

    def _check_synapses(self, weights: Floats) -> None:
        n, k = weights.shape
        if self.n_interneurons not in (None, k):
            raise ValueError(
                f"initial_weights must have one column for each of n_interneurons = "
                f"{self.n_interneurons}, got shape {weights.shape}"
            )
        if k < n:
            raise ValueError(_TOO_FEW.format(n=n, k=k))
        if np.linalg.matrix_rank(weights) < n:
            raise ValueError(
                "initial_weights must have full row rank, or W W' is singular and the fixed "
                f"point undefined; got rank {np.linalg.matrix_rank(weights)} for {n} neurons"
            )
        if _ambiguous(weights):
            raise ValueError(
                "initial_weights is a symmetric positive definite matrix, which could be meant as "
                "W or as the effective weights W W'; pass W W' as initial_effective_weights, or, "
                "if it is W, change the sign of its first column, which changes no output"
            )

    @property
    def ways(self) -> dict[str, Way]:
        """The kernel modules that compute this circuit."""
        interneuron = kernels.interneuron
        return {
            "plain": interneuron.plain,
            "inverse": interneuron.inverse,
            "lanes": interneuron.lanes,
            "minibatch": kernels.minibatch.interneurons,
        }

    def synapses(self, n_neurons: int) -> Floats:
        """Return W before the first sample."""
        n, k = n_neurons, self.n_interneurons or n_neurons
        if self.initial_effective_weights is not None:
            name = "initial_effective_weights"
            root = square_root(square_weights(name, self.initial_effective_weights, n))
            turned: Floats = root @ _orthonormal_rows(n, self._checked_k(n, k))
            return turned
        weights = np.array(self.initial_weights, dtype=np.float64)
        if weights.ndim == 0:
            rows = _orthonormal_rows(n, self._checked_k(n, k))
            scaled: Floats = np.sqrt(weights) * rows
            return scaled
        if len(weights) != n:
            raise ValueError(
                f"initial_weights must have one row for each of {n} primary neurons, "
                f"got shape {weights.shape}"
            )
        return weights

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        if self.batch_size == 1:
            return super().initial_state(n_neurons)
        return kernels.minibatch.interneurons.initial_state(self.synapses(n_neurons).T)

    def _checked_k(self, n: int, k: int) -> int:
        if k < n:
            raise ValueError(_TOO_FEW.format(n=n, k=k))
        require_memory(f"{k} interneurons", 8 * 4 * n * k, "choose fewer")
        return k


def _ambiguous(weights: Floats) -> bool:
    """Return whether W could be meant as W W': symmetric, definite, and not its own square."""
    n, k = weights.shape
    scale = np.abs(weights).max()
    if n != k or np.abs(weights - weights.T).max() > _ROUNDING * scale:
        return False
    own_square = np.abs(weights @ weights - weights).max() <= _ROUNDING * scale
    return bool(np.linalg.eigvalsh(weights)[0] > 0 and not own_square)


def _orthonormal_rows(n: int, k: int) -> Floats:
    """Return an n x k matrix Q with Q Q' = I and, if k > n, no column of zeros."""
    if n == k:
        return np.eye(n)
    angles = np.outer(np.arange(n), 2 * np.arange(k) + 1) % (4 * k)  # in units of pi / 2k
    rows: Floats = np.sqrt(2.0 / k) * np.cos(np.pi / (2 * k) * angles)
    rows[0] = np.sqrt(1.0 / k)
    return rows
