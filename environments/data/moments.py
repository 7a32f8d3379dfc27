"""Moments of a recording's segments, found in one pass."""

import hashlib

import numpy as np

from environments.checks import Floats, Integers, covariance_matrix
from environments.data.array_likes import Samples, refuse_missing
from environments.data.tables import WORDS
from environments.samples.stretches import stretches

ROWS = 4096  # read at a time


def checksum(recording: Samples) -> str:
    """Return the SHA-256 of samples as little-endian 64-bit numbers, row by row."""
    digest = hashlib.sha256()
    n_samples = recording.values.shape[0]
    for first in range(0, n_samples, ROWS):
        rows = recording.read(first, min(first + ROWS, n_samples))
        digest.update(rows.astype("<f8", copy=False).tobytes())
    return digest.hexdigest()


class Moments:
    """Means and second moments of a recording's segments, and its checksum; gaps are refused.

    Parameters
    ----------
    recording : Samples
    starts : array of int
        First sample of each segment.

    Raises
    ------
    ValueError
        If a sample is missing or not finite.
    """

    def __init__(self, recording: Samples, starts: Integers) -> None:
        n_samples, n = recording.values.shape
        self.counts = np.diff(starts, append=n_samples)
        digest = hashlib.sha256()
        sums = np.zeros((len(starts), n))
        products = np.zeros((len(starts), n, n))
        shift = np.zeros(n)
        last = np.full(n, -np.inf)
        self.rising = np.ones(n, bool)  # channels that grow with every sample
        for first in range(0, n_samples, ROWS):
            rows = recording.read(first, min(first + ROWS, n_samples))
            refuse_missing(WORDS, rows, first)
            if first == 0:  # near the mean, so that little is lost to cancellation
                shift = rows.mean(axis=0)
            digest.update(rows.astype("<f8", copy=False).tobytes())
            self.rising &= (np.diff(rows, axis=0) > 0).all(axis=0) & (rows[0] > last)
            last = rows[-1]
            segments = np.searchsorted(starts, np.arange(first, first + len(rows)), "right") - 1
            for segment, inside in stretches(segments):
                shifted = rows[inside] - shift
                sums[segment] += shifted.sum(axis=0)
                with np.errstate(all="ignore"):
                    products[segment] += shifted.T @ shifted
        self.sha256 = digest.hexdigest()
        with np.errstate(all="ignore"):  # what overflows is refused as a covariance
            self._centre(sums, products, shift)

    def _centre(self, sums: Floats, products: Floats, shift: Floats) -> None:
        """Turn sums about a shift into means and second moments."""
        offsets = sums / self.counts[:, None]
        self.means = offsets + shift
        about_shift = products / self.counts[:, None, None]
        self.about_mean = about_shift - offsets[:, :, None] * offsets[:, None, :]
        self.about_zero = self.about_mean + self.means[:, :, None] * self.means[:, None, :]


def full_rank_covariance(part: str, second: Floats, remedy: str) -> Floats:
    """Return the covariance of a part of the recording if it has full rank."""
    try:
        return covariance_matrix(f"the covariance of {part}", second)
    except ValueError as reason:
        raise ValueError(
            f"{str(reason).partition(';')[0]}; {remedy} leave out a channel that stands still or "
            'repeats others, or give truth="absent"'
        ) from None
