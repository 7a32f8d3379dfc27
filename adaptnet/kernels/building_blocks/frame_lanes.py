"""Interneurons with fixed synapses that four replicates share: `frame`, four side by side.

Element (i, j) of a matrix stands, lane by lane, from [(i w + j) LANES] on, w being its width. Each
lane computes to the bit what `frame` computes alone: the same sums in the same order, fused where
those are fused, which is everywhere but among the four rows that `frame` eliminates at a time.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import inlined
from adaptnet.kernels.building_blocks.lanes import LANES
from adaptnet.kernels.building_blocks.packed import aligned
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store

Floats = npt.NDArray[np.float64]


class FrameLanes(NamedTuple):
    """Synapses, and arrays to compute in. Tiles of two rows by four columns reach beyond n."""

    rows: Floats  # (k, n + 4) W', zeros beyond n
    scaled: Floats  # k (n + 1) fours: diag(g) W'
    weights: Floats  # (n + 1) (n + 4) fours: A from its diagonal on, then what elimination leaves
    factors: Floats  # the same: minus its rows by their pivots
    pivots: Floats  # n fours
    y: Floats  # n fours
    z: Floats  # k fours


def frame_lanes_of(rows: Floats) -> FrameLanes:
    """Return the frame of W' (k, n)."""
    k, n = rows.shape
    matrix = (n + 1) * (n + 4) * LANES
    frame = FrameLanes(
        aligned(k, n + 4),
        aligned(k * (n + 1) * LANES),
        aligned(matrix),
        aligned(matrix),
        aligned(n * LANES),
        aligned(n * LANES),
        aligned(k * LANES),
    )
    frame.rows[:, :n] = rows
    return frame


@inlined
def combine_lanes(frame: FrameLanes, gains: Floats, leak: float) -> None:
    """Write A = alpha I + W diag(g) W', from its diagonal on."""
    rows, scaled, A = frame.rows, frame.scaled, frame.weights
    k, width = rows.shape
    n = width - 4
    for c in range(k):
        row, gain, begin = rows[c], load(gains, c * LANES), c * (n + 1) * LANES
        for i in range(n):
            store(scaled, begin + i * LANES, gain * spread(row[i]))
    for i in range(0, n, 2):
        for j in range(i, n, FOUR):
            _combine_tile(rows, scaled, A, i, j)
    for i in range(n):
        diagonal = (i * width + i) * LANES
        store(A, diagonal, load(A, diagonal) + spread(leak))


@inlined
def _combine_tile(rows: Floats, scaled: Floats, A: Floats, i: int, j: int) -> None:
    """Write two rows of A from row i on, in four columns from j on."""
    a_0, a_1, a_2, a_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    b_0, b_1, b_2, b_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    k, width = rows.shape
    step = (width - 3) * LANES
    at = i * LANES
    for c in range(k):
        row, a, b = rows[c], load(scaled, at), load(scaled, at + LANES)
        w_0, w_1, w_2, w_3 = (
            spread(row[j]),
            spread(row[j + 1]),
            spread(row[j + 2]),
            spread(row[j + 3]),
        )
        a_0, b_0 = fma(a, w_0, a_0), fma(b, w_0, b_0)
        a_1, b_1 = fma(a, w_1, a_1), fma(b, w_1, b_1)
        a_2, b_2 = fma(a, w_2, a_2), fma(b, w_2, b_2)
        a_3, b_3 = fma(a, w_3, a_3), fma(b, w_3, b_3)
        at += step
    at = (i * width + j) * LANES
    store(A, at, a_0)
    store(A, at + LANES, a_1)
    store(A, at + 2 * LANES, a_2)
    store(A, at + 3 * LANES, a_3)
    at += width * LANES
    store(A, at, b_0)
    store(A, at + LANES, b_1)
    store(A, at + 2 * LANES, b_2)
    store(A, at + 3 * LANES, b_3)


