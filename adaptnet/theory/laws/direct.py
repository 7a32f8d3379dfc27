"""Direct recurrent connections: the synaptic flow of Algorithm 1 of [L23], and what solves it.

[L23]: Lipshutz, Pehlevan & Chklovskii, ICLR 2023, arXiv 2209.10634. Derivations: docs/theory.md.
"""

import numpy as np
import scipy

from adaptnet._checks import Floats
from adaptnet.theory.modes import ModeLaw, symmetric_products


class DirectLaw(ModeLaw, name="direct"):
    """The effective weights are the synapses, M."""

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return yy' - I, so that dM/dt = M^-1 C M^-1 - I, [L23]."""
        change: Floats = moments - np.eye(len(state))
        return change

    def drift(self, state: Floats, covariance: Floats) -> Floats:
        """Return dM/dt = M^-1 C M^-1 - I."""
        inverse = np.linalg.inv(state)
        flow: Floats = inverse @ covariance @ inverse - np.eye(len(state))
        return flow

    def sampled_deviation(self, deviation: Floats, outputs: Floats, target: Floats) -> list[Floats]:
        """Return D - eta (S^-1 D yy' + yy' D S^-1)."""
        pulled = symmetric_products(outputs @ deviation / target, outputs)
        return [np.broadcast_to(deviation, pulled.shape), -pulled]

    def _rate(self, s_i: Floats, s_j: Floats) -> Floats:
        rates: Floats = 1 / s_i + 1 / s_j
        return rates

    def _elapsed(self, target: Floats, start: Floats, end: Floats) -> Floats:
        """Return t = m0 - m + (s/2) ln[(s+m)(s-m0) / ((s-m)(s+m0))]: linear in m0, [L23]."""
        folds = np.log(start / end) + np.log((2 + end) / (2 + start))
        times: Floats = target * (start - end + folds / 2)
        return times

    def _weight(self, time: Floats, target: Floats, start: Floats) -> Floats:
        each = zip(time.flat, target.flat, start.flat, strict=True)
        return np.array([_weight(*one) for one in each]).reshape(time.shape)


def _weight(t: float, s: float, m0: float) -> float:
    """Solve for v in m = s + (m0 - s) e^-v, which keeps its digits when m is close to s."""
    if t == 0 or m0 == s:
        return m0

    def late(v: float) -> float:
        m = s + (m0 - s) * np.exp(-v)
        return float((m0 - s) * -np.expm1(-v) + s / 2 * (v + np.log((s + m) / (s + m0))) - t)

    # At least s v / 2 of the time is not offset by the other terms, |m0 - s| and (s/2) ln 2.
    v = scipy.optimize.brentq(
        late, 0.0, 2 * (t + max(0.0, s - m0)) / s + 1.0, xtol=1e-14, rtol=1e-14
    )
    return float(s + (m0 - s) * np.exp(-v))
