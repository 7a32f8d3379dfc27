"""Direct connections: Algorithm 1 of [L23], Lipshutz, Pehlevan & Chklovskii, ICLR 2023.

`run` factorises M at each sample, or follows the fast dynamics by Euler steps. `run_carried` does
the former in O(n^2): it carries P = (M + D)^-1, D diagonal. The change of M by eta y y' is of rank
one in P (Sherman and Morrison). Its change by -eta I is not of low rank: it is left in D, and each
sample takes one entry of D, in turn, from +eta n/2 to -eta n/2, which again is of rank one. The
fixed point follows from y = P x + P D y, whose corrections shrink by the factor |P D|.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import status
from adaptnet.kernels._jit import kernel
from adaptnet.kernels.dynamics import FastDynamics
from adaptnet.kernels.linalg import (
    FOUR,
    factorise,
    invert,
    multiply,
    padded,
    solve,
    update_and_multiply,
)

Floats = npt.NDArray[np.float64]

SMALL = 12  # neurons up to which factorising each sample is quicker than carrying P
PERIOD = 4096  # samples between renewals of P, for good measure
CORRECTED = 1e-13  # corrections of y end below this fraction of it
N_CORRECTIONS = 30  # after so many they count as not converging
RESIDUAL = 1e-10  # |M y - x| / |x| above which P is not trusted


class State(NamedTuple):
    """What the circuit carries from one sample to the next, and its scratch space."""

    weights: Floats  # M (n, n)
    steps: npt.NDArray[np.int64]  # (1,) most Euler steps since the last record
    factor: Floats  # (n, n) Cholesky factor of M
    y: Floats  # (n,) primary neurons


class Carried(NamedTuple):
    """What the circuit carries where P is carried; m is n padded to a multiple of FOUR.

    The last sample's changes are pending, to be made in the pass that the next one needs anyway.
    """

    weights: Floats  # M (m, m), up to eta (y y' - I) of the last sample
    inverse: Floats  # P (m, m), up to a b' + c d' of the last sample
    offset: Floats  # (m,) diagonal of D
    pending: Floats  # (5, m) the last y; a, b, c, d
    rate: Floats  # (2,) the last eta; samples left until P is renewed
    factor: Floats  # (n, n) scratch
    scratch: Floats  # (5, m)


def initial_state(weights: Floats) -> State:
    """Return the state before the first sample; `weights` (n, n) is copied."""
    n = weights.shape[0]
    return State(weights.copy(), np.zeros(1, np.int64), np.zeros((n, n)), np.zeros(n))


def initial_carried(weights: Floats) -> Carried:
    """Return the state before the first sample, for `run_carried`."""
    M = padded(weights)
    m = len(M)
    return Carried(
        M,
        np.zeros((m, m)),
        np.zeros(m),
        np.zeros((5, m)),
        np.zeros(2),
        np.zeros(weights.shape),
        np.zeros((5, m)),
    )


@kernel
def integrate(M: Floats, x: Floats, y: Floats, fast: FastDynamics) -> int:
    """Euler steps of dy/dg = x - M y from y = 0; return their number, -1 where y blew up."""
    n = x.shape[0]
    velocity = np.empty(n)
    power = 0.0
    for i in range(n):
        y[i] = 0.0
        power += x[i] * x[i]
    enough = fast.tolerance * fast.tolerance * power
    for step in range(fast.max_steps):
        residual = 0.0
        for i in range(n):
            row = M[i]
            drive = x[i]
            for j in range(n):
                drive -= row[j] * y[j]
            velocity[i] = drive
            residual += drive * drive
        if residual <= enough:
            return step
        if not residual < math.inf:
            return -1
        for i in range(n):
            y[i] += fast.step_size * velocity[i]
    return fast.max_steps


@kernel
def run(
    state: State,
    inputs: Floats,
    n_processed: int,
    learning_rate: float,
    decay: float,
    fast: FastDynamics,
    record_every: int,
    recorded_weights: Floats,
    recorded_steps: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Take in a block of samples, one at a time; return a status and the rows processed."""
    M, steps, factor, y = state
    n = M.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        x = inputs[t]
        if fast.max_steps > 0:
            used = integrate(M, x, y, fast)
            if used < 0:
                return status.ACTIVITY_NOT_FINITE, t
            steps[0] = max(steps[0], used)
        elif factorise(M, factor):
            solve(factor, x, y)  # M y = x
        else:
            return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        total = 0.0
        for i in range(n):  # M <- M + eta (y y' - I)
            row = M[i]
            scaled = eta * y[i]
            for j in range(n):
                row[j] += scaled * y[j]
            row[i] -= eta
            total += row[i]
        if not abs(total) < math.inf:
            return status.WEIGHTS_NOT_FINITE, t
        if (n_processed + t + 1) % record_every == 0:
            recorded_weights[n_records] = M
            recorded_steps[n_records] = steps[0]
            steps[0] = 0
            n_records += 1
    return status.OK, inputs.shape[0]


@kernel
def current_weights(state: Carried, out: Floats) -> None:
    """Write M with what is pending."""
    y, eta = state.pending[0], state.rate[0]
    n = out.shape[0]
    for i in range(n):
        row, out_row = state.weights[i], out[i]
        scaled = eta * y[i]
        for j in range(n):
            out_row[j] = row[j] + scaled * y[j]
        out_row[i] -= eta


