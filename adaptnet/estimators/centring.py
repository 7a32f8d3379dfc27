"""A mean that is learned as samples come."""

import numpy as np

from adaptnet._checks import Floats


def means_after(values: Floats, mean: Floats, n_seen: int, forgetting: float) -> Floats:
    """Return the running mean after each sample.

    ``m_t = m_{t-1} + g_t (x_t - m_{t-1})`` with ``g_t = max(1 / t, forgetting)``: the plain mean of
    all samples until `forgetting` is larger, and an exponential average from then on.

    Parameters
    ----------
    values : array (sample, n)
    mean : array (n,)
        Before the first of them.
    n_seen : int
        Samples before the first of them.
    forgetting : float
        At least 0, at most 1.

    Returns
    -------
    array (sample, n)

    Examples
    --------
    >>> means_after(np.array([[1.0], [3.0], [5.0]]), np.zeros(1), 0, 0.0).ravel()
    array([1., 2., 3.])
    """
    from scipy.signal import lfilter

    last_plain = len(values) if forgetting == 0 else int(min(len(values), 1 / forgetting - n_seen))
    n_plain = max(0, last_plain)
    means = np.empty_like(values)
    # Relative to the mean before, so that a large one costs no digits.
    numbers = np.arange(n_seen + 1, n_seen + n_plain + 1)[:, None]
    means[:n_plain] = mean + np.cumsum(values[:n_plain] - mean, axis=0) / numbers
    if n_plain < len(values):
        before = means[n_plain - 1] if n_plain else mean
        kept = [1.0, forgetting - 1.0]
        means[n_plain:] = before + lfilter([forgetting], kept, values[n_plain:] - before, axis=0)
    return means
