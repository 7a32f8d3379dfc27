"""Recordings whose running mean is subtracted, as a circuit could do it while they last."""

from typing import Any

import numpy as np

from environments.checks import Floats

_STRETCH = 8192  # samples between means that are kept, so that reading may begin anywhere


class WithoutRunningMean:
    """Rows of a recording minus the exponential average of those before them.

    ``m_t = m_{t-1} + (x_t - m_{t-1}) / samples``, from the first sample on, which is taken as the
    mean of what went before; x_t - m_{t-1} is given.

    Parameters
    ----------
    values : Samples
    samples : int
        Time constant of the average.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, values: Any, samples: int) -> None:
        self._values = values
        self._share = 1 / samples
        self.shape = values.values.shape
        self._means = [values.read(0, 1)[0]]  # before each stretch

    def __getitem__(self, rows: slice) -> Floats:
        from scipy.signal import lfilter

        start, stop, _ = rows.indices(self.shape[0])
        first = start // _STRETCH
        parts = []
        for stretch in range(min(first, len(self._means) - 1), -(-stop // _STRETCH)):
            inputs = self._values.read(
                stretch * _STRETCH, min((stretch + 1) * _STRETCH, self.shape[0])
            )
            mean = self._means[stretch]
            # Relative to the mean before, so that a large one costs no digits.
            kept = 1 - self._share
            moved = lfilter([self._share], [1.0, -kept], inputs - mean, axis=0)
            if stretch + 1 == len(self._means):
                self._means.append(mean + moved[-1])
            if stretch >= first:
                before = np.vstack([np.zeros_like(mean), moved[:-1]])
                parts.append(inputs - mean - before)
        residuals = np.concatenate(parts) if parts else np.empty((0, self.shape[1]))
        offset = first * _STRETCH
        return residuals[start - offset : stop - offset]
