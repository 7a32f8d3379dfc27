"""Interneurons with fixed synapses: A = alpha I + W diag(g) W', A y = x and z = W' y.

The synapses are copied once, padded with zeros to whole fours, so that each loop takes four
elements at a time. Of A the tiles on and right of the diagonal are computed, four rows by up to
twelve columns in registers, over all interneurons.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import inlined
from adaptnet.kernels.building_blocks.packed import aligned, padded_size
from adaptnet.kernels.building_blocks.simd import FOUR, fma, lane, load, spread, store, totals

Floats = npt.NDArray[np.float64]


class Frame(NamedTuple):
    """Synapses in both orders, and arrays to compute in; m and l are n and k padded."""

    rows: Floats  # (k, m) W'
    columns: Floats  # (n, l) W
    scaled: Floats  # (k, m) diag(g) W'
    weights: Floats  # (m, m) A, then what elimination leaves of it
    factors: Floats  # (m, m) minus its rows by their pivots
    y: Floats  # (m,)
    z: Floats  # (l,)


def frame_of(rows: Floats) -> Frame:
    """Return the frame of W' (k, n)."""
    k, n = rows.shape
    m, padded_k = padded_size(n), padded_size(k)
    frame = Frame(
        aligned(k, m),
        aligned(n, padded_k),
        aligned(k, m),
        aligned(m, m),
        aligned(m, m),
        aligned(m),
        aligned(padded_k),
    )
    frame.rows[:, :n] = rows
    frame.columns[:, :k] = rows.T
    return frame


@inlined
def combine_frame(frame: Frame, gains: Floats, leak: float) -> None:
    """Write A = alpha I + W diag(g) W', its tiles on and right of the diagonal."""
    rows, scaled, A = frame.rows, frame.scaled, frame.weights
    k, m = rows.shape
    for c in range(k):
        gain, row, out = spread(gains[c]), rows[c], scaled[c]
        for i in range(0, m, FOUR):
            store(out, i, gain * load(row, i))
    for i in range(0, m, FOUR):
        first, n_fours = i, (m - i) // FOUR
        if n_fours == 1:
            _combine_tile(rows, scaled, A, i, i)
            first += FOUR
        elif n_fours % 2 == 1:
            _combine_wide(rows, scaled, A, i, i)
            first += 3 * FOUR
        for j in range(first, m, 2 * FOUR):
            _combine_tiles(rows, scaled, A, i, j)
    n = frame.columns.shape[0]
    for i in range(n):
        A[i, i] += leak
    for i in range(n, m):
        A[i, i] = 1.0  # so that padding has pivots as well


@inlined
def _combine_tile(rows: Floats, scaled: Floats, A: Floats, i: int, j: int) -> None:
    """Write four rows of A from row i on, in four columns from j on."""
    sum_0, sum_1, sum_2, sum_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for c in range(rows.shape[0]):
        four, left = load(rows[c], j), scaled[c]
        sum_0 = fma(spread(left[i]), four, sum_0)
        sum_1 = fma(spread(left[i + 1]), four, sum_1)
        sum_2 = fma(spread(left[i + 2]), four, sum_2)
        sum_3 = fma(spread(left[i + 3]), four, sum_3)
    store(A[i], j, sum_0)
    store(A[i + 1], j, sum_1)
    store(A[i + 2], j, sum_2)
    store(A[i + 3], j, sum_3)


@inlined
def _combine_tiles(rows: Floats, scaled: Floats, A: Floats, i: int, j: int) -> None:
    """Write four rows of A from row i on, in eight columns from j on."""
    sum_0, sum_1, sum_2, sum_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    sum_4, sum_5, sum_6, sum_7 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for c in range(rows.shape[0]):
        row, left = rows[c], scaled[c]
        four, next_four = load(row, j), load(row, j + FOUR)
        a, b, d, e = spread(left[i]), spread(left[i + 1]), spread(left[i + 2]), spread(left[i + 3])
        sum_0, sum_4 = fma(a, four, sum_0), fma(a, next_four, sum_4)
        sum_1, sum_5 = fma(b, four, sum_1), fma(b, next_four, sum_5)
        sum_2, sum_6 = fma(d, four, sum_2), fma(d, next_four, sum_6)
        sum_3, sum_7 = fma(e, four, sum_3), fma(e, next_four, sum_7)
    store(A[i], j, sum_0)
    store(A[i + 1], j, sum_1)
    store(A[i + 2], j, sum_2)
    store(A[i + 3], j, sum_3)
    store(A[i], j + FOUR, sum_4)
    store(A[i + 1], j + FOUR, sum_5)
    store(A[i + 2], j + FOUR, sum_6)
    store(A[i + 3], j + FOUR, sum_7)


