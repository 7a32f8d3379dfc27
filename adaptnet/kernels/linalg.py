"""Cholesky factorisation and solution as plain loops, for use inside kernels."""

import math

import numpy as np
import numpy.typing as npt

from adaptnet.kernels._jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def factorise(matrix: Floats, factor: Floats) -> bool:
    """Write the lower Cholesky factor of `matrix`; False where it is not positive definite."""
    n = matrix.shape[0]
    for i in range(n):
        row_i = factor[i]
        for j in range(i + 1):
            row_j = factor[j]
            rest = matrix[i, j]
            for k in range(j):
                rest -= row_i[k] * row_j[k]
            if i > j:
                row_i[j] = rest / row_j[j]
            elif rest > 0.0:  # False for NaN too
                row_i[i] = math.sqrt(rest)
            else:
                return False
    return True


@kernel
def solve(factor: Floats, right: Floats, out: Floats) -> None:
    """Write the solution of `factor factor' out = right`."""
    n = right.shape[0]
    for i in range(n):
        row = factor[i]
        rest = right[i]
        for k in range(i):
            rest -= row[k] * out[k]
        out[i] = rest / row[i]
    for i in range(n - 1, -1, -1):
        row = factor[i]
        value = out[i] / row[i]
        out[i] = value
        for k in range(i):
            out[k] -= row[k] * value
