"""Interneurons with gains beside a leak: what circuits with such interneurons share.

The fast dynamics are dy/dg = x - W_yz (g z) - alpha y and tau dz/dg = W_zy y - z, with the fixed
point z = W_zy y, A y = x, A = alpha I + W_yz diag(g) W_zy. Synapses are kept as rows, one per
interneuron: `outward` (k, n) holds W_yz', `inward` (k, n) holds W_zy.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total
from adaptnet.kernels.dynamics import FastDynamics
from adaptnet.kernels.records import Floats, Integers, Records
from adaptnet.kernels.status import Status

# Compiled code takes whole numbers, not members of an enumeration, with a sign.
OK = int(Status.OK)
ACTIVITY_NOT_FINITE = int(Status.ACTIVITY_NOT_FINITE)
FAST_DYNAMICS_UNSTABLE = int(Status.FAST_DYNAMICS_UNSTABLE)
WEIGHTS_NOT_FINITE = int(Status.WEIGHTS_NOT_FINITE)
WEIGHTS_NOT_POSITIVE_DEFINITE = int(Status.WEIGHTS_NOT_POSITIVE_DEFINITE)


class Wiring(NamedTuple):
    """The weights of a circuit; `outward` and `inward` may be one array."""

    outward: Floats  # (k, n)
    inward: Floats  # (k, n)
    gains: Floats  # (k,)
    leak: Floats  # (1,)
    is_symmetric: bool


class Buffers(NamedTuple):
    """One replicate's buffers of what is recorded; those without a record are left alone."""

    weights: Floats  # (record, n, n)
    steps: Integers  # (record,)
    responses: Floats  # (record, n, n)


class Workspace(NamedTuple):
    """Arrays that a kernel computes in."""

    weights: Floats  # (n, n)
    factor: Floats  # (n, n)
    y: Floats  # (n,)
    z: Floats  # (k,)


def buffer(records: Records, name: str, r: int, n_dims: int, dtype: Any = np.float64) -> Any:
    """Return replicate `r`'s buffer of a record, or one without a record, which kernels can take.

    Records may be of more interneurons than a circuit has: the buffers of a circuit are its own.
    """
    array = records.get(name)
    return np.empty((0,) * n_dims, dtype) if array is None else array[r]


def buffers(records: Records, r: int) -> Buffers:
    """Return replicate `r`'s buffers."""
    return Buffers(
        records["effective_weights"][r],
        buffer(records, "fast_steps", r, 1, np.int64),
        buffer(records, "response", r, 3),
    )


def weights_of(wiring: Wiring) -> Floats:
    """Return A (n, n)."""
    A: Floats = np.empty((wiring.inward.shape[1],) * 2)
    combine(wiring, A)
    return A


def response_of(wiring: Wiring, dynamics: FastDynamics) -> Floats:
    """Return G (n, n), the outputs being y = G x at the fixed point, or where Euler steps end.

    Each column is the activity that a unit input leads to; NaN if it blows up.
    """
    k, n = wiring.inward.shape
    G, space = np.empty((n, n)), workspace(n, k)
    for j, x in enumerate(np.eye(n)):
        steps = settle(wiring, x, space, dynamics)
        G[:, j] = space.y if steps >= 0 else np.nan
    return G


@kernel
def workspace(n: int, k: int) -> Workspace:
    """Return fresh arrays to compute in."""
    return Workspace(np.empty((n, n)), np.empty((n, n)), np.empty(n), np.empty(k))


@kernel
def combine(wiring: Wiring, A: Floats) -> None:
    """Write A = alpha I + W_yz diag(g) W_zy."""
    n = A.shape[0]
    for i in range(n):
        for j in range(n):
            A[i, j] = 0.0
        A[i, i] = wiring.leak[0]
    k = wiring.gains.shape[0]
    n_fours = k // 4  # per pass over A, whose reads and writes take longest
    for four in range(n_fours):
        add_four(wiring, 4 * four, A)
    for c in range(4 * n_fours, k):
        gain = wiring.gains[c]
        outward, inward = wiring.outward[c], wiring.inward[c]
        for i in range(n):
            row = A[i]
            weight = gain * outward[i]
            for j in range(i + 1 if wiring.is_symmetric else n):
                row[j] += weight * inward[j]
    if wiring.is_symmetric:
        for i in range(n):
            for j in range(i):
                A[j, i] = A[i, j]


