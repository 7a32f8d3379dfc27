"""Interneurons: the synaptic flow of Algorithm 2 of [L23], and what solves it.

[L23]: Lipshutz, Pehlevan & Chklovskii, ICLR 2023, arXiv 2209.10634. The effective weights are
A = W W'; they follow a flow of their own, whatever the number of interneurons. Time is synaptic
time t = eta * samples throughout; a mode is a common eigenvector of A and of C, with target s, the
square root of the variance along it. Derivations: docs/theory.md.
"""

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_numbers, threshold_below_one
from adaptnet.metrics import output_covariance


def drift(weights: Floats, covariance: Floats) -> Floats:
    """Return dA/dt = A^-1 C + C A^-1 - 2 A; arguments and result (n, n), not checked.

    It follows from dW/dt = A^-1 C A^-1 W - W, [L23].
    """
    half = np.linalg.solve(weights, covariance)
    flow: Floats = half + half.T - 2 * weights
    return flow


def offline_step(weights: Floats, covariance: Floats, learning_rate: float) -> Floats:
    """Return A after W + eta (A^-1 C A^-1 - I) W, the update with C_yy in place of yy'."""
    n = len(weights)
    change = np.eye(n) + learning_rate * (output_covariance(weights, covariance) - np.eye(n))
    after: Floats = change @ weights @ change.T
    return after


def mode_time(target: npt.ArrayLike, start: npt.ArrayLike, threshold: float) -> Floats:
    """Return the synaptic time until a mode's error |s^2/m^2 - 1| is at most `threshold`.

    Logarithmic in the start, and a function of m0/s alone [L23].

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
    array([0.824, 1.698, 2.852])
    """
    s, m0 = np.broadcast_arrays(
        positive_numbers("target", target), positive_numbers("start", start)
    )
    error = threshold_below_one(threshold)
    excess = (m0 / s - 1) * (m0 / s + 1)
    # From above the output variance s^2/m^2 rises to 1 - error, from below it falls to 1 + error.
    fold = np.where(excess > 0, excess * (1 - error), -excess * (1 + error)) / error
    times: Floats = np.log(np.maximum(fold, 1.0)) / 4
    return times


def mode(time: npt.ArrayLike, target: npt.ArrayLike, start: npt.ArrayLike) -> Floats:
    """Return the weight of a mode after a synaptic time: m^2 = s^2 + (m0^2 - s^2) e^-4t.

    It follows from the flow of [L23], see docs/theory.md.

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
    >>> mode([0.0, 0.5, 5.0], target=1.0, start=10.0).round(3)
    array([10.   ,  3.794,  1.   ])
    """
    t = positive_numbers("time", time, zero=True)
    s, m0 = positive_numbers("target", target), positive_numbers("start", start)
    remaining = np.exp(-4 * t)
    weights: Floats = np.sqrt(m0**2 * remaining - s**2 * np.expm1(-4 * t))
    return weights


def local_rates(covariance: npt.ArrayLike) -> Floats:
    """Return the rates at which small deviations from A = C^(1/2) decay, never below 4.

    They are (s_i + s_j)^2 / (s_i s_j).

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
    array([[4. , 4.5],
           [4.5, 4. ]])
    """
    s = np.sqrt(np.linalg.eigvalsh(positive_definite("covariance", covariance)))
    rates: Floats = np.add.outer(s, s) ** 2 / np.multiply.outer(s, s)
    return rates