@inlined
def _combine_wide(rows: Floats, scaled: Floats, A: Floats, i: int, j: int) -> None:
    """Write four rows of A from row i on, in twelve columns from j on."""
    a_0, a_1, a_2 = spread(0.0), spread(0.0), spread(0.0)
    b_0, b_1, b_2 = spread(0.0), spread(0.0), spread(0.0)
    d_0, d_1, d_2 = spread(0.0), spread(0.0), spread(0.0)
    e_0, e_1, e_2 = spread(0.0), spread(0.0), spread(0.0)
    for c in range(rows.shape[0]):
        row, left = rows[c], scaled[c]
        first, second, third = load(row, j), load(row, j + FOUR), load(row, j + 2 * FOUR)
        a, b, d, e = spread(left[i]), spread(left[i + 1]), spread(left[i + 2]), spread(left[i + 3])
        a_0, a_1, a_2 = fma(a, first, a_0), fma(a, second, a_1), fma(a, third, a_2)
        b_0, b_1, b_2 = fma(b, first, b_0), fma(b, second, b_1), fma(b, third, b_2)
        d_0, d_1, d_2 = fma(d, first, d_0), fma(d, second, d_1), fma(d, third, d_2)
        e_0, e_1, e_2 = fma(e, first, e_0), fma(e, second, e_1), fma(e, third, e_2)
    store(A[i], j, a_0)
    store(A[i + 1], j, b_0)
    store(A[i + 2], j, d_0)
    store(A[i + 3], j, e_0)
    store(A[i], j + FOUR, a_1)
    store(A[i + 1], j + FOUR, b_1)
    store(A[i + 2], j + FOUR, d_1)
    store(A[i + 3], j + FOUR, e_1)
    store(A[i], j + 2 * FOUR, a_2)
    store(A[i + 1], j + 2 * FOUR, b_2)
    store(A[i + 2], j + 2 * FOUR, d_2)
    store(A[i + 3], j + 2 * FOUR, e_2)


@inlined
def settle_frame(frame: Frame, x: Floats) -> bool:
    """Write y with A y = x, and z = W' y; False if A is not positive definite. A is overwritten.

    Elimination by four rows at a time, whose pivots are all positive if and only if A is positive
    definite.
    """
    U, factors, y = frame.weights, frame.factors, frame.y
    n, m = x.shape[0], y.shape[0]
    for i in range(n):
        y[i] = x[i]
    for i in range(n, m):
        y[i] = 0.0
    for p in range(0, m, FOUR):
        if not _eliminate_four(U, factors, y, p):
            return False
        for i in range(p + FOUR, m, FOUR):
            _subtract_four(U, factors, p, i)
    for p in range(m - FOUR, -1, -FOUR):
        _substitute_four(factors, y, p)
    _activate(frame.columns, y, frame.z)
    return True


@inlined
def _eliminate_four(U: Floats, factors: Floats, y: Floats, p: int) -> bool:
    """Eliminate among rows p to p + 3, in y too; False if a pivot is not positive."""
    m = y.shape[0]
    a, b, c, d = U[p], U[p + 1], U[p + 2], U[p + 3]
    minus_a, minus_b, minus_c, minus_d = factors[p], factors[p + 1], factors[p + 2], factors[p + 3]
    p_a, ab, ac, ad = a[p], a[p + 1], a[p + 2], a[p + 3]
    by_a = 1.0 / p_a
    f_ab, f_ac, f_ad = -ab * by_a, -ac * by_a, -ad * by_a
    p_b, bc, bd = b[p + 1] + f_ab * ab, b[p + 2] + f_ab * ac, b[p + 3] + f_ab * ad
    by_b = 1.0 / p_b
    f_bc, f_bd = -bc * by_b, -bd * by_b
    p_c, cd = c[p + 2] + f_ac * ac + f_bc * bc, c[p + 3] + f_ac * ad + f_bc * bd
    by_c = 1.0 / p_c
    f_cd = -cd * by_c
    p_d = d[p + 3] + f_ad * ad + f_bd * bd + f_cd * cd
    by_d = 1.0 / p_d
    if not (0.0 < p_a < math.inf and 0.0 < p_b < math.inf):  # False for NaN too
        return False
    if not (0.0 < p_c < math.inf and 0.0 < p_d < math.inf):
        return False
    y_a = y[p]
    y_b = y[p + 1] + f_ab * y_a
    y_c = y[p + 2] + f_ac * y_a + f_bc * y_b
    y_d = y[p + 3] + f_ad * y_a + f_bd * y_b + f_cd * y_c
    minus_a[p + 1], minus_a[p + 2], minus_a[p + 3] = f_ab, f_ac, f_ad
    minus_b[p + 2], minus_b[p + 3], minus_c[p + 3] = f_bc, f_bd, f_cd
    for j in range(p + FOUR, m, FOUR):
        a_j = load(a, j)
        b_j = fma(spread(f_ab), a_j, load(b, j))
        c_j = fma(spread(f_bc), b_j, fma(spread(f_ac), a_j, load(c, j)))
        d_j = fma(spread(f_ad), a_j, load(d, j))
        d_j = fma(spread(f_cd), c_j, fma(spread(f_bd), b_j, d_j))
        store(b, j, b_j)
        store(c, j, c_j)
        store(d, j, d_j)
        a_j, b_j = a_j * spread(-by_a), b_j * spread(-by_b)
        c_j, d_j = c_j * spread(-by_c), d_j * spread(-by_d)
        store(minus_a, j, a_j)
        store(minus_b, j, b_j)
        store(minus_c, j, c_j)
        store(minus_d, j, d_j)
        y_j = fma(spread(y_b), b_j, fma(spread(y_a), a_j, load(y, j)))
        store(y, j, fma(spread(y_d), d_j, fma(spread(y_c), c_j, y_j)))
    y[p], y[p + 1], y[p + 2], y[p + 3] = y_a * by_a, y_b * by_b, y_c * by_c, y_d * by_d
    return True