@kernel
def update_weights(state: Carried, y: Floats, x: Floats) -> float:
    """Make M's pending change, and return |M y - x|^2 for the next fixed point y, in one pass."""
    M, last, eta = state.weights, state.pending[0], state.rate[0]
    m, n = M.shape[0], state.factor.shape[0]
    squares = 0.0
    for i in range(0, m, FOUR):
        row_0, row_1, row_2, row_3 = M[i], M[i + 1], M[i + 2], M[i + 3]
        for k in range(i, min(i + FOUR, n)):
            M[k, k] -= eta
        eta_0, eta_1 = eta * last[i], eta * last[i + 1]
        eta_2, eta_3 = eta * last[i + 2], eta * last[i + 3]
        rest_0, rest_1, rest_2, rest_3 = -x[i], -x[i + 1], -x[i + 2], -x[i + 3]
        for j in range(m):
            last_j, y_j = last[j], y[j]
            m_0 = row_0[j] + eta_0 * last_j
            m_1 = row_1[j] + eta_1 * last_j
            m_2 = row_2[j] + eta_2 * last_j
            m_3 = row_3[j] + eta_3 * last_j
            row_0[j] = m_0
            row_1[j] = m_1
            row_2[j] = m_2
            row_3[j] = m_3
            rest_0 += m_0 * y_j
            rest_1 += m_1 * y_j
            rest_2 += m_2 * y_j
            rest_3 += m_3 * y_j
        squares += rest_0 * rest_0 + rest_1 * rest_1 + rest_2 * rest_2 + rest_3 * rest_3
    state.rate[0] = 0.0
    last[:] = 0.0
    return squares


@kernel
def renew(state: Carried) -> bool:
    """Compute P anew from M, with D = 0; False where M is not positive definite."""
    state.offset[:] = 0.0
    state.pending[1:] = 0.0
    if not factorise(state.weights, state.factor):
        return False
    invert(state.factor, state.inverse)
    state.rate[1] = PERIOD
    return True


@kernel
def correct(state: Carried, y: Floats) -> None:
    """Turn y = P x into the fixed point of y = P x + P D y."""
    P, D = state.inverse, state.offset
    correction, scaled = state.scratch[2], state.scratch[3]
    m = y.shape[0]
    power = 0.0
    for i in range(m):
        correction[i] = y[i]
        power += y[i] * y[i]
    enough = CORRECTED * CORRECTED * power
    before = power
    for _ in range(N_CORRECTIONS):
        for i in range(m):
            scaled[i] = D[i] * correction[i]
        multiply(P, scaled, correction)
        now = 0.0
        for i in range(m):
            y[i] += correction[i]
            now += correction[i] * correction[i]
        # The next correction will be smaller than this one as this is than the one before.
        if now * now <= enough * before:
            return
        before = now


@kernel
def run_carried(
    state: Carried,
    inputs: Floats,
    n_processed: int,
    learning_rate: float,
    decay: float,
    record_every: int,
    recorded_weights: Floats,
) -> tuple[int, int]:
    """Take in a block of samples at the exact fixed point; return a status and the rows processed.

    Every y is checked: where |M y - x| exceeds RESIDUAL |x|, P is renewed from a factorisation of
    M, and y comes from that.
    """
    P, D = state.inverse, state.offset
    last, a, b, c, d = (
        state.pending[0],
        state.pending[1],
        state.pending[2],
        state.pending[3],
        state.pending[4],
    )
    x, y, u = state.scratch[0], state.scratch[1], state.scratch[4]
    n, m = state.factor.shape[0], P.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        size = 0.0
        for i in range(n):
            x[i] = inputs[t, i]
            size += x[i] * x[i]
        if state.rate[1] <= 0.0:
            update_weights(state, y, x)
            if not renew(state):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        update_and_multiply(P, 1.0, a, b, c, d, x, y)
        correct(state, y)
        if not update_weights(state, y, x) <= RESIDUAL * RESIDUAL * size:
            if not renew(state):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            solve(state.factor, x, y)  # M y = x

        multiply(P, y, u)
        gain = 0.0
        power = 0.0
        for i in range(m):
            gain += u[i] * y[i]
            power += y[i] * y[i]
        if not eta * power < math.inf:
            return status.WEIGHTS_NOT_FINITE, t
        for i in range(m):  # M <- M + eta (y y' - I), pending
            last[i] = y[i]
        state.rate[0] = eta
        # P <- P - eta u u' / (1 + eta y'u), and M + D, one entry of its diagonal lowered by `less`:
        # P <- P + less p p' / (1 - less p_k), p being column k of P; both pending.
        shrink = eta / (1.0 + eta * gain)
        k = (n_processed + t) % n
        row, u_k = P[k], shrink * u[k]
        for i in range(n):
            D[i] += eta
        less = D[k] + 0.5 * n * eta
        D[k] -= less
        left = 1.0 - less * (row[k] - u_k * u[k])
        grow = -less / left
        # While `left` is positive M + D is positive definite; then so is M, unless the corrections
        # diverge (P D has an eigenvalue of 1 or more) and the check of y finds it out.
        state.rate[1] = state.rate[1] - 1.0 if left > 0.0 else 0.0
        for i in range(m):
            a[i] = shrink * u[i]
            b[i] = u[i]
            d[i] = row[i] - u_k * u[i]
            c[i] = grow * d[i]
        if (n_processed + t + 1) % record_every == 0:
            current_weights(state, recorded_weights[n_records])
            n_records += 1
    return status.OK, inputs.shape[0]
