"""Whitening errors of recorded weights, many records at a time.

Matrices of a few neurons are too small to keep a processor busy one by one. So RECORDS of them are
worked on side by side: element (i, j) of their matrices stands from [(i n + j) RECORDS] on, and
each lane computes what it would alone, so that a record's error does not depend on its neighbours.
"""

import math

import numpy as np

from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.lanes import LANES
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store
from adaptnet.kernels.records import Bools, Floats

RECORDS = 2 * LANES  # two vectors in flight hide the latency of one
_ITERATIONS = 60  # of Laguerre; eight are usual


@kernel
def invert(A: Floats, G: Floats, P: Floats, n: int) -> None:
    """Write P = A^-1, with G scratch and A overwritten; NaN if A is not positive definite."""
    for i in range(n):  # A = L L'; A keeps -L, and 1 / L_ii on its diagonal
        for j in range(i + 1):
            at = (i * n + j) * RECORDS
            for r in range(0, RECORDS, FOUR):
                rest = load(A, at + r)
                for k in range(j):
                    left, right = (i * n + k) * RECORDS + r, (j * n + k) * RECORDS + r
                    rest = rest - load(A, left) * load(A, right)
                if j < i:
                    rest = rest * load(A, (j * n + j) * RECORDS + r)
                store(A, at + r, rest)
        at = (i * n + i) * RECORDS
        for r in range(RECORDS):
            A[at + r] = 1.0 / math.sqrt(A[at + r])
    for i in range(n):  # G = L^-T: column i is (e_i - sum_{k<i} L_ik column k) / L_ii
        for r in range(0, RECORDS, FOUR):
            inverse = load(A, (i * n + i) * RECORDS + r)
            store(G, (i * n + i) * RECORDS + r, inverse)
            for j in range(i):
                known = spread(0.0)
                for k in range(j, i):
                    left, right = (i * n + k) * RECORDS + r, (j * n + k) * RECORDS + r
                    known = fma(load(A, left), load(G, right), known)
                store(G, (j * n + i) * RECORDS + r, spread(0.0) - known * inverse)
    for i in range(n):  # P = L^-T L^-1
        for j in range(i + 1):
            for r in range(0, RECORDS, FOUR):
                entry = spread(0.0)
                for k in range(i, n):
                    left, right = (i * n + k) * RECORDS + r, (j * n + k) * RECORDS + r
                    entry = fma(load(G, left), load(G, right), entry)
                store(P, (i * n + j) * RECORDS + r, entry)
                store(P, (j * n + i) * RECORDS + r, entry)


@inlined
def multiply(A: Floats, B: Floats, i: int, j: int, n: int, out: Floats) -> None:
    """Write rows i, i + 1 and columns j, j + 1 of A B' (those that there are).

    Four sums at a time, for then each element that is loaded serves two of them.
    """
    i_2, j_2 = min(i + 1, n - 1), min(j + 1, n - 1)
    for r in range(0, RECORDS, FOUR):
        top, bottom = i * n * RECORDS + r, i_2 * n * RECORDS + r
        left, right = j * n * RECORDS + r, j_2 * n * RECORDS + r
        top_left, top_right = spread(0.0), spread(0.0)
        bottom_left, bottom_right = spread(0.0), spread(0.0)
        for k in range(0, n * RECORDS, RECORDS):
            a_1, a_2, b_1 = load(A, top + k), load(A, bottom + k), load(B, left + k)
            top_left = fma(a_1, b_1, top_left)
            bottom_left = fma(a_2, b_1, bottom_left)
            b_2 = load(B, right + k)
            top_right = fma(a_1, b_2, top_right)
            bottom_right = fma(a_2, b_2, bottom_right)
        store(out, top + j * RECORDS, top_left)
        store(out, top + j_2 * RECORDS, top_right)
        store(out, bottom + j * RECORDS, bottom_left)
        store(out, bottom + j_2 * RECORDS, bottom_right)


@kernel
def excess(P: Floats, C: Floats, T: Floats, E: Floats, squares: Floats, n: int) -> None:
    """Write the lower half of E = P C P - I, and its squared Frobenius norm, with T scratch."""
    for i in range(0, n, 2):
        for j in range(0, n, 2):
            multiply(P, C, i, j, n, T)
    for i in range(0, n, 2):
        for j in range(0, i + 2, 2):
            multiply(T, P, i, j, n, E)
    for r in range(0, RECORDS, FOUR):
        beside, along = spread(0.0), spread(0.0)
        for i in range(n):
            row = i * n * RECORDS + r
            for j in range(0, i * RECORDS, RECORDS):
                beside = fma(load(E, row + j), load(E, row + j), beside)
            entry = load(E, row + i * RECORDS) - spread(1.0)
            along = fma(entry, entry, along)
            store(E, row + i * RECORDS, entry)
        store(squares, r, fma(spread(2.0), beside, along))


