"""Learning rates up to which learning from single samples is stable near the optimum. Own.

A sample multiplies a small deviation D by a random linear map T(D), a polynomial in the learning
rate. Offline learning is stable while the mean of T contracts; learning from samples is stable in
mean square only while E[T x T] does, which fails at about a quarter of that rate.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite
from adaptnet.circuits.base import Circuit
from adaptnet.theory.modes import ModeLaw
from adaptnet.theory.registry import largest_learning_rate, mode_law_of

_SAMPLES = 40_000  # for one neuron; with more, fewer do: the limit then errs by 3 % or so
_BLOCK = 2**22  # numbers held at a time
_DIGITS = 1e-4  # relative; far below what the samples leave


def largest_online_learning_rate(circuit: str | Circuit, covariance: npt.ArrayLike) -> float:
    """Return the learning rate above which small deviations grow in mean square, sample by sample.

    For Gaussian inputs, in linear order about A = C^(1/2). Errors then have no finite mean square,
    and the direct circuit sooner or later leaves the positive definite cone. One neuron alone has
    the limit s / 3 as a direct circuit, 0.148 with interneurons. Averages over seeded samples
    make the limit right within some percent.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of such a kind.
    covariance : array (n, n)

    Raises
    ------
    TypeError, ValueError
        If theory has no closed forms for the circuit, or the covariance is not positive definite.

    Examples
    --------
    >>> round(largest_online_learning_rate("direct", [[1.0]]), 2)
    0.33
    """
    law = mode_law_of(circuit)
    C = positive_definite("covariance", covariance)
    moments = _moments(law, np.sqrt(np.linalg.eigvalsh(C)))
    low, high = 0.0, largest_learning_rate(circuit, C)
    while high - low > _DIGITS * high:
        middle = (low + high) / 2
        operator = sum(middle**power * matrix for power, matrix in enumerate(moments))
        growth = np.abs(np.linalg.eigvals(operator)).max()
        low, high = (middle, high) if growth < 1 else (low, middle)
    return low


def _moments(law: ModeLaw, s: Floats) -> list[Floats]:
    """Return the coefficients of E[T x T], by powers of the learning rate.

    Gaussian inputs look the same with any output's sign flipped, so the covariance of deviations
    that grows fastest does, too: it has variances off the diagonal, and covariances of the diagonal
    entries with each other. Its n^2 numbers are arranged as a matrix, the covariances (i, j) of
    diagonal entries first, then variances (i < j).
    """
    n = len(s)
    n_samples = max(int(_SAMPLES / n**1.5), 1000)
    units = [np.diag(unit) for unit in np.eye(n)]
    units += [_pair(n, i, j) for i in range(n) for j in range(i + 1, n)]
    n_powers = len(law.sampled_deviation(units[0], np.ones((1, n)), s))
    size = n * n + len(units) - n
    total = np.zeros((2 * n_powers - 1, size, size))
    rng = np.random.default_rng(0)
    block = max(1, _BLOCK // (n**2 * len(units)))
    for first in range(0, n_samples, block):
        y = rng.standard_normal((min(block, n_samples - first), n))
        by_unit = [law.sampled_deviation(unit, y, s) for unit in units]
        powers = [np.array(power) for power in zip(*by_unit, strict=True)]
        for a, b in product(range(n_powers), repeat=2):
            total[a + b] += _products(powers[a], powers[b]) / n_samples
    return list(total)


def _products(first: Floats, second: Floats) -> Floats:
    """Return the sum over samples of T x T for responses (unit, sample, n, n) of two powers."""
    n = first.shape[-1]
    upper = np.triu_indices(n, 1)
    own = [np.diagonal(response, axis1=2, axis2=3) for response in (first, second)]
    off = [response[:, :, *upper] for response in (first, second)]
    n_pairs = len(upper[0])
    step = np.empty((n * n + n_pairs,) * 2)
    # From covariances of diagonal entries (k, l) to those (i, j), and to variances of pairs.
    flat = [np.swapaxes(of_units[:n], 0, 1).reshape(len(first[0]), -1) for of_units in own]
    to_own = (flat[0].T @ flat[1]).reshape(n, n, n, n)  # (k, i, l, j)
    step[: n * n, : n * n] = to_own.transpose(1, 3, 0, 2).reshape(n * n, n * n)
    by_pair = [of_units[:n].transpose(2, 0, 1) for of_units in off]  # (pair, unit, sample)
    step[n * n :, : n * n] = (by_pair[0] @ by_pair[1].swapaxes(1, 2)).reshape(n_pairs, n * n)
    # From variances of pairs to the same.
    of_pairs = own[0][n:].swapaxes(1, 2) @ own[1][n:]  # (unit, i, j)
    step[: n * n, n * n :] = of_pairs.reshape(n_pairs, n * n).T
    step[n * n :, n * n :] = (off[0][n:] * off[1][n:]).sum(axis=1).T
    return step


def _pair(n: int, i: int, j: int) -> Floats:
    unit = np.zeros((n, n))
    unit[i, j] = unit[j, i] = 1
    return unit
