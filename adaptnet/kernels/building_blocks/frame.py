"""Interneurons with fixed synapses: A = alpha I + W diag(g) W', A y = x and z = W' y.

The synapses are copied once, padded with zeros to whole fours, so that each loop takes four
elements at a time. Of A the tiles on and right of the diagonal are computed, four rows by up to
eight columns in registers, over all interneurons. For few neurons the products of synapses
w w' are kept as well, and A is their sum.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.packed import aligned, padded_size
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total

Floats = npt.NDArray[np.float64]

# Numbers that fit the fastest cache. With 10 neurons and 55 interneurons A took .32 us from
# products and .48 us from tiles.
PRODUCTS = 4096
WIDTH = 8 * FOUR  # of A, summed in registers


class Frame(NamedTuple):
    """Synapses in both orders, and arrays to compute in; m and l are n and k padded."""

    rows: Floats  # (k, m) W'
    columns: Floats  # (n, l) W
    scaled: Floats  # (k, m) diag(g) W'
    products: Floats  # (k, entries of A from the diagonal on, padded); or none of them
    entries: Floats  # (entries of A from the diagonal on, padded)
    weights: Floats  # (m, m) A, then what elimination leaves of it
    reciprocals: Floats  # (m,) of the pivots
    y: Floats  # (m,)
    z: Floats  # (l,)


def frame_of(rows: Floats) -> Frame:
    """Return the frame of W' (k, n)."""
    k, n = rows.shape
    m, padded_k = padded_size(n), padded_size(k)
    i, j = np.triu_indices(n)
    n_entries = -(-len(i) // WIDTH) * WIDTH
    if k * n_entries > PRODUCTS or n_entries > m * (m + FOUR) // 2:  # more than are in tiles
        n_entries = 0
    frame = Frame(
        aligned(k, m),
        aligned(n, padded_k),
        aligned(k, m),
        aligned(k, n_entries),
        aligned(n_entries),
        aligned(m, m),
        aligned(m),
        aligned(m),
        aligned(padded_k),
    )
    frame.rows[:, :n] = rows
    frame.columns[:, :k] = rows.T
    if n_entries:
        frame.products[:, : len(i)] = rows[:, i] * rows[:, j]
    return frame


@kernel
def combine_frame(frame: Frame, gains: Floats, leak: float) -> None:
    """Write A = alpha I + W diag(g) W', its tiles on and right of the diagonal."""
    if frame.entries.shape[0] > 0:
        _combine_products(frame, gains, leak)
        return
    rows, scaled, A = frame.rows, frame.scaled, frame.weights
    k, m = rows.shape
    for c in range(k):
        gain, row, out = spread(gains[c]), rows[c], scaled[c]
        for i in range(0, m, FOUR):
            store(out, i, gain * load(row, i))
    for i in range(0, m, FOUR):
        first = i
        if (m - i) // FOUR % 2 == 1:
            _combine_tile(rows, scaled, A, i, i)
            first += FOUR
        for j in range(first, m, 2 * FOUR):
            _combine_tiles(rows, scaled, A, i, j)
    for i in range(m):
        A[i, i] += leak


@inlined
def _combine_products(frame: Frame, gains: Floats, leak: float) -> None:
    """Write A, from the diagonal on, as the sum of g w w'."""
    products, entries, A = frame.products, frame.entries, frame.weights
    for e in range(0, entries.shape[0], WIDTH):
        sum_0, sum_1, sum_2, sum_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        sum_4, sum_5, sum_6, sum_7 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for c in range(products.shape[0]):
            gain, row = spread(gains[c]), products[c]
            sum_0 = fma(gain, load(row, e), sum_0)
            sum_1 = fma(gain, load(row, e + FOUR), sum_1)
            sum_2 = fma(gain, load(row, e + 2 * FOUR), sum_2)
            sum_3 = fma(gain, load(row, e + 3 * FOUR), sum_3)
            sum_4 = fma(gain, load(row, e + 4 * FOUR), sum_4)
            sum_5 = fma(gain, load(row, e + 5 * FOUR), sum_5)
            sum_6 = fma(gain, load(row, e + 6 * FOUR), sum_6)
            sum_7 = fma(gain, load(row, e + 7 * FOUR), sum_7)
        store(entries, e, sum_0)
        store(entries, e + FOUR, sum_1)
        store(entries, e + 2 * FOUR, sum_2)
        store(entries, e + 3 * FOUR, sum_3)
        store(entries, e + 4 * FOUR, sum_4)
        store(entries, e + 5 * FOUR, sum_5)
        store(entries, e + 6 * FOUR, sum_6)
        store(entries, e + 7 * FOUR, sum_7)
    e, n = 0, frame.columns.shape[0]
    for i in range(n):
        row = A[i]
        for j in range(i, n):
            row[j] = entries[e]
            e += 1
        row[i] += leak


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


@kernel
def settle_frame(frame: Frame, x: Floats) -> bool:
    """Write y with A y = x, and z = W' y; False if A is not positive definite. A is overwritten.

    Elimination row by row, whose pivots are all positive if and only if A is positive definite.
    """
    U, reciprocals, y, z = frame.weights, frame.reciprocals, frame.y, frame.z
    n, m = x.shape[0], y.shape[0]
    for i in range(n):
        y[i] = x[i]
    for p in range(n):
        row, pivot = U[p], U[p, p]
        if not 0.0 < pivot < math.inf:  # False for NaN too
            return False
        reciprocal, y_p = 1.0 / pivot, y[p]
        reciprocals[p] = reciprocal
        for i in range(p + 1, n):
            below, factor = U[i], row[i] * reciprocal
            for j in range(i // FOUR * FOUR, m, FOUR):
                store(below, j, fma(spread(-factor), load(row, j), load(below, j)))
            y[i] -= factor * y_p
    for i in range(n - 1, -1, -1):
        row, rest = U[i], y[i]
        first = i // FOUR * FOUR + FOUR
        for j in range(i + 1, min(first, n)):
            rest -= row[j] * y[j]
        sums = spread(0.0)
        for j in range(first, m, FOUR):
            sums = fma(load(row, j), load(y, j), sums)
        y[i] = (rest - total(sums)) * reciprocals[i]
    _activate(frame.columns, y, z)
    return True


@inlined
def _activate(columns: Floats, y: Floats, z: Floats) -> None:
    for c in range(0, z.shape[0], FOUR):
        sums = spread(0.0)
        for i in range(columns.shape[0]):
            sums = fma(spread(y[i]), load(columns[i], c), sums)
        store(z, c, sums)
