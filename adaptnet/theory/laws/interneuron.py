"""Interneurons: the synaptic flow of Algorithm 2 of [L23], and what solves it.

[L23]: Lipshutz, Pehlevan & Chklovskii, ICLR 2023, arXiv 2209.10634. Derivations: docs/theory.md.
"""

import numpy as np

from adaptnet._checks import Floats
from adaptnet.metrics import output_covariance
from adaptnet.theory.modes import ModeLaw, symmetric_products


class InterneuronLaw(ModeLaw, name="interneuron"):
    """The effective weights, A = W W', follow a flow of their own for any number of interneurons.

    All its times depend on ratios of weights to targets alone.
    """

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return yy' A + A yy' - 2 A, which follows from dW/dt = yy' W - W, [L23]."""
        half = moments @ state
        change: Floats = half + half.T - 2 * state
        return change

    def drift(self, state: Floats, covariance: Floats) -> Floats:
        """Return dA/dt = A^-1 C + C A^-1 - 2 A."""
        half = np.linalg.solve(state, covariance)
        flow: Floats = half + half.T - 2 * state
        return flow

    def offline_step(self, state: Floats, covariance: Floats, learning_rate: float) -> Floats:
        """Return A after W + eta (A^-1 C A^-1 - I) W."""
        identity = np.eye(len(state))
        factor = identity + learning_rate * (output_covariance(state, covariance) - identity)
        after: Floats = factor @ state @ factor.T
        return after

    def sampled_deviation(self, deviation: Floats, outputs: Floats, target: Floats) -> list[Floats]:
        """Return (1 - eta)^2 D - eta (1 - eta) X - eta^2 (y'Sy X_S + y'Dy yy').

        With p = S^-1 D y, X = p (Sy)' + Sy p' and X_S = p y' + y p': the first-order terms of F A F
        with F = (1 - eta) I + eta yy'.
        """
        pulled = outputs @ deviation / target
        X = symmetric_products(pulled, outputs * target)
        squares = outputs[:, :, None] * outputs[:, None, :]
        energy = (outputs**2 @ target)[:, None, None]
        along = np.einsum("ti,ij,tj->t", outputs, deviation, outputs)[:, None, None]
        second = X - energy * symmetric_products(pulled, outputs) - along * squares
        return [np.broadcast_to(deviation, X.shape), -2 * deviation - X, deviation + second]

    def _rate(self, s_i: Floats, s_j: Floats) -> Floats:
        """Return (s_i + s_j)^2 / (s_i s_j), never below 4."""
        rates: Floats = (s_i + s_j) ** 2 / (s_i * s_j)
        return rates

    def _elapsed(self, target: Floats, start: Floats, end: Floats) -> Floats:
        """Return t = (1/4) ln[(m0^2 - s^2) / (m^2 - s^2)]: logarithmic in m0, [L23]."""
        times: Floats = (np.log(start / end) + np.log((2 + start) / (2 + end))) / 4
        return times

    def _weight(self, time: Floats, target: Floats, start: Floats) -> Floats:
        """Return m with m^2 = s^2 + (m0^2 - s^2) e^-4t."""
        squares = start**2 * np.exp(-4 * time) - target**2 * np.expm1(-4 * time)
        weights: Floats = np.sqrt(squares)
        return weights
