"""Direct recurrent connections: the synaptic flow of Algorithm 1 of [L23], and what solves it.

[L23]: Lipshutz, Pehlevan & Chklovskii, ICLR 2023, arXiv 2209.10634. Time is synaptic time
t = eta * samples throughout; a mode is a common eigenvector of the weights and of C, with target
s, the square root of the variance along it. Derivations: docs/theory.md.
"""

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_numbers, threshold_below_one
from adaptnet.metrics import output_covariance


def drift(weights: Floats, covariance: Floats) -> Floats:
    """Return dM/dt = M^-1 C M^-1 - I, [L23]; arguments and result (n, n), not checked."""
    excess = output_covariance(weights, covariance)
    return excess - np.eye(len(weights))


def offline_step(weights: Floats, covariance: Floats, learning_rate: float) -> Floats:
    """Return M + eta (M^-1 C M^-1 - I): the update with C_yy in place of yy', not checked."""
    return weights + learning_rate * drift(weights, covariance)


def elapsed(weight: Floats, target: Floats, start: Floats) -> Floats:
    """Return the time a mode takes from `start` to `weight`, which lies before its target.

    With m the weight, s the target and m0 the start (derivation: docs/theory.md):
    t = m0 - m + (s/2) ln |(s+m)(s-m0) / ((s-m)(s+m0))|.
    """
    closer = np.log((target - start) / (target - weight))
    slower = np.log((target + weight) / (target + start))
    time: Floats = start - weight + target / 2 * (closer + slower)
    return time


def mode_time(target: npt.ArrayLike, start: npt.ArrayLike, threshold: float) -> Floats:
    """Return the synaptic time until a mode's error |s^2/m^2 - 1| is at most `threshold`.

    Linear in the start: a weight far above its target falls at unit speed [L23].

    Parameters
    ----------
    target : array
        s, square root of the variance of the inputs along the mode.
    start : array
        m0, weight of the mode at time 0; broadcasts against `target`.
    threshold : float
        Between 0 and 1.

    Returns
    -------
    array
        0 where the start is that close already.

    Raises
    ------
    TypeError, ValueError
        If a target or start is not positive, or the threshold not between 0 and 1.

    Examples
    --------
    >>> mode_time(1.0, [2.0, 10.0, 100.0], 0.1).round(3)
    array([  2.215,  10.664, 100.754])
    """
    s, m0 = np.broadcast_arrays(
        positive_numbers("target", target), positive_numbers("start", start)
    )
    error = threshold_below_one(threshold)
    # From above the output variance s^2/m^2 rises to 1, from below it falls.
    end = s / np.sqrt(np.where(m0 > s, 1 - error, 1 + error))
    far = np.where(m0 > s, m0 > end, m0 < end)
    times: Floats = np.zeros(s.shape)
    times[far] = elapsed(end[far], s[far], m0[far])
    return times


def mode(time: npt.ArrayLike, target: npt.ArrayLike, start: npt.ArrayLike) -> Floats:
    """Return the weight of a mode after a synaptic time: the inverse of :func:`elapsed`.

    Parameters
    ----------
    time, target, start : array
        t, s and m0; they broadcast against each other.

    Raises
    ------
    TypeError, ValueError
        If a target or start is not positive, or a time negative.

    Examples
    --------
    >>> mode([0.0, 5.0, 50.0], target=1.0, start=10.0).round(3)
    array([10.   ,  5.098,  1.   ])
    """
    t, s, m0 = np.broadcast_arrays(
        positive_numbers("time", time, zero=True),
        positive_numbers("target", target),
        positive_numbers("start", start),
    )
    weights: Floats = np.array([_mode(*one) for one in zip(t.flat, s.flat, m0.flat, strict=True)])
    return weights.reshape(t.shape)


def _mode(t: float, s: float, m0: float) -> float:
    """Solve for v in m = s + (m0 - s) e^-v, which keeps its digits when m is close to s."""
    from scipy.optimize import brentq

    if t == 0 or m0 == s:
        return m0

    def late(v: float) -> float:
        m = s + (m0 - s) * np.exp(-v)
        return float((m0 - s) * -np.expm1(-v) + s / 2 * (v + np.log((s + m) / (s + m0))) - t)

    # At least s v / 2 of the time is not offset by the other terms, |m0 - s| and (s/2) ln 2.
    v = brentq(late, 0.0, 2 * (t + max(0.0, s - m0)) / s + 1.0, xtol=1e-14, rtol=1e-14)
    return float(s + (m0 - s) * np.exp(-v))


def local_rates(covariance: npt.ArrayLike) -> Floats:
    """Return the rates at which small deviations from M = C^(1/2) decay: 1/s_i + 1/s_j.

    Parameters
    ----------
    covariance : array (n, n)

    Returns
    -------
    array (n, n)
        Row i, column j: the rate of the deviation's entry i, j in the eigenbasis of C, whose
        eigenvalues s_i^2 are in ascending order. Per unit of synaptic time.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not symmetric positive definite.

    Examples
    --------
    >>> local_rates([[1.0, 0.0], [0.0, 4.0]])
    array([[2. , 1.5],
           [1.5, 1. ]])
    """
    s = np.sqrt(np.linalg.eigvalsh(positive_definite("covariance", covariance)))
    rates: Floats = np.add.outer(1 / s, 1 / s)
    return rates
