"""Quantiles of values of which some are missing."""

from collections.abc import Sequence

import numpy as np

from adaptnet._checks import Floats


def finite_quantiles(values: Floats, shares: Sequence[float], axis: int = 0) -> Floats:
    """Return quantiles of the finite values along an axis, NaN without any.

    As numpy.nanquantile, which takes a column at a time as soon as a single value is missing: 70
    times as long for curves of 20 replicates.

    Examples
    --------
    >>> finite_quantiles(np.array([[1.0, 5.0], [np.nan, 3.0], [2.0, np.nan]]), (0.5, 1.0))
    array([[1.5, 4. ],
           [2. , 5. ]])
    """
    moved = np.moveaxis(values, axis, 0)
    ordered = np.sort(np.where(np.isfinite(moved), moved, np.nan), axis=0)  # NaN come last
    n = np.isfinite(ordered).sum(axis=0)
    place = np.asarray(shares, dtype=np.float64).reshape(-1, *[1] * n.ndim) * np.maximum(n - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(n - 1, 0))
    low, high = (np.take_along_axis(ordered, index, axis=0) for index in (below, above))
    return np.asarray(low + (place - below) * (high - low), dtype=np.float64)
