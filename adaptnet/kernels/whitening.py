"""Whitening errors of recorded weights, many records at a time.

Matrices of a few neurons are too small to keep a processor busy one by one. So LANES records are
worked on side by side: arrays are (n, n, LANES), every innermost loop runs over the lanes, and each
lane computes what it would alone, so that a record's error does not depend on its neighbours.
"""

import math

import numpy as np
import numpy.typing as npt

from adaptnet.kernels._jit import kernel

Floats = npt.NDArray[np.float64]

LANES = 64
_ITERATIONS = 100  # of Laguerre; eight are usual, a cluster of n equal eigenvalues takes the most


@kernel
def add_product(out: Floats, a: Floats, b: Floats) -> None:
    """Add a b to `out`, lane by lane."""
    for r in range(LANES):
        out[r] += a[r] * b[r]


@kernel
def invert(A: Floats, G: Floats, P: Floats) -> None:
    """Write P = A^-1, with G scratch and A overwritten; NaN where A is not positive definite."""
    n = A.shape[0]
    for i in range(n):  # A = L L'; A keeps L, with 1 / L_ii on its diagonal
        for j in range(i):
            entry = A[i, j]
            for k in range(j):
                left, right = A[i, k], A[j, k]
                for r in range(LANES):
                    entry[r] -= left[r] * right[r]
            inverse = A[j, j]
            for r in range(LANES):
                entry[r] *= inverse[r]
        square = A[i, i]
        for k in range(i):
            left = A[i, k]
            for r in range(LANES):
                square[r] -= left[r] * left[r]
        for r in range(LANES):
            square[r] = 1.0 / math.sqrt(square[r])
    for i in range(n):  # G = L^-1: row i is (e_i - sum_{k<i} L_ik row k) / L_ii
        inverse = A[i, i]
        for j in range(i):
            total = G[i, j]
            total[:] = 0.0
            for k in range(j, i):
                add_product(total, A[i, k], G[k, j])
            for r in range(LANES):
                total[r] *= -inverse[r]
        G[i, i, :] = inverse
    for i in range(n):  # P = L^-T L^-1
        for j in range(i + 1):
            total = P[i, j]
            total[:] = 0.0
            for k in range(i, n):
                add_product(total, G[k, i], G[k, j])
            P[j, i, :] = total


@kernel
def excess(P: Floats, C: Floats, T: Floats, E: Floats, squares: Floats) -> None:
    """Write E = P C P - I and its squared Frobenius norm, with T scratch."""
    n = P.shape[0]
    squares[:] = 0.0
    for i in range(n):
        for j in range(n):
            total = T[i, j]
            total[:] = 0.0
            for k in range(n):
                add_product(total, P[i, k], C[k, j])
    for i in range(n):
        for j in range(i + 1):
            total = E[i, j]
            total[:] = -1.0 if i == j else 0.0
            for k in range(n):
                add_product(total, T[i, k], P[k, j])
            weight = 1.0 if i == j else 2.0
            for r in range(LANES):
                squares[r] += weight * total[r] * total[r]
            E[j, i, :] = total


@kernel
def tridiagonalise(E: Floats, v: Floats, p: Floats, d: Floats, e2: Floats) -> None:
    """Reduce E to a tridiagonal matrix of the same eigenvalues, destroying it.

    Householder reflections I - factor v v', a column at a time [Golub & Van Loan, Matrix
    Computations, 8.3.1]. Writes the diagonal, and the squares of what is beside it.
    """
    n = E.shape[0]
    square, factor, half = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for k in range(n):
        d[k, :] = E[k, k]
        if k == n - 1:
            break
        square[:] = 0.0
        for j in range(k + 1, n):
            add_product(square, E[k, j], E[k, j])
        e2[k, :] = square
        if k == n - 2:
            continue
        first = E[k, k + 1]
        for r in range(LANES):
            norm = math.sqrt(square[r])
            alpha = first[r]
            head = alpha + norm if alpha > 0.0 else alpha - norm
            v[k + 1, r] = head
            size = norm * abs(head)  # v'v / 2
            factor[r] = 1.0 / size if size > 0.0 else 0.0
        for j in range(k + 2, n):
            v[j, :] = E[k, j]
        half[:] = 0.0
        for i in range(k + 1, n):  # p = factor E v
            total = p[i]
            total[:] = 0.0
            for j in range(k + 1, n):
                add_product(total, E[i, j], v[j])
            for r in range(LANES):
                total[r] *= factor[r]
            add_product(half, total, v[i])
        for r in range(LANES):
            half[r] *= 0.5 * factor[r]
        for i in range(k + 1, n):
            vi, pi = v[i], p[i]
            for r in range(LANES):
                pi[r] -= half[r] * vi[r]
        for i in range(k + 1, n):  # E <- E - v p' - p v'
            vi, pi = v[i], p[i]
            for j in range(k + 1, i + 1):
                entry, vj, pj = E[i, j], v[j], p[j]
                for r in range(LANES):
                    entry[r] -= vi[r] * pj[r] + pi[r] * vj[r]
                E[j, i, :] = entry


