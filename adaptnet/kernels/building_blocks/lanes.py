"""Small symmetric systems, four side by side.

Matrices of a few neurons are too small to keep a processor busy one by one. So four of them, of as
many replicates, are worked on together: element (i, j) stands, lane by lane, from [(i n + j) LANES]
on, lower halves only. Each lane computes what it would alone, so that a replicate's results depend
neither on how many there are nor on which others are beside it.
"""

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store

Floats = npt.NDArray[np.float64]

# Eight, in 512-bit registers, took .65 of the time per replicate of full groups at 2 neurons and .8
# at 10, but a replicate of 10 neurons alone took 1.45 times as long, and one of 12 twice as long.
LANES = FOUR


@kernel
def gather(matrices: Floats, out: Floats) -> None:
    """Write the lower halves of up to four matrices (lane, n, n) side by side."""
    n = matrices.shape[1]
    for r in range(LANES):
        lane = min(r, matrices.shape[0] - 1)  # lanes to spare repeat the last
        for i in range(n):
            for j in range(i + 1):
                out[(i * n + j) * LANES + r] = matrices[lane, i, j]


@kernel
def scatter(lanes: Floats, r: int, out: Floats) -> None:
    """Write lane `r` as a matrix (n, n), both triangles."""
    n = out.shape[0]
    for i in range(n):
        for j in range(i + 1):
            entry = lanes[(i * n + j) * LANES + r]
            out[i, j] = entry
            out[j, i] = entry


@inlined
def factorise(A: Floats, products: Floats, L: Floats, inverse: Floats, n: int) -> None:
    """Factorise A = (I - L) D (I - L)', row after row; `inverse` gets -1 / D.

    `products` is scratch space for (I - L) D. Where A is not positive definite, not every element
    of `inverse` is negative.
    """
    for i in range(n):
        row = i * n * LANES
        pivot = load(A, row + i * LANES)
        for j in range(i):
            above = j * n * LANES
            rest = load(A, row + j * LANES)
            for k in range(0, j * LANES, LANES):
                rest = fma(load(products, row + k), load(L, above + k), rest)
            factor = load(inverse, j * LANES) * rest
            store(products, row + j * LANES, rest)
            store(L, row + j * LANES, factor)
            pivot = fma(rest, factor, pivot)
        store(inverse, i * LANES, spread(-1.0) / pivot)


@inlined
def solve(L: Floats, inverse: Floats, x: Floats, y: Floats, n: int) -> None:
    """Write the solution of A y = x, given what `factorise` wrote; x is overwritten."""
    for i in range(n):
        row, rest = i * n * LANES, load(x, i * LANES)
        for k in range(0, i * LANES, LANES):
            rest = fma(load(L, row + k), load(x, k), rest)
        store(x, i * LANES, rest)
        store(y, i * LANES, spread(0.0) - load(inverse, i * LANES) * rest)
    for i in range(n - 1, 0, -1):
        row, known = i * n * LANES, load(y, i * LANES)
        for k in range(0, i * LANES, LANES):
            store(y, k, fma(load(L, row + k), known, load(y, k)))
