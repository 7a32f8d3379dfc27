"""Interneurons with fixed synapses and plastic gains: the frame's law [D23a].

[D23a]: Duong et al., ICML 2023, arXiv 2301.11955. What is own is marked in docs/theory.md.
"""

from typing import Self

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Flags, Floats, positive_number, real_matrix
from adaptnet.circuits.base import Circuit
from adaptnet.errors import IntegrationError
from adaptnet.metrics import square_root
from adaptnet.theory.law import Law
from adaptnet.theory.linearisation import Linearisation

_MOST_STEPS = 200  # of Newton's method; ten are usual


class GainLaw(Law, name="gain"):
    """The state is the gains g (k,); A = alpha I + W diag(g) W' with a frame W that stays fixed.

    Parameters
    ----------
    frame : array (n, k)
        W.
    leak : float
        alpha, not negative.
    clip : bool
        Whether gains stop at 0.
    """

    symmetric = False

    def __init__(self, frame: npt.ArrayLike, leak: float = 0.0, *, clip: bool = False) -> None:
        self.frame = real_matrix("frame", frame)
        self.leak = positive_number("leak", leak, zero=True)
        self.clip = clip

    @classmethod
    def of_circuit(cls, circuit: Circuit) -> Self:
        """Return the law with the circuit's ``frame``, ``leak`` and ``clip``."""
        options = getattr(circuit, "leak", 0.0), getattr(circuit, "clip", False)
        return cls(circuit.frame, options[0], clip=options[1])  # type: ignore[attr-defined]

    def start(self, circuit: Circuit, n_neurons: int) -> Floats:
        """Return the gains before the first sample."""
        return np.array(circuit.initial_state(n_neurons).gains, dtype=np.float64)

    def effective_weights(self, state: Floats) -> Floats:
        """Return alpha I + W diag(g) W'."""
        weights: Floats = (self.frame * state) @ self.frame.T + self.leak * np.eye(len(self.frame))
        return (weights + weights.T) / 2

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return z z - |w_i|^2 for each interneuron, z = W' y."""
        W = self.frame
        change: Floats = np.einsum("ik,ij,jk->k", W, moments, W) - (W**2).sum(axis=0)
        return change

    def drift(self, state: Floats, covariance: Floats) -> Floats:
        """Return the mean change; gains that are clipped at 0 do not fall."""
        flow = self.mean_change(state, covariance)
        return np.where((state <= 0) & (flow < 0), 0.0, flow) if self.clip else flow

    def stops(self, state: Floats) -> Flags | None:
        """Return that gains stop at 0, if they are clipped."""
        return np.ones(state.shape, bool) if self.clip else None

    def offline_step(self, state: Floats, covariance: Floats, learning_rate: float) -> Floats:
        """Return the gains after one update with C_yy in place of yy'."""
        after = state + learning_rate * self.mean_change(state, covariance)
        return np.maximum(after, 0.0) if self.clip else after

    @property
    def gram(self) -> Floats:
        """(W'W)^2, entry by entry: of rank n (n + 1) / 2 if the frame can whiten all inputs."""
        gram: Floats = (self.frame.T @ self.frame) ** 2
        return gram

    @property
    def whitens(self) -> bool:
        """Whether the frame can whiten inputs of any covariance, with gains of either sign."""
        n = len(self.frame)
        return bool(np.linalg.matrix_rank(self.gram) == n * (n + 1) // 2)

    def fixed_point(self, covariance: Floats) -> Floats:
        """Return the gains at rest.

        If the frame can whiten they are g* = [(W'W)^2]^-1 diag(W' (S - alpha I) W), [D23a], the
        shortest such vector if gains can trade with each other. If it cannot, only
        w_i' C_yy w_i = |w_i|^2 holds for each interneuron, or less if its gain is clipped at 0. As
        f(g) = tr(A^-1 C) + sum g_i |w_i|^2 is convex, Newton's method finds its minimum.
        """
        W, identity = self.frame, np.eye(len(self.frame))
        root = square_root(covariance)
        products = np.einsum("ik,ij,jk->k", W, root - self.leak * identity, W)
        gains: Floats = np.linalg.lstsq(self.gram, products, rcond=1e-12)[0]
        if self.whitens and not (self.clip and gains.min() < 0):
            return gains
        return self._newton(self._inside(gains, root), covariance)

    def linearisation(self, covariance: Floats) -> Linearisation:
        """Return the mean rule near its fixed point; gains clipped at 0 stay there."""
        W, gains = self.frame, self.fixed_point(covariance)
        inverse = self._inverse(gains)
        outputs = inverse @ covariance @ inverse
        pulled, seen = inverse @ W, outputs @ W
        errors = -np.einsum("ik,jk->ijk", pulled, seen)
        free = gains > 0 if self.clip else np.ones(len(gains), bool)
        return Linearisation(
            outputs,
            self._hessian(inverse, outputs)[np.ix_(free, free)],
            np.einsum("ik,jk->kij", W, W)[free],
            (errors + np.swapaxes(errors, 0, 1))[:, :, free],
        )

    def _inverse(self, gains: Floats) -> Floats:
        return np.asarray(np.linalg.inv(self.effective_weights(gains)), dtype=np.float64)

    def _hessian(self, inverse: Floats, outputs: Floats) -> Floats:
        """Return the second derivatives of f, minus the Jacobian of the mean rule."""
        W = self.frame
        hessian: Floats = 2 * (W.T @ inverse @ W) * (W.T @ outputs @ W)
        return hessian

    def _inside(self, gains: Floats, root: Floats) -> Floats:
        """Return gains that make A positive definite, and are not negative if they are clipped."""
        if self.clip:
            gains = np.maximum(gains, 0.0)
        if np.linalg.eigvalsh(self.effective_weights(gains))[0] > 0:
            return gains
        return np.full(len(gains), np.linalg.eigvalsh(root)[-1])

    def _newton(self, gains: Floats, covariance: Floats) -> Floats:
        W = self.frame

        def objective(at: Floats) -> float:
            A = self.effective_weights(at)
            if np.linalg.eigvalsh(A)[0] <= 0:
                return np.inf
            value = np.trace(np.linalg.solve(A, covariance)) + at @ (W**2).sum(axis=0)
            return float(value)

        smallest = 1e-12 * (W**2).sum(axis=0).max()
        for _ in range(_MOST_STEPS):
            inverse = self._inverse(gains)
            outputs = inverse @ covariance @ inverse
            slope = -self.change(gains, outputs)
            free = (gains > 0) | (slope < 0) if self.clip else np.ones(len(gains), bool)
            if not free.any() or np.abs(slope[free]).max() < smallest:
                return gains
            step = np.zeros_like(gains)
            hessian = self._hessian(inverse, outputs)[np.ix_(free, free)]
            step[free] = np.linalg.lstsq(hessian, -slope[free], rcond=1e-12)[0]
            length, before = 1.0, objective(gains)
            while True:
                after = np.maximum(gains + length * step, 0) if self.clip else gains + length * step
                if objective(after) <= before + 1e-4 * slope @ (after - gains):
                    break
                length /= 2
                if length < 1e-10:
                    return gains  # at the rounding of the objective
            gains = after
        raise IntegrationError("the gains at rest could not be found; condition the frame better")
