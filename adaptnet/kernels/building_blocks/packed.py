"""Symmetric matrices held by halves, and the passes over them that kernels are made of.

A matrix is padded with zeros to a multiple of four rows, and cut into bands of four. Of band i
(rows 4 i to 4 i + 3) the columns up to its diagonal tile are kept, row after row, in one flat
array: half the memory to touch, of which each element serves for its mirror image too. Vectors are
padded alike.
"""

import math

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.simd import (
    FOUR,
    fma,
    fma_if_any,
    load,
    load_if_any,
    spread,
    spread_if_any,
    store,
    total,
    totals,
)

Floats = npt.NDArray[np.float64]


def padded_size(n: int) -> int:
    """Return `n` rounded up to a multiple of four."""
    return -(-n // FOUR) * FOUR


def aligned(*shape: int) -> Floats:
    """Return zeros that begin on a cache line, so that no four straddles two lines.

    Samples of 32 and 64 neurons took 5 to 8 % less time than with arrays that began anywhere.
    """
    size = math.prod(shape)
    space = np.zeros(size + 8)
    first = -(space.ctypes.data // 8) % 8
    return space[first : first + size].reshape(shape)


def packed(matrix: Floats) -> Floats:
    """Return a symmetric matrix (n, n) held by halves."""
    size = padded_size(len(matrix))
    whole = np.zeros((size, size))
    whole[: len(matrix), : len(matrix)] = matrix
    bands = [whole[i : i + FOUR, : i + FOUR].ravel() for i in range(0, size, FOUR)]
    flat = aligned(sum(map(len, bands)))
    np.concatenate(bands, out=flat)
    return flat


@kernel
def _row(i: int) -> int:
    """Return the index at which row i begins in a matrix held by halves."""
    band = i // FOUR * FOUR
    return band * (band + FOUR) // 2 + (i - band) * (band + FOUR)


@kernel
def unpack(S: Floats, out: Floats) -> None:
    """Write a matrix held by halves to `out` (n, n)."""
    n = out.shape[0]
    for i in range(n):
        row = _row(i)
        for j in range(i + 1):
            out[i, j] = S[row + j]
            out[j, i] = S[row + j]


@kernel
def pack(matrix: Floats, S: Floats) -> None:
    """Hold a symmetric `matrix` (n, n) by halves, as `packed` does."""
    for i in range(matrix.shape[0]):
        row = _row(i)
        for j in range(min(i // FOUR * FOUR + FOUR, matrix.shape[0])):
            S[row + j] = matrix[i, j]


@kernel
def trace(S: Floats, n: int) -> float:
    """Return the sum of the diagonal of S, of which (n, n) is not padding."""
    diagonal = 0.0
    for i in range(n):
        diagonal += S[_row(i) + i]
    return diagonal


@kernel
def add_to_diagonal(S: Floats, n: int, number: float) -> None:
    """Add `number` times the identity (n, n)."""
    for i in range(n):
        S[_row(i) + i] += number


@kernel
def dot(a: Floats, b: Floats) -> float:
    """Return a'b."""
    products = spread(0.0)
    for i in range(0, a.shape[0], FOUR):
        products = fma(load(a, i), load(b, i), products)
    return total(products)


@kernel
def _changed(
    S: Floats, at: int, a: Floats | None, b: Floats | None, c: Floats | None, d: Floats | None
) -> Floats:
    """Add a b + c d, as far as they are there, to the four of S from `at` on, and return it."""
    four = fma_if_any(c, d, fma_if_any(a, b, load(S, at)))
    if a is not None:
        store(S, at, four)
    return four


@kernel
def multiply(
    S: Floats,
    v: Floats,
    out: Floats,
    a: Floats | None = None,
    b: Floats | None = None,
    c: Floats | None = None,
    d: Floats | None = None,
) -> None:
    """Write S v; if there are vectors a and b, change S to S + a b' + c d' in the same pass.

    The change is to be symmetric: a is a multiple of b, or c = b and d = a. Vectors that are absent
    are so at compile time, and cost nothing.
    """
    row_0 = 0
    for i in range(0, v.shape[0], FOUR):
        width = i + FOUR
        row_1, row_2, row_3 = row_0 + width, row_0 + 2 * width, row_0 + 3 * width
        a_0, a_1, a_2, a_3 = (
            spread_if_any(a, i),
            spread_if_any(a, i + 1),
            spread_if_any(a, i + 2),
            spread_if_any(a, i + 3),
        )
        c_0, c_1, c_2, c_3 = (
            spread_if_any(c, i),
            spread_if_any(c, i + 1),
            spread_if_any(c, i + 2),
            spread_if_any(c, i + 3),
        )
        v_0, v_1, v_2, v_3 = spread(v[i]), spread(v[i + 1]), spread(v[i + 2]), spread(v[i + 3])
        b_j, d_j, v_j = load_if_any(b, i), load_if_any(d, i), load(v, i)  # the diagonal tile first
        sum_0 = _changed(S, row_0 + i, a_0, b_j, c_0, d_j) * v_j
        sum_1 = _changed(S, row_1 + i, a_1, b_j, c_1, d_j) * v_j
        sum_2 = _changed(S, row_2 + i, a_2, b_j, c_2, d_j) * v_j
        sum_3 = _changed(S, row_3 + i, a_3, b_j, c_3, d_j) * v_j
        for j in range(0, i, FOUR):
            b_j, d_j, v_j = load_if_any(b, j), load_if_any(d, j), load(v, j)
            s_0 = _changed(S, row_0 + j, a_0, b_j, c_0, d_j)
            s_1 = _changed(S, row_1 + j, a_1, b_j, c_1, d_j)
            s_2 = _changed(S, row_2 + j, a_2, b_j, c_2, d_j)
            s_3 = _changed(S, row_3 + j, a_3, b_j, c_3, d_j)
            sum_0 = fma(s_0, v_j, sum_0)
            sum_1 = fma(s_1, v_j, sum_1)
            sum_2 = fma(s_2, v_j, sum_2)
            sum_3 = fma(s_3, v_j, sum_3)
            mirrored = fma(s_1, v_1, fma(s_0, v_0, load(out, j)))
            store(out, j, fma(s_3, v_3, fma(s_2, v_2, mirrored)))
        store(out, i, totals(sum_0, sum_1, sum_2, sum_3))
        row_0 += FOUR * width


@kernel
def largest_eigenvalue(S: Floats, v: Floats, scratch: Floats) -> float:
    """Return an estimate, from below, by three power iterations on `v`, which is kept for later."""
    size = 0.0
    for _ in range(3):
        multiply(S, v, scratch)
        size = math.sqrt(dot(scratch, scratch))
        shrink = spread(1.0 / size)
        for i in range(0, v.shape[0], FOUR):
            store(v, i, load(scratch, i) * shrink)
    return size


@kernel
def invert(S: Floats, n: int, scratch: Floats) -> bool:
    """Replace S, of which (n, n) is not padding, by its inverse; False if not positive definite.

    Gauss and Jordan's elimination without a factor, four pivots at a time: with D the inverse of
    the diagonal tile and C its columns, S <- S - C D C', C <- C D, and -D in place of the tile
    [Goodnight, A tutorial on the SWEEP operator, Am. Stat. 33, 149 (1979)]. It ends at -S^-1.
    Scratch space is (12, padded n).
    """
    columns, scaled, tile = scratch[:4], scratch[4:8], scratch[8:]
    size = columns.shape[1]
    c_0, c_1, c_2, c_3 = columns[0], columns[1], columns[2], columns[3]
    for k in range(0, n, FOUR):
        _exchange_columns(S, k, columns, 0)
        for p in range(tile.shape[0]):
            for q in range(tile.shape[0]):
                tile[p, q] = columns[p, k + q]
        if not _invert_tile(tile, min(FOUR, n - k)):
            return False
        for p in range(tile.shape[0]):  # scaled = -D C'
            row, d = scaled[p], tile[p]
            d_0, d_1, d_2, d_3 = spread(d[0]), spread(d[1]), spread(d[2]), spread(d[3])
            for j in range(0, size, FOUR):
                part = fma(d_1, load(c_1, j), d_0 * load(c_0, j))
                store(row, j, fma(d_3, load(c_3, j), fma(d_2, load(c_2, j), part)))
        row_0 = 0
        for i in range(size):
            width = i // FOUR * FOUR + FOUR
            e_0, e_1 = spread(scaled[0, i]), spread(scaled[1, i])
            e_2, e_3 = spread(scaled[2, i]), spread(scaled[3, i])
            for j in range(0, width, FOUR):
                part = fma(e_1, load(c_1, j), fma(e_0, load(c_0, j), load(S, row_0 + j)))
                store(S, row_0 + j, fma(e_3, load(c_3, j), fma(e_2, load(c_2, j), part)))
            row_0 += width
        for p in range(tile.shape[0]):
            for j in range(size):
                columns[p, j] = -scaled[p, j]  # C D
            for q in range(tile.shape[0]):
                columns[p, k + q] = tile[p, q]
        _exchange_columns(S, k, columns, 1)
    for i in range(0, S.shape[0], FOUR):
        store(S, i, spread(0.0) - load(S, i))
    return True


@kernel
def _invert_tile(tile: Floats, n: int) -> bool:
    """Replace the leading (n, n) by minus its inverse, a pivot at a time as `invert` does four."""
    for p in range(n):
        pivot = tile[p, p]
        if not 0.0 < pivot < math.inf:  # True for NaN too
            return False
        for q in range(n):
            if q != p:
                ratio = tile[q, p] / pivot
                for r in range(n):
                    if r != p:
                        tile[q, r] -= ratio * tile[p, r]
        for q in range(n):
            tile[q, p] /= pivot
            tile[p, q] = tile[q, p]
        tile[p, p] = -1.0 / pivot
    return True


@kernel
def _exchange_columns(S: Floats, k: int, columns: Floats, write: int) -> None:
    """Read, or write, rows k to k + 3 of the whole matrix, which are its columns too."""
    for p in range(columns.shape[0]):
        row = _row(k + p)
        for j in range(columns.shape[1]):
            at = row + j if j < k + FOUR else _row(j) + k + p
            if write > 0:
                S[at] = columns[p, j]
            else:
                columns[p, j] = S[at]
