"""A factorisation of W W' at each sample, or Euler steps of the fast dynamics: the plain way."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import status
from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.dynamics import FastDynamics

Floats = npt.NDArray[np.float64]


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


@kernel
def multiply_synapses(synapses: Floats, out: Floats) -> None:
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
def settle(synapses: Floats, effective: Floats, factor: Floats, x: Floats, y: Floats) -> bool:
    """Write the fixed point W W' y = x; False where W W' is not positive definite."""
    multiply_synapses(synapses, effective)
    if not factorise(effective, factor):
        return False
    solve(factor, x, y)
    return True


@kernel
def respond(synapses: Floats, y: Floats, z: Floats) -> None:
    """Write z = W' y."""
    for c in range(z.shape[0]):
        row = synapses[c]
        active = 0.0
        for i in range(y.shape[0]):
            active += row[i] * y[i]
        z[c] = active


@kernel
def learn(synapses: Floats, y: Floats, z: Floats, eta: float) -> bool:
    """W <- W + eta (y z' - W); False where it overflows."""
    sum_of_weights = 0.0
    for c in range(z.shape[0]):
        row = synapses[c]
        kept, scaled = 1.0 - eta, eta * z[c]
        for i in range(y.shape[0]):
            row[i] = kept * row[i] + scaled * y[i]
            sum_of_weights += row[i]
    return abs(sum_of_weights) < math.inf


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
    n_records = 0
    for t in range(inputs.shape[0]):
        if fast.max_steps > 0:
            used = integrate(synapses, inputs[t], y, z, fast)
            if used < 0:
                return status.ACTIVITY_NOT_FINITE, t
            steps[0] = max(steps[0], used)
        elif settle(synapses, effective, factor, inputs[t], y):
            respond(synapses, y, z)
        else:
            return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        if not learn(synapses, y, z, learning_rate / (1.0 + decay * (n_processed + t))):
            return status.WEIGHTS_NOT_FINITE, t
        if (n_processed + t + 1) % record_every == 0:
            multiply_synapses(synapses, recorded_weights[n_records])
            recorded_steps[n_records] = steps[0]
            steps[0] = 0
            n_records += 1
    return status.OK, inputs.shape[0]
