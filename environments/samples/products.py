"""Variances of products of whitened inputs, which set the noise of circuits that learn from them.

Learning rules average products y_i y_j of outputs. For white Gaussian inputs these have the
variance 1 + (i == j); heavy tails and memory add to it, and what they add is worked out here.
"""

import numpy as np

from environments.checks import Floats

_LONGEST, _FEWEST = 2**16, 2**12  # samples used: errors of 3 and 12 % at a correlation time of 2.5
_WORK = 2**25  # products in all, some seconds of transforming them
_PAIRS = 16  # series transformed at a time, so that their spectra take some 50 MB
_WINDOW = 6  # correlation times over which lags are summed (Sokal's rule has 4 to 10)


def gaussian_variances(covariance: Floats) -> Floats:
    """Return Var(y_i y_j) for Gaussian y of the given covariance: S_ii S_jj + S_ij^2.

    Examples
    --------
    >>> gaussian_variances(np.eye(2))
    array([[2., 1.],
           [1., 2.]])
    """
    variances = np.diag(covariance)
    return np.asarray(np.outer(variances, variances) + covariance**2)


def memory_factor(correlation: float, rates: Floats) -> Floats:
    """Return the sum of ((1 - rates) correlation)^abs(k) over all lags k.

    Examples
    --------
    >>> memory_factor(0.5, np.zeros((1, 1)))  # (1 + 1/2) / (1 - 1/2)
    array([[3.]])
    """
    ratio = (1 - rates) * correlation
    return np.asarray((1 + ratio) / (1 - ratio))


def fourth_moments(series: Floats) -> Floats:
    """Return the mean of y_i^2 y_j^2 over a series (sample, component)."""
    squares = series**2
    return np.asarray(squares.T @ squares / len(series))


def long_run_variances(series: Floats, rates: Floats) -> Floats:
    """Return the sum over lags k of (1 - rates)^abs(k) times the autocovariance of y_i y_j.

    Lags are summed up to six correlation times, found as the sum goes on (A. D. Sokal, "Monte Carlo
    methods in statistical mechanics", 1997). At most the first 65,536 samples are used, of many
    components fewer, but no fewer than 4096.

    Parameters
    ----------
    series : array (sample, component)
    rates : array (component, component)

    Returns
    -------
    array (component, component)
    """
    n = series.shape[1]
    series = series[: int(np.clip(_WORK // n**2, _FEWEST, _LONGEST))]
    variances = np.empty((n, n))
    for i in range(n):
        for first in range(i, n, _PAIRS):
            columns = slice(first, min(first + _PAIRS, n))
            products = series[:, i, None] * series[:, columns]
            sums = _summed_autocovariances(products, 1 - rates[i, columns])
            variances[i, columns] = variances[columns, i] = sums
    return variances


def _summed_autocovariances(series: Floats, kept: Floats) -> Floats:
    """Return sums over lags k of kept^abs(k) times the autocovariance of each column."""
    from scipy import fft

    n_samples = len(series)
    length = fft.next_fast_len(2 * n_samples, real=True)  # zeros between the ends: no wrap-around
    power = np.abs(fft.rfft(series - series.mean(axis=0), length, axis=0)) ** 2
    covariances = fft.irfft(power, length, axis=0)[:n_samples] / n_samples
    lags = np.arange(n_samples)[:, None]
    covariances *= kept**lags
    sums = 2 * np.cumsum(covariances, axis=0) - covariances[0]
    # Over the variance, a sum is twice the correlation time. The first lag far beyond that:
    far = lags * covariances[0] >= _WINDOW / 2 * sums
    last = np.where(far.any(axis=0), far.argmax(axis=0), n_samples - 1)
    return np.asarray(sums[last, np.arange(series.shape[1])])