@kernel
def outermost(d: Floats, e2: Floats, sign: float, out: Floats) -> None:
    """Write the largest eigenvalue of sign * (the tridiagonal matrix).

    Laguerre's iteration from Gershgorin's bound: the eigenvalues being real it comes down without
    overshooting, and converges cubically. With q the pivots of x I - T, log det is the sum of
    log q, and a = q'/q, b = q''/q follow its derivatives along the recurrence of the pivots.
    """
    n = d.shape[0]
    x, q, a, b = out, np.empty(LANES), np.empty(LANES), np.empty(LANES)
    G, H, least = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    scale, moving = np.zeros(LANES), np.ones(LANES)
    x[:] = -math.inf
    for i in range(n):
        for r in range(LANES):
            beside = math.sqrt(e2[i, r]) if i < n - 1 else 0.0
            beside += math.sqrt(e2[i - 1, r]) if i > 0 else 0.0
            x[r] = max(x[r], sign * d[i, r] + beside)
            scale[r] = max(scale[r], abs(d[i, r]) + beside)
    for r in range(LANES):
        x[r] += 1e-15 * scale[r]
    for _ in range(_ITERATIONS):
        G[:] = 0.0
        H[:] = 0.0
        a[:] = 0.0
        b[:] = 0.0
        q[:] = 1.0
        least[:] = math.inf
        for i in range(n):
            diagonal, beside = d[i], e2[max(i - 1, 0)]
            linked = 1.0 if i > 0 else 0.0
            for r in range(LANES):
                t = linked * beside[r] / q[r]
                pivot = x[r] - sign * diagonal[r] - t
                inverse = 1.0 / pivot
                b[r] = t * (b[r] - 2.0 * a[r] * a[r]) * inverse
                a[r] = (1.0 + t * a[r]) * inverse
                q[r] = pivot
                G[r] += a[r]
                H[r] += a[r] * a[r] - b[r]
                least[r] = min(least[r], pivot)
        n_moving = 0.0
        for r in range(LANES):
            root = math.sqrt(max((n - 1) * (n * H[r] - G[r] * G[r]), 0.0))
            step = moving[r] * n / (G[r] + root)
            # A pivot that is not positive says that rounding has carried x over the root.
            step = step if least[r] > 0.0 else 0.0
            x[r] -= step
            moving[r] = 1.0 if step > 1e-14 * scale[r] else 0.0
            n_moving += moving[r]
        if n_moving == 0.0:
            return
    for r in range(LANES):
        if moving[r] > 0.0:
            x[r] = math.nan


@kernel
def errors(weights: Floats, covariances: Floats, worst: Floats, total: Floats) -> None:
    """Write max |eigenvalue(E)| and ||E||_F of E = A^-1 C A^-1 - I for each record.

    NaN stands where the weights A are not positive definite.
    """
    n_records, n = weights.shape[0], weights.shape[1]
    square, column = (n, n, LANES), (n, LANES)
    A, C, P = np.empty(square), np.empty(square), np.empty(square)
    T, E = np.empty(square), np.empty(square)
    v, p, d, e2 = np.empty(column), np.empty(column), np.empty(column), np.zeros(column)
    squares, above, below = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for first in range(0, n_records, LANES):
        for r in range(LANES):
            record = min(first + r, n_records - 1)
            for i in range(n):
                for j in range(n):
                    A[i, j, r] = weights[record, i, j]
                    C[i, j, r] = covariances[record, i, j]
        invert(A, T, P)
        excess(P, C, T, E, squares)
        tridiagonalise(E, v, p, d, e2)
        outermost(d, e2, 1.0, above)
        outermost(d, e2, -1.0, below)
        for r in range(min(LANES, n_records - first)):
            size = math.sqrt(squares[r])
            total[first + r] = size
            worst[first + r] = max(above[r], below[r]) if size < math.inf else math.nan