@kernel
def tridiagonalise(
    E: Floats, v: Floats, p: Floats, d: Floats, e2: Floats, factor: Floats, n: int
) -> None:
    """Reduce E, its lower half, to a tridiagonal matrix of the same eigenvalues, destroying it.

    Householder reflections I - factor v v', a column at a time [Golub & Van Loan, Matrix
    Computations, 8.3.1]. Writes the diagonal, and the squares of what is beside it.
    """
    for k in range(n):
        for r in range(RECORDS):
            d[k * RECORDS + r] = E[(k * n + k) * RECORDS + r]
        if k == n - 1:
            break
        for r in range(0, RECORDS, FOUR):
            square = spread(0.0)
            for j in range(k + 1, n):
                entry = load(E, (j * n + k) * RECORDS + r)
                store(v, j * RECORDS + r, entry)
                square = fma(entry, entry, square)
            store(e2, k * RECORDS + r, square)
        if k == n - 2:
            continue
        for r in range(RECORDS):
            norm = math.sqrt(e2[k * RECORDS + r])
            alpha = v[(k + 1) * RECORDS + r]
            head = alpha + norm if alpha > 0.0 else alpha - norm
            v[(k + 1) * RECORDS + r] = head
            size = norm * abs(head)  # v'v / 2
            factor[r] = 1.0 / size if size > 0.0 else 0.0
        for r in range(0, RECORDS, FOUR):
            scale, along = load(factor, r), spread(0.0)
            for i in range(k + 1, n):  # p = factor E v
                v_i, entry = load(v, i * RECORDS + r), spread(0.0)
                for j in range(k + 1, i):
                    e = load(E, (i * n + j) * RECORDS + r)
                    entry = fma(e, load(v, j * RECORDS + r), entry)
                    store(p, j * RECORDS + r, fma(e, v_i, load(p, j * RECORDS + r)))
                store(p, i * RECORDS + r, fma(load(E, (i * n + i) * RECORDS + r), v_i, entry))
            for i in range(k + 1, n):
                entry = scale * load(p, i * RECORDS + r)
                along = fma(entry, load(v, i * RECORDS + r), along)
                store(p, i * RECORDS + r, entry)
            half = spread(-0.5) * scale * along
            for i in range(k + 1, n):
                at = i * RECORDS + r
                store(p, at, fma(half, load(v, at), load(p, at)))
            for i in range(k + 1, n):  # E <- E - v p' - p v'
                v_i = spread(0.0) - load(v, i * RECORDS + r)
                p_i = spread(0.0) - load(p, i * RECORDS + r)
                for j in range(k + 1, i + 1):
                    entry = load(E, (i * n + j) * RECORDS + r)
                    entry = fma(v_i, load(p, j * RECORDS + r), entry)
                    entry = fma(p_i, load(v, j * RECORDS + r), entry)
                    store(E, (i * n + j) * RECORDS + r, entry)


@kernel
def bound(d: Floats, e2: Floats, scale: Floats, n: int) -> None:
    """Divide the tridiagonal matrix by Gershgorin's bound of its eigenvalues, and write that."""
    scale[:] = 0.0
    for i in range(n):
        for r in range(RECORDS):
            beside = math.sqrt(e2[i * RECORDS + r]) if i < n - 1 else 0.0
            beside += math.sqrt(e2[(i - 1) * RECORDS + r]) if i > 0 else 0.0
            scale[r] = max(scale[r], abs(d[i * RECORDS + r]) + beside)
    for i in range(n):
        for r in range(RECORDS):
            inverse = 1.0 / scale[r] if scale[r] > 0.0 else 0.0
            d[i * RECORDS + r] *= inverse
            e2[i * RECORDS + r] *= inverse * inverse