@kernel
def add_four(wiring: Wiring, c: int, A: Floats) -> None:
    """Add what interneurons c to c + 3 contribute to A; only the lower triangle if symmetric."""
    inward, outward, gains = wiring.inward, wiring.outward, wiring.gains
    a, b, d, e = inward[c], inward[c + 1], inward[c + 2], inward[c + 3]
    n = A.shape[0]
    for i in range(n):
        row = A[i]
        p, q = gains[c] * outward[c, i], gains[c + 1] * outward[c + 1, i]
        r, s = gains[c + 2] * outward[c + 2, i], gains[c + 3] * outward[c + 3, i]
        end = i + 1 if wiring.is_symmetric else n
        P, Q, R, S = spread(p), spread(q), spread(r), spread(s)
        n_vectors = min((end + FOUR - 1) // FOUR, n // FOUR)
        for j in range(0, n_vectors * FOUR, FOUR):
            added = fma(P, load(a, j), fma(Q, load(b, j), load(row, j)))
            store(row, j, fma(R, load(d, j), fma(S, load(e, j), added)))
        for j in range(n_vectors * FOUR, end):
            row[j] += (p * a[j] + q * b[j]) + (r * d[j] + s * e[j])


@kernel
def activate(inward: Floats, y: Floats, z: Floats) -> None:
    """Write z = W_zy y."""
    n = y.shape[0]
    whole = n - n % FOUR
    for c in range(z.shape[0]):
        row = inward[c]
        sums = spread(0.0)
        for i in range(0, whole, FOUR):
            sums = fma(load(row, i), load(y, i), sums)
        active = total(sums)
        for i in range(whole, n):
            active += row[i] * y[i]
        z[c] = active


@kernel
def integrate(wiring: Wiring, x: Floats, y: Floats, z: Floats, fast: FastDynamics) -> int:
    """Euler steps of the fast dynamics from rest; return their number, -1 if activity blew up."""
    k, n = wiring.inward.shape
    drive_y, drive_z = np.empty(n), np.empty(k)
    power_x = 0.0
    for i in range(n):
        y[i] = 0.0
        power_x += x[i] * x[i]
    for c in range(k):
        z[c] = 0.0
    squared = fast.tolerance * fast.tolerance
    step_z = fast.step_size / fast.interneuron_time_constant
    for step in range(fast.max_steps):
        for i in range(n):
            drive_y[i] = x[i] - wiring.leak[0] * y[i]
        residual_z = 0.0
        power_z = 0.0
        for c in range(k):
            outward, inward = wiring.outward[c], wiring.inward[c]
            inhibition = wiring.gains[c] * z[c]
            feedforward = 0.0
            for i in range(n):
                feedforward += inward[i] * y[i]
                drive_y[i] -= outward[i] * inhibition
            drive_z[c] = feedforward - z[c]
            residual_z += drive_z[c] * drive_z[c]
            power_z += z[c] * z[c]
        residual_y = 0.0
        for i in range(n):
            residual_y += drive_y[i] * drive_y[i]
        if residual_y <= squared * power_x and residual_z <= squared * power_z:
            return step
        if not residual_y + residual_z < math.inf:
            return -1
        for i in range(n):
            y[i] += fast.step_size * drive_y[i]
        for c in range(k):
            z[c] += step_z * drive_z[c]
    return fast.max_steps


@kernel
def eliminate(A: Floats, work: Floats, x: Floats, y: Floats) -> bool:
    """Write the solution of A y = x, A of any kind; False if it is singular or overflows.

    Gaussian elimination with the largest pivot of each column.
    """
    n = x.shape[0]
    work[:] = A
    y[:] = x
    for p in range(n):
        pivot = p
        for i in range(p + 1, n):
            if abs(work[i, p]) > abs(work[pivot, p]):
                pivot = i
        if not 0.0 < abs(work[pivot, p]) < math.inf:  # nor NaN
            return False
        if pivot != p:
            for j in range(p, n):
                work[p, j], work[pivot, j] = work[pivot, j], work[p, j]
            y[p], y[pivot] = y[pivot], y[p]
        row = work[p]
        for i in range(p + 1, n):
            below = work[i]
            factor = below[p] / row[p]
            for j in range(p + 1, n):
                below[j] -= factor * row[j]
            y[i] -= factor * y[p]
    for p in range(n - 1, -1, -1):
        row = work[p]
        rest = y[p]
        for j in range(p + 1, n):
            rest -= row[j] * y[j]
        y[p] = rest / row[p]
    return True


@kernel
def is_stable(A: Floats, work: Floats, factor: Floats) -> bool:
    """Return whether dy/dg = x - A y settles: all eigenvalues of A have positive real parts.

    They do if the symmetric part is positive definite, which is cheap to see; eigenvalues are
    computed only if it is not.
    """
    n = A.shape[0]
    for i in range(n):
        for j in range(i + 1):
            work[i, j] = 0.5 * (A[i, j] + A[j, i])
            if not abs(work[i, j]) < math.inf:
                return False
    if factorise(work, factor):
        return True
    return bool(np.linalg.eigvals(A.astype(np.complex128)).real.min() > 0.0)


@kernel
def settle(wiring: Wiring, x: Floats, space: Workspace, fast: FastDynamics) -> int:
    """Write the activities that x leads to, at the fixed point or where Euler steps end.

    Return the Euler steps taken, or the negative of a status.
    """
    if fast.max_steps > 0:
        steps = integrate(wiring, x, space.y, space.z, fast)
        return steps if steps >= 0 else -ACTIVITY_NOT_FINITE
    combine(wiring, space.weights)
    if wiring.is_symmetric:
        if not factorise(space.weights, space.factor):
            return -WEIGHTS_NOT_POSITIVE_DEFINITE
        solve(space.factor, x, space.y)
    else:
        work = np.empty_like(space.factor)
        stable = is_stable(space.weights, work, space.factor)
        if not (stable and eliminate(space.weights, work, x, space.y)):
            return -FAST_DYNAMICS_UNSTABLE
    activate(wiring.inward, space.y, space.z)
    return 0


@kernel
def record(
    wiring: Wiring, space: Workspace, fast: FastDynamics, used: int, most: int, r: int, to: Buffers
) -> None:
    """Write record `r`: the weights, the Euler steps, and the response after as many steps.

    `used` are the Euler steps of the sample just processed, `most` the most since the last record.
    """
    n = space.y.shape[0]
    combine(wiring, to.weights[r])
    if to.steps.shape[0] > 0:
        to.steps[r] = most
    if to.responses.shape[0] > 0:
        # At a tolerance of zero steps end early only if they would change nothing.
        fixed = FastDynamics(fast.step_size, 0.0, used, fast.interneuron_time_constant)
        x = np.zeros(n)
        for j in range(n):
            x[:] = 0.0
            x[j] = 1.0
            known = settle(wiring, x, space, fixed) >= 0
            for i in range(n):
                to.responses[r, i, j] = space.y[i] if known else math.nan
