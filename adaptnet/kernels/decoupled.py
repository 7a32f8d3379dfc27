"""Interneurons whose two sets of synapses learn apart: A = alpha I + W_yz W_zy, not symmetric."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks import interneurons
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.interneurons import (
    OK,
    WEIGHTS_NOT_FINITE,
    Buffers,
    Wiring,
    record,
    settle,
    workspace,
)
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    outward: Floats  # W_yz' (k, n), from interneurons
    inward: Floats  # W_zy (k, n), to interneurons
    leak: Floats  # (1,)
    steps: Integers  # (1,) most Euler steps since the last record


def initial_state(outward: Floats, inward: Floats, leak: float) -> State:
    """Return the state before the first sample, from W_yz (n, k) and W_zy (k, n)."""
    columns = np.ascontiguousarray(outward.T).copy()
    rows = np.ascontiguousarray(inward).copy()
    return State(columns, rows, np.array([leak]), np.zeros(1, np.int64))


def wiring(state: State) -> Wiring:
    """Return the weights as circuits with interneurons share them."""
    return Wiring(state.outward, state.inward, np.ones(len(state.inward)), state.leak, False)


def weights(state: State) -> Floats:
    """Return A = alpha I + W_yz W_zy (n, n)."""
    return interneurons.weights_of(wiring(state))


def response(state: State, dynamics: FastDynamics) -> Floats:
    """Return G (n, n), the outputs being y = G x."""
    return interneurons.response_of(wiring(state), dynamics)


def advance(
    states: Sequence[State],
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    records: Records,
    dynamics: FastDynamics = EXACT,
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`."""
    return [
        _advance(state, inputs[r], rates[r], recorded, dynamics, records, r)
        for r, state in enumerate(states)
    ]


def _advance(
    state: State,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    dynamics: FastDynamics,
    records: Records,
    r: int,
) -> Outcome:
    to = interneurons.buffers(records, r)
    outward = interneurons.buffer(records, "outward_synapses", r, 3)
    inward = interneurons.buffer(records, "inward_synapses", r, 3)
    block = state.steps, inputs, rates, recorded, dynamics, to, outward, inward
    status, n_samples = run(wiring(state), *block)
    return Outcome(Status(status), n_samples)


@kernel
def learn(outward: Floats, inward: Floats, y: Floats, z: Floats, eta: float) -> bool:
    """W_yz <- W_yz + eta (y z' - W_yz), W_zy <- W_zy + eta (z y' - W_zy); False on overflow."""
    sum_of_weights = 0.0
    for c in range(z.shape[0]):
        leaving, entering = outward[c], inward[c]
        kept, scaled = 1.0 - eta, eta * z[c]
        for i in range(y.shape[0]):
            change = scaled * y[i]
            leaving[i] = kept * leaving[i] + change
            entering[i] = kept * entering[i] + change
            sum_of_weights += leaving[i] + entering[i]
    return abs(sum_of_weights) < math.inf


@kernel
def run(
    weights: Wiring,
    steps: Integers,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    fast: FastDynamics,
    to: Buffers,
    recorded_outward: Floats,
    recorded_inward: Floats,
) -> tuple[int, int]:
    """Process a block of samples of one replicate; return a status and the samples processed."""
    k, n = weights.inward.shape
    space = workspace(n, k)
    n_records = 0
    for t in range(inputs.shape[0]):
        used = settle(weights, inputs[t], space, fast)
        if used < 0:
            return -used, t
        steps[0] = max(steps[0], used)
        # A rate of zero leaves the synapses as they are, even if y overflows.
        if rates[t] > 0.0 and not learn(
            weights.outward, weights.inward, space.y, space.z, rates[t]
        ):
            return WEIGHTS_NOT_FINITE, t
        if recorded[t]:
            if recorded_outward.shape[0] > 0:
                recorded_outward[n_records] = weights.outward.T
            if recorded_inward.shape[0] > 0:
                recorded_inward[n_records] = weights.inward
            record(weights, space, fast, used, steps[0], n_records, to)
            steps[0] = 0
            n_records += 1
    return OK, inputs.shape[0]