@kernel
def largest(d: Floats, e2: Floats, sign: float, x: Floats, value: Floats, n: int) -> None:
    """Write the largest eigenvalue of sign * (the tridiagonal matrix), which is at most 1.

    Laguerre's iteration for the characteristic polynomial, from above: eigenvalues being real, it
    comes down without overshooting, and converges cubically. The polynomial and its derivatives
    follow three-term recurrences. NaN if they underflow, or if they end too late.
    """
    signed, twice = spread(-sign), spread(2.0)
    slope, bend = value[RECORDS : 2 * RECORDS], value[2 * RECORDS : 3 * RECORDS]
    live = value[3 * RECORDS :]  # 1 in lanes that have not converged, whatever others do
    x[:] = 1.0 + 1e-15
    live[:] = 1.0
    for _ in range(_ITERATIONS):
        for r in range(0, RECORDS, FOUR):
            x_r = load(x, r)
            f_0, df_0, ddf_0 = spread(1.0), spread(0.0), spread(0.0)
            f, df, ddf = fma(signed, load(d, r), x_r), spread(1.0), spread(0.0)
            for i in range(1, n):
                beside = spread(0.0) - load(e2, (i - 1) * RECORDS + r)
                a = fma(signed, load(d, i * RECORDS + r), x_r)
                ddf_0, ddf = ddf, fma(a, ddf, fma(beside, ddf_0, twice * df))
                df_0, df = df, fma(a, df, fma(beside, df_0, f))
                f_0, f = f, fma(a, f, beside * f_0)
            store(value, r, f)
            store(slope, r, df)
            store(bend, r, ddf)
        for r in range(RECORDS):
            inverse = 1.0 / value[r]
            G = slope[r] * inverse
            H = G * G - bend[r] * inverse
            root = math.sqrt(max((n - 1) * (n * H - G * G), 0.0))
            # Where either is not positive, rounding has carried x over the root.
            step = n / (G + root) if value[r] > 0.0 and G > 0.0 else 0.0
            step = math.nan if value[r] == 0.0 else step
            x[r] -= step if live[r] > 0.0 else 0.0
            live[r] = live[r] if step > 1e-14 else 0.0
        moving = 0
        for r in range(RECORDS):
            moving += 1 if live[r] > 0.0 else 0
        if moving == 0:
            return
    for r in range(RECORDS):
        x[r] = math.nan if live[r] > 0.0 else x[r]


@kernel
def errors(weights: Floats, covariances: Floats, worst: Floats, total: Floats) -> None:
    """Write max |eigenvalue(E)| and ||E||_F of E = A^-1 C A^-1 - I for each record.

    Both are NaN if the weights A are not positive definite; the first also where its iteration
    fails, as for many equal eigenvalues.
    """
    n_records, n = weights.shape[0], weights.shape[1]
    square, column = n * n * RECORDS, n * RECORDS
    A, C, P = np.empty(square), np.empty(square), np.empty(square)
    T, E = np.empty(square), np.empty(square)
    v, p, d, e2 = np.empty(column), np.empty(column), np.empty(column), np.zeros(column)
    squares, factor, scale = np.empty(RECORDS), np.empty(RECORDS), np.empty(RECORDS)
    above, below, value = np.empty(RECORDS), np.empty(RECORDS), np.empty(4 * RECORDS)
    for first in range(0, n_records, RECORDS):
        for r in range(RECORDS):
            record = min(first + r, n_records - 1)
            for i in range(n):
                for j in range(n):
                    A[(i * n + j) * RECORDS + r] = weights[record, i, j]
                    C[(i * n + j) * RECORDS + r] = covariances[record, i, j]
        invert(A, T, P, n)
        excess(P, C, T, E, squares, n)
        tridiagonalise(E, v, p, d, e2, factor, n)
        bound(d, e2, scale, n)
        largest(d, e2, 1.0, above, value, n)
        largest(d, e2, -1.0, below, value, n)
        for r in range(min(RECORDS, n_records - first)):
            size = math.sqrt(squares[r])
            total[first + r] = size
            known = size < math.inf and abs(above[r] + below[r]) < math.inf
            worst[first + r] = scale[r] * max(above[r], below[r]) if known else math.nan


@kernel
def mark_skew(A: Floats, tolerance: float, skew: Bools) -> None:
    """Mark the matrices A (record, n, n) that are not symmetric, or differ from A' by NaN.

    Entries may differ from their counterparts by `tolerance` times the largest entry.
    """
    n = A.shape[1]
    for r in range(A.shape[0]):
        gap, is_known = 0.0, True
        for i in range(n):
            for j in range(i):
                if A[r, i, j] != A[r, j, i]:
                    between = abs(A[r, i, j] - A[r, j, i])
                    gap, is_known = max(gap, between), is_known and between < math.inf
        if gap > 0.0 or not is_known:
            largest = 0.0
            for i in range(n):
                for j in range(n):
                    largest = max(largest, abs(A[r, i, j]))
            skew[r] = gap > tolerance * largest or not is_known
