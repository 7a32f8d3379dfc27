"""Cholesky factors as plain loops, for use inside kernels."""

import math

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import kernel

Floats = npt.NDArray[np.float64]


@kernel
def unit_of(x: Floats) -> float:
    """Return what to divide x by before squaring it: 1, unless squares overflow or underflow."""
    largest = 0.0
    for i in range(x.shape[0]):
        largest = max(largest, abs(x[i]))
    return 1.0 if 1e-120 < largest < 1e120 or largest == 0.0 else largest


@kernel
def factorise(matrix: Floats, factor: Floats) -> bool:
    """Write the lower Cholesky factor of `matrix`, with the reciprocals of its diagonal.

    Only the size of `factor` is read, and the lower triangle. False if not positive definite.
    """
    n = factor.shape[0]
    for i in range(n):
        row_i = factor[i]
        for j in range(i + 1):
            row_j = factor[j]
            rest = 0.0
            for k in range(j):
                rest += row_i[k] * row_j[k]
            rest = matrix[i, j] - rest
            if j < i:
                row_i[j] = rest * row_j[j]
            elif 0.0 < rest < math.inf:  # False for NaN too
                row_i[i] = 1.0 / math.sqrt(rest)
            else:
                return False
    return True


@kernel
def solve(factor: Floats, right: Floats, out: Floats) -> None:
    """Write the solution of L L' out = right, `factor` as `factorise` leaves it."""
    n = factor.shape[0]
    for i in range(n):
        row = factor[i]
        rest = right[i]
        for k in range(i):
            rest -= row[k] * out[k]
        out[i] = rest * row[i]
    for i in range(n - 1, -1, -1):
        row = factor[i]
        value = out[i] * row[i]
        out[i] = value
        for k in range(i):
            out[k] -= row[k] * value