@inlined
def _subtract_four(U: Floats, factors: Floats, p: int, i: int) -> None:
    """Eliminate rows p to p + 3 from rows i to i + 3."""
    m = U.shape[0]
    a, b, c, d = U[p], U[p + 1], U[p + 2], U[p + 3]
    minus_a, minus_b, minus_c, minus_d = factors[p], factors[p + 1], factors[p + 2], factors[p + 3]
    e, f, g, h = U[i], U[i + 1], U[i + 2], U[i + 3]
    by_a, by_b = load(minus_a, i), load(minus_b, i)
    by_c, by_d = load(minus_c, i), load(minus_d, i)
    for j in range(i, m, FOUR):
        a_j, b_j, c_j, d_j = load(a, j), load(b, j), load(c, j), load(d, j)
        e_j = fma(lane(by_b, 0), b_j, fma(lane(by_a, 0), a_j, load(e, j)))
        f_j = fma(lane(by_b, 1), b_j, fma(lane(by_a, 1), a_j, load(f, j)))
        g_j = fma(lane(by_b, 2), b_j, fma(lane(by_a, 2), a_j, load(g, j)))
        h_j = fma(lane(by_b, 3), b_j, fma(lane(by_a, 3), a_j, load(h, j)))
        store(e, j, fma(lane(by_d, 0), d_j, fma(lane(by_c, 0), c_j, e_j)))
        store(f, j, fma(lane(by_d, 1), d_j, fma(lane(by_c, 1), c_j, f_j)))
        store(g, j, fma(lane(by_d, 2), d_j, fma(lane(by_c, 2), c_j, g_j)))
        store(h, j, fma(lane(by_d, 3), d_j, fma(lane(by_c, 3), c_j, h_j)))


@inlined
def _substitute_four(factors: Floats, y: Floats, p: int) -> None:
    """Write y from p to p + 3, given what comes after."""
    a, b, c, d = factors[p], factors[p + 1], factors[p + 2], factors[p + 3]
    sum_a, sum_b, sum_c, sum_d = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for j in range(p + FOUR, y.shape[0], FOUR):
        y_j = load(y, j)
        sum_a = fma(load(a, j), y_j, sum_a)
        sum_b = fma(load(b, j), y_j, sum_b)
        sum_c = fma(load(c, j), y_j, sum_c)
        sum_d = fma(load(d, j), y_j, sum_d)
    store(y, p, load(y, p) + totals(sum_a, sum_b, sum_c, sum_d))
    y_d = y[p + 3]
    y_c = y[p + 2] + c[p + 3] * y_d
    y_b = y[p + 1] + b[p + 2] * y_c + b[p + 3] * y_d
    y_a = y[p] + a[p + 1] * y_b + a[p + 2] * y_c + a[p + 3] * y_d
    y[p], y[p + 1], y[p + 2] = y_a, y_b, y_c


@inlined
def _activate(columns: Floats, y: Floats, z: Floats) -> None:
    n, c = columns.shape[0], 0
    while c + 4 * FOUR <= z.shape[0]:
        sum_0, sum_1, sum_2, sum_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for i in range(n):
            y_i, row = spread(y[i]), columns[i]
            sum_0 = fma(y_i, load(row, c), sum_0)
            sum_1 = fma(y_i, load(row, c + FOUR), sum_1)
            sum_2 = fma(y_i, load(row, c + 2 * FOUR), sum_2)
            sum_3 = fma(y_i, load(row, c + 3 * FOUR), sum_3)
        store(z, c, sum_0)
        store(z, c + FOUR, sum_1)
        store(z, c + 2 * FOUR, sum_2)
        store(z, c + 3 * FOUR, sum_3)
        c += 4 * FOUR
    while c < z.shape[0]:
        sum_0 = spread(0.0)
        for i in range(n):
            sum_0 = fma(spread(y[i]), load(columns[i], c), sum_0)
        store(z, c, sum_0)
        c += FOUR
