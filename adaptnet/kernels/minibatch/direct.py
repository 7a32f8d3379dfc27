"""Direct connections that learn from batches: M <- M + sum eta (y y' - I) / B."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.causes import explained
from adaptnet.kernels.direct import plain
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.records import Bools, Floats, Integers, Records, buffers
from adaptnet.kernels.status import Outcome, Status


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    weights: Floats  # M (n, n)
    steps: Integers  # (1,) most Euler steps since the last record
    batch_products: Floats  # (n, n) sum of eta y y' over the samples of a batch so far
    batch_rates: Floats  # (1,) sum of eta
    batch_samples: Integers  # (1,)


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample; `initial_weights` M (n, n) are copied."""
    M, count = initial_weights.copy(), np.zeros(1, np.int64)
    return State(M, count, np.zeros_like(M), np.zeros(1), count.copy())


def weights(state: State) -> Floats:
    """Return a copy of M (n, n)."""
    return state.weights.copy()


def response(state: State, dynamics: FastDynamics) -> Floats:
    """Return G (n, n), the outputs being y = G x."""
    return plain.response(plain.initial_state(state.weights), dynamics)


def advance(
    states: Sequence[State],
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    records: Records,
    dynamics: FastDynamics = EXACT,
    *,
    batch_size: int,
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`."""
    outcomes = []
    for r, state in enumerate(states):
        block = inputs[r], rates[r], recorded, dynamics, *buffers(records, r)
        status, n_samples = run(state, batch_size, *block)
        if status != Status.OK:
            status = explained(status, state.weights, inputs[r, n_samples])
        outcomes.append(Outcome(status, n_samples))
    return outcomes


@kernel
def learn(state: State) -> bool:
    """Update M, and begin the next batch; False if it overflows."""
    M, _, products, rates, count = state
    share, trace = 1.0 / count[0], 0.0
    for i in range(M.shape[0]):
        for j in range(M.shape[0]):
            M[i, j] += share * products[i, j]
        M[i, i] -= share * rates[0]
        trace += M[i, i]
    products[:] = 0.0
    rates[0] = 0.0
    count[0] = 0
    return abs(trace) < math.inf


@kernel
def run(
    state: State,
    batch_size: int,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    fast: FastDynamics,
    recorded_weights: Floats,
    recorded_steps: Integers,
    recorded_responses: Floats,
) -> tuple[Status, int]:
    """Process a block of samples of one replicate; return a status and the samples processed."""
    M, steps, products, summed_rates, count = state
    n = M.shape[0]
    factor, y = np.empty((n, n)), np.empty(n)
    is_fresh, n_records = True, 0
    for t in range(inputs.shape[0]):
        used = 0
        if is_fresh and not factorise(M, factor):
            return Status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        is_fresh = False
        if fast.max_steps > 0:
            used = plain.integrate(M, inputs[t], y, fast)
            if used < 0:
                return Status.ACTIVITY_NOT_FINITE, t
            steps[0] = max(steps[0], used)
        else:
            solve(factor, inputs[t], y)
        if rates[t] > 0.0:  # else M stays as it is, even if y overflows
            summed_rates[0] += rates[t]
            for i in range(n):
                for j in range(n):
                    products[i, j] += rates[t] * (y[i] * y[j])  # symmetric to the last bit
        count[0] += 1
        if count[0] == batch_size:
            is_fresh = True
            if not learn(state):
                return Status.WEIGHTS_NOT_FINITE, t
        if recorded[t]:
            recorded_weights[n_records] = M
            if recorded_steps.shape[0] > 0:
                recorded_steps[n_records] = steps[0]
            if recorded_responses.shape[0] > 0:
                plain.respond(M, factor, fast, used, recorded_responses[n_records])
                is_fresh = True
            steps[0] = 0
            n_records += 1
    return Status.OK, inputs.shape[0]
