"""Interneurons: Algorithm 2 of [L23], Lipshutz, Pehlevan & Chklovskii, ICLR 2023.

`run` factorises A = W W' at each sample, or follows the fast dynamics by Euler steps. `run_carried`
does the former in O(n^2 + n k): it carries P = A^-1. At the fixed point W z = x, so that a sample
changes A to (1 - eta)^2 [A + c (y x' + x y') + c^2 (y'x) y y'], c = eta / (1 - eta). This is of
rank two, and with u = P y, P x = y Woodbury's identity comes down to
P <- [P - w y' - y w'] / (1 - eta)^2, w = u / h - y (y'u) / (2 h^2), h = y'y + 1 / c.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import linalg, status
from adaptnet.kernels._jit import kernel
from adaptnet.kernels.dynamics import FastDynamics
from adaptnet.kernels.linalg import FOUR, factorise, invert, padded, solve, update_and_multiply

Floats = npt.NDArray[np.float64]

GROWTH = 100.0  # of rounding errors in P, by 1 / (1 - eta)^2 a sample, at which it is renewed
RESIDUAL = 1e-10  # |A y - x| / |x| above which P is not trusted


class State(NamedTuple):
    """What the circuit carries from one sample to the next, and its scratch space."""

    synapses: Floats  # W' (k, n): a row an interneuron, so that reads and updates are contiguous
    steps: npt.NDArray[np.int64]  # (1,) most Euler steps since the last record
    effective: Floats  # (n, n) A = W W'
    factor: Floats  # (n, n) Cholesky factor of A
    y: Floats  # (n,) primary neurons
    z: Floats  # (k,) interneurons


def initial_state(weights: Floats) -> State:
    """Return the state before the first sample, from W (n, k)."""
    n, k = weights.shape
    return State(
        np.ascontiguousarray(weights.T).copy(),
        np.zeros(1, np.int64),
        np.zeros((n, n)),
        np.zeros((n, n)),
        np.zeros(n),
        np.zeros(k),
    )


class Carried(NamedTuple):
    """What the circuit carries where P is carried; sizes are padded to multiples of FOUR.

    The last sample's changes are pending, to be made in the pass that the next one needs anyway.
    """

    synapses: Floats  # W' (k, n), up to the change (1 - eta) W + eta y z' of the last sample
    inverse: Floats  # P (n, n), up to the change [P - w y' - y w'] / (1 - eta)^2
    y: Floats  # (n,) of the last sample, as are the next three
    w: Floats  # (n,)
    z: Floats  # (k,)
    rate: Floats  # (2,) eta; growth of errors since P was renewed, infinite to have it renewed
    effective: Floats  # A (n, n), not padded, as is `factor`: scratch
    factor: Floats  # (n, n)
    scratch: Floats  # (6, n)


def initial_carried(weights: Floats) -> Carried:
    """Return the state before the first sample, from W (n, k), for `run_carried`."""
    synapses = padded(weights.T)
    k, m = synapses.shape
    n = len(weights)
    return Carried(
        synapses,
        np.zeros((m, m)),
        np.zeros(m),
        np.zeros(m),
        np.zeros(k),
        np.array([0.0, math.inf]),
        np.zeros((n, n)),
        np.zeros((n, n)),
        np.zeros((6, m)),
    )


@kernel
def multiply(synapses: Floats, out: Floats) -> None:
    """Write the effective weights A = W W', both triangles."""
    k, n = synapses.shape[0], out.shape[0]
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
    for c in range(k):
        row = synapses[c]
        for i in range(n):
            out_row = out[i]
            weight = row[i]
            for j in range(i + 1):
                out_row[j] += weight * row[j]
    for i in range(n):
        for j in range(i):
            out[j, i] = out[i, j]


@kernel
def integrate(synapses: Floats, x: Floats, y: Floats, z: Floats, fast: FastDynamics) -> int:
    """Euler steps of dy/dg = x - W z, tau dz/dg = W' y - z from rest.

    Return their number, -1 where the activity blew up.
    """
    k, n = synapses.shape
    drive_y = np.empty(n)
    drive_z = np.empty(k)
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
            drive_y[i] = x[i]
        residual_z = 0.0
        power_z = 0.0
        for c in range(k):
            row = synapses[c]
            active = z[c]
            feedforward = 0.0
            for i in range(n):
                feedforward += row[i] * y[i]
                drive_y[i] -= row[i] * active
            drive_z[c] = feedforward - active
            residual_z += drive_z[c] * drive_z[c]
            power_z += active * active
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
    synapses, steps, effective, factor, y, z = state
    k, n = synapses.shape
    n_records = 0
    for t in range(inputs.shape[0]):
        x = inputs[t]
        if fast.max_steps > 0:
            used = integrate(synapses, x, y, z, fast)
            if used < 0:
                return status.ACTIVITY_NOT_FINITE, t
            steps[0] = max(steps[0], used)
        else:
            multiply(synapses, effective)
            if not factorise(effective, factor):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            solve(factor, x, y)  # W W' y = x
            for c in range(k):  # z = W' y
                row = synapses[c]
                active = 0.0
                for i in range(n):
                    active += row[i] * y[i]
                z[c] = active
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        total = 0.0
        for c in range(k):  # W <- W + eta (y z' - W)
            row = synapses[c]
            kept = 1.0 - eta
            scaled = eta * z[c]
            for i in range(n):
                row[i] = kept * row[i] + scaled * y[i]
                total += row[i]
        if not abs(total) < math.inf:
            return status.WEIGHTS_NOT_FINITE, t
        if (n_processed + t + 1) % record_every == 0:
            multiply(synapses, recorded_weights[n_records])
            recorded_steps[n_records] = steps[0]
            steps[0] = 0
            n_records += 1
    return status.OK, inputs.shape[0]


