"""Areas under recorded curves, without loading scipy.integrate for them."""

import numpy as np
import numpy.typing as npt


def trapezoid(values: npt.ArrayLike, at: npt.ArrayLike) -> float:
    """Return the area under straight lines through `values` (record,) at positions (record,).

    Examples
    --------
    >>> trapezoid([1.0, 3.0, 3.0], [0, 2, 3])
    7.0
    """
    y, x = np.asarray(values, dtype=np.float64), np.asarray(at, dtype=np.float64)
    return float((np.diff(x) * (y[1:] + y[:-1])).sum() / 2)
