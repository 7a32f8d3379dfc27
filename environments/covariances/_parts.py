"""What builders share."""

import numpy as np
import numpy.typing as npt

from environments._checks import Floats


def given_spectrum(spectrum: npt.ArrayLike) -> Floats:
    values = np.array(spectrum, dtype=np.float64)
    if values.ndim != 1 or not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError(f"spectrum must be a list of finite positive variances, got {spectrum!r}")
    return values


def symmetric(matrix: Floats) -> Floats:
    """Return `matrix` without the asymmetry of rounding."""
    return np.asarray((matrix + matrix.T) / 2)
