"""Symmetric matrices as plain loops, for use inside kernels.

Carried matrices are padded with zeros to a multiple of FOUR rows and columns, and passes over them
take four rows at a time: each element of a vector is then fetched once for four products.
"""

import math

import numpy as np
import numpy.typing as npt

from adaptnet.kernels._jit import kernel

Floats = npt.NDArray[np.float64]

FOUR = 4


def padded(matrix: Floats) -> Floats:
    """Return a copy of `matrix` with zeros up to the next multiple of FOUR rows and columns."""
    rows, columns = matrix.shape
    copy: Floats = np.zeros((-(-rows // FOUR) * FOUR, -(-columns // FOUR) * FOUR))
    copy[:rows, :columns] = matrix
    return copy


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


@kernel
def invert(factor: Floats, inverse: Floats) -> None:
    """Write the padded inverse of the matrix whose factor is `factor`."""
    n = factor.shape[0]
    unit = np.zeros(n)
    for j in range(n):
        unit[j] = 1.0
        solve(factor, unit, inverse[j])
        unit[j] = 0.0
    for i in range(n):  # symmetric to the last bit, as the updates keep it
        for j in range(i):
            inverse[i, j] = inverse[j, i]


@kernel
def multiply(P: Floats, v: Floats, out: Floats) -> None:
    """Write P v, for any padded matrix P."""
    rows, columns = P.shape
    for i in range(0, rows, FOUR):
        row_0, row_1, row_2, row_3 = P[i], P[i + 1], P[i + 2], P[i + 3]
        sum_0 = sum_1 = sum_2 = sum_3 = 0.0
        for j in range(columns):
            sum_0 += row_0[j] * v[j]
            sum_1 += row_1[j] * v[j]
            sum_2 += row_2[j] * v[j]
            sum_3 += row_3[j] * v[j]
        out[i], out[i + 1], out[i + 2], out[i + 3] = sum_0, sum_1, sum_2, sum_3


@kernel
def update_and_multiply(
    P: Floats, scale: float, a: Floats, b: Floats, c: Floats, d: Floats, v: Floats, out: Floats
) -> None:
    """Change P to scale P - a b' - c d' and write P v, in one pass."""
    m = P.shape[0]
    for i in range(0, m, FOUR):
        row_0, row_1, row_2, row_3 = P[i], P[i + 1], P[i + 2], P[i + 3]
        a_0, a_1, a_2, a_3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        c_0, c_1, c_2, c_3 = c[i], c[i + 1], c[i + 2], c[i + 3]
        sum_0 = sum_1 = sum_2 = sum_3 = 0.0
        for j in range(m):
            b_j, d_j, v_j = b[j], d[j], v[j]
            p_0 = scale * row_0[j] - (a_0 * b_j + c_0 * d_j)
            p_1 = scale * row_1[j] - (a_1 * b_j + c_1 * d_j)
            p_2 = scale * row_2[j] - (a_2 * b_j + c_2 * d_j)
            p_3 = scale * row_3[j] - (a_3 * b_j + c_3 * d_j)
            row_0[j] = p_0
            row_1[j] = p_1
            row_2[j] = p_2
            row_3[j] = p_3
            sum_0 += p_0 * v_j
            sum_1 += p_1 * v_j
            sum_2 += p_2 * v_j
            sum_3 += p_3 * v_j
        out[i], out[i + 1], out[i + 2], out[i + 3] = sum_0, sum_1, sum_2, sum_3
