"""Moments of a recording's segments, found in one pass."""

import hashlib

import numpy as np

from environments.checks import Integers
from environments.data.tables import Table
from environments.samples.stretches import stretches

_ROWS = 4096  # read at a time


class Moments:
    """Means and second moments of a recording's segments, and its checksum; gaps are refused.

    Parameters
    ----------
    recording : Table
    starts : array of int
        First sample of each segment.

    Raises
    ------
    ValueError
        If a sample is missing or not finite.
    """

    def __init__(self, recording: Table, starts: Integers) -> None:
        n_samples, n = recording.shape
        self.counts = np.diff(starts, append=n_samples)
        digest = hashlib.sha256()
        sums = np.zeros((len(starts), n))
        products = np.zeros((len(starts), n, n))
        shift = np.zeros(n)
        for first in range(0, n_samples, _ROWS):
            rows = recording.read(first, min(first + _ROWS, n_samples))
            if not np.isfinite(rows).all():
                row, channel = np.argwhere(~np.isfinite(rows))[0]
                raise ValueError(
                    f"a recording must have no gaps, got {rows[row, channel]} at sample "
                    f"{first + row}, channel {channel}; interpolate such samples, or cut them out "
                    "and name the place in `changes`"
                )
            if first == 0:  # near the mean, so that little is lost to cancellation
                shift = rows.mean(axis=0)
            digest.update(rows.astype("<f8", copy=False).tobytes())
            segments = (
                np.searchsorted(starts, np.arange(first, first + len(rows)), side="right") - 1
            )
            for segment, inside in stretches(segments):
                shifted = rows[inside] - shift
                sums[segment] += shifted.sum(axis=0)
                products[segment] += shifted.T @ shifted
        self.sha256 = digest.hexdigest()
        offsets = sums / self.counts[:, None]
        self.means = offsets + shift
        about_shift = products / self.counts[:, None, None]
        self.about_mean = about_shift - offsets[:, :, None] * offsets[:, None, :]
        self.about_zero = self.about_mean + self.means[:, :, None] * self.means[:, None, :]