@inlined
def settle_lanes(frame: FrameLanes, x: Floats) -> None:
    """Write y with A y = x, and z = W' y, given x as fours. A is overwritten.

    A is positive definite in a lane if and only if all its pivots are positive and finite.
    """
    width = frame.rows.shape[1]
    n = width - 4
    for i in range(0, n * LANES, LANES):
        store(frame.y, i, load(x, i))
    for p in range(n):
        _eliminate(frame, p, n, width)
    for i in range(0, n * LANES, LANES):
        store(frame.y, i, load(frame.y, i) * (spread(1.0) / load(frame.pivots, i)))
    for p in range(n - 1, -1, -1):
        _substitute(frame, p, n, width)
    _activate(frame, n)


@inlined
def _eliminate(frame: FrameLanes, p: int, n: int, width: int) -> None:
    """Eliminate row p from the rows below, and from y."""
    U, factors, y = frame.weights, frame.factors, frame.y
    above = p * width * LANES
    pivot = load(U, above + p * LANES)
    store(frame.pivots, p * LANES, pivot)
    minus = spread(-1.0) / pivot
    y_p = load(y, p * LANES)
    end = min(n, p - p % FOUR + FOUR)  # of the rows that are eliminated together
    for i in range(p + 1, n):
        row = i * width * LANES
        factor = load(U, above + i * LANES) * minus
        store(factors, above + i * LANES, factor)
        fused = i
        if i < end:
            for j in range(i * LANES, end * LANES, LANES):
                store(U, row + j, load(U, row + j) + factor * load(U, above + j))
            fused = end
            store(y, i * LANES, load(y, i * LANES) + factor * y_p)
        else:
            store(y, i * LANES, fma(y_p, factor, load(y, i * LANES)))
        for j in range(fused * LANES, n * LANES, LANES):
            store(U, row + j, fma(factor, load(U, above + j), load(U, row + j)))


@inlined
def _substitute(frame: FrameLanes, p: int, n: int, width: int) -> None:
    """Write y of row p, given what comes after."""
    factors, y, row = frame.factors, frame.y, p * width * LANES
    end = min(n, p - p % FOUR + FOUR)
    sum_0, sum_1, sum_2, sum_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for first in range(end, n, FOUR):  # every fourth element, as the lanes of `frame` add them
        j = first * LANES
        sum_0 = fma(load(factors, row + j), load(y, j), sum_0)
        if first + 1 < n:
            sum_1 = fma(load(factors, row + j + LANES), load(y, j + LANES), sum_1)
        if first + 2 < n:
            sum_2 = fma(load(factors, row + j + 2 * LANES), load(y, j + 2 * LANES), sum_2)
        if first + 3 < n:
            sum_3 = fma(load(factors, row + j + 3 * LANES), load(y, j + 3 * LANES), sum_3)
    y_p = load(y, p * LANES) + ((sum_0 + sum_1) + (sum_2 + sum_3))
    for j in range((p + 1) * LANES, end * LANES, LANES):
        y_p = y_p + load(factors, row + j) * load(y, j)
    store(y, p * LANES, y_p)


@inlined
def _activate(frame: FrameLanes, n: int) -> None:
    """Write z = W' y, four interneurons at a time."""
    rows, y, z = frame.rows, frame.y, frame.z
    k = rows.shape[0]
    for c in range(0, k - k % FOUR, FOUR):
        a, b, d, e = rows[c], rows[c + 1], rows[c + 2], rows[c + 3]
        z_a, z_b, z_d, z_e = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for i in range(n):
            y_i = load(y, i * LANES)
            z_a, z_b = fma(y_i, spread(a[i]), z_a), fma(y_i, spread(b[i]), z_b)
            z_d, z_e = fma(y_i, spread(d[i]), z_d), fma(y_i, spread(e[i]), z_e)
        store(z, c * LANES, z_a)
        store(z, (c + 1) * LANES, z_b)
        store(z, (c + 2) * LANES, z_d)
        store(z, (c + 3) * LANES, z_e)
    for c in range(k - k % FOUR, k):
        row, z_c = rows[c], spread(0.0)
        for i in range(n):
            z_c = fma(load(y, i * LANES), spread(row[i]), z_c)
        store(z, c * LANES, z_c)