@kernel
def current_synapses(state: Carried, out: Floats) -> None:
    """Write W' with what is pending; `out` may be the state's own."""
    kept, eta, y = 1.0 - state.rate[0], state.rate[0], state.y
    for c in range(out.shape[0]):
        row, out_row = state.synapses[c], out[c]
        scaled = eta * state.z[c]
        for i in range(out.shape[1]):
            out_row[i] = kept * row[i] + scaled * y[i]


@kernel
def update_synapses(state: Carried, y: Floats, x: Floats, z: Floats, back: Floats) -> float:
    """Make W's pending change, write z = W' y, and return |W z - x|^2, in one pass."""
    kept, eta, last = 1.0 - state.rate[0], state.rate[0], state.y
    k, m = state.synapses.shape
    for i in range(m):
        back[i] = -x[i]
    for c in range(0, k, FOUR):
        row_0, row_1 = state.synapses[c], state.synapses[c + 1]
        row_2, row_3 = state.synapses[c + 2], state.synapses[c + 3]
        eta_0, eta_1 = eta * state.z[c], eta * state.z[c + 1]
        eta_2, eta_3 = eta * state.z[c + 2], eta * state.z[c + 3]
        z_0 = z_1 = z_2 = z_3 = 0.0
        for i in range(m):
            last_i, y_i = last[i], y[i]
            w_0 = kept * row_0[i] + eta_0 * last_i
            w_1 = kept * row_1[i] + eta_1 * last_i
            w_2 = kept * row_2[i] + eta_2 * last_i
            w_3 = kept * row_3[i] + eta_3 * last_i
            row_0[i] = w_0
            row_1[i] = w_1
            row_2[i] = w_2
            row_3[i] = w_3
            z_0 += w_0 * y_i
            z_1 += w_1 * y_i
            z_2 += w_2 * y_i
            z_3 += w_3 * y_i
        z[c], z[c + 1], z[c + 2], z[c + 3] = z_0, z_1, z_2, z_3
        for i in range(m):
            back[i] += (z_0 * row_0[i] + z_1 * row_1[i]) + (z_2 * row_2[i] + z_3 * row_3[i])
    squares = 0.0
    for i in range(m):
        squares += back[i] * back[i]
    return squares


@kernel
def renew(state: Carried) -> bool:
    """Compute P anew from W; False where W W' is not positive definite."""
    multiply(state.synapses, state.effective)
    if not factorise(state.effective, state.factor):
        return False
    invert(state.factor, state.inverse)
    state.rate[1] = 1.0
    return True


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

    Every y is checked: where |A y - x| exceeds RESIDUAL |x|, P is renewed from a factorisation of
    A, and y comes from that.
    """
    P, synapses, rate = state.inverse, state.synapses, state.rate
    x, y, u, back = state.scratch[0], state.scratch[1], state.scratch[2], state.scratch[3]
    scaled_w, scaled_y, z = state.scratch[4], state.scratch[5], np.zeros(state.z.shape[0])
    now = np.empty(synapses.shape if recorded_weights.shape[0] > 0 else (0, 0))
    n, m = state.factor.shape[0], P.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        size = 0.0
        for i in range(n):
            x[i] = inputs[t, i]
            size += x[i] * x[i]
        if rate[1] > GROWTH:
            current_synapses(state, synapses)
            rate[0] = 0.0
            state.w[:] = 0.0
            if not renew(state):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        scale = 1.0 / ((1.0 - rate[0]) * (1.0 - rate[0]))
        for i in range(m):
            scaled_w[i] = scale * state.w[i]
            scaled_y[i] = scale * state.y[i]
        update_and_multiply(P, scale, scaled_w, state.y, scaled_y, state.w, x, y)
        if not update_synapses(state, y, x, z, back) <= RESIDUAL * RESIDUAL * size:
            if not renew(state):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            solve(state.factor, x, y)  # W W' y = x
            linalg.multiply(synapses, y, z)
        linalg.multiply(P, y, u)
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        gain = 0.0
        power = 0.0
        for i in range(m):
            gain += y[i] * u[i]
            power += y[i] * y[i]
        if not power < math.inf:
            return status.WEIGHTS_NOT_FINITE, t
        h = power + (1.0 - eta) / eta
        for i in range(m):
            state.y[i] = y[i]
            state.w[i] = u[i] / h - (0.5 * gain / (h * h)) * y[i]
        state.z[:] = z
        rate[0] = eta
        rate[1] /= (1.0 - eta) * (1.0 - eta)
        if (n_processed + t + 1) % record_every == 0:
            current_synapses(state, now)
            multiply(now, recorded_weights[n_records])
            n_records += 1
    return status.OK, inputs.shape[0]
