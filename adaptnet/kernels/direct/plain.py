"""A factorisation of M at each sample, or Euler steps of the fast dynamics: the plain way."""

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

    weights: Floats  # M (n, n)
    steps: npt.NDArray[np.int64]  # (1,) most Euler steps since the last record
    factor: Floats  # (n, n) Cholesky factor of M
    y: Floats  # (n,) primary neurons


def initial_state(weights: Floats) -> State:
    """Return the state before the first sample; `weights` (n, n) is copied."""
    n = weights.shape[0]
    return State(weights.copy(), np.zeros(1, np.int64), np.zeros((n, n)), np.zeros(n))


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
