"""Helpers of the builders."""

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, real_array


def checked_spectrum(spectrum: npt.ArrayLike) -> Floats:
    """Return a spectrum as an array if it is the spectrum of a covariance of full rank."""
    values = real_array("spectrum", spectrum)
    if values.ndim != 1 or not values.size or not ((values > 0) & np.isfinite(values)).all():
        raise ValueError(f"spectrum must be a list of finite positive variances, got {spectrum!r}")
    return values


def symmetric(matrix: Floats) -> Floats:
    """Return `matrix` without the asymmetry of rounding."""
    return np.asarray((matrix + matrix.T) / 2)
