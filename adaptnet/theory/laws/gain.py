"""Interneurons with fixed synapses and plastic gains: the frame's law [D23a].

[D23a]: Duong et al., ICML 2023, arXiv 2301.11955. What is own is marked in docs/theory.md.
"""

from typing import Self

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_number, real_matrix
from adaptnet.circuits.base import Circuit
from adaptnet.errors import IntegrationError
from adaptnet.metrics import square_root
from adaptnet.theory.law import Law

_MOST_STEPS = 200  # of Newton's method; ten are usual


class GainLaw(Law, name="gain"):
    """The state is the gains g (k,); A = alpha I + W diag(g) W' with a frame W that stays fixed.

    Parameters
    ----------
    frame : array (n, k)
        W.
    leak : float
        alpha, not negative.
    """

    symmetric = False

    def __init__(self, frame: npt.ArrayLike, leak: float = 0.0) -> None:
        self.frame = real_matrix("frame", frame)
        self.leak = positive_number("leak", leak, zero=True)

    @classmethod
    def of_circuit(cls, circuit: Circuit) -> Self:
        """Return the law with the circuit's ``frame`` and ``leak``."""
        return cls(circuit.frame, getattr(circuit, "leak", 0.0))  # type: ignore[attr-defined]

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
        w_i' C_yy w_i = |w_i|^2 holds for each interneuron; as f(g) = tr(A^-1 C) + sum g_i |w_i|^2
        is convex, Newton's method finds its minimum.
        """
        W, identity = self.frame, np.eye(len(self.frame))
        root = square_root(covariance)
        products = np.einsum("ik,ij,jk->k", W, root - self.leak * identity, W)
        gains: Floats = np.linalg.lstsq(self.gram, products, rcond=1e-12)[0]
        return gains if self.whitens else self._newton(self._inside(gains, root), covariance)

    def _inside(self, gains: Floats, root: Floats) -> Floats:
        """Return gains that make A positive definite."""
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

        for _ in range(_MOST_STEPS):
            slope = -self.drift(gains, covariance)
            inverse = np.linalg.inv(self.effective_weights(gains))
            outputs = inverse @ covariance @ inverse
            hessian = 2 * (W.T @ inverse @ W) * (W.T @ outputs @ W)
            step = np.linalg.lstsq(hessian, -slope, rcond=1e-12)[0]
            if np.abs(slope).max() < 1e-12 * (W**2).sum(axis=0).max():
                return gains
            length, before = 1.0, objective(gains)
            while objective(gains + length * step) > before + 1e-4 * length * (slope @ step):
                length /= 2
                if length < 1e-10:
                    return gains  # at the rounding of the objective
            gains = gains + length * step
        raise IntegrationError("the gains at rest could not be found; condition the frame better")
