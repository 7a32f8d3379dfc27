"""Interneurons beside a leak: for each sample A y = x with A = alpha I + W W', then Hebb's rule."""

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
from adaptnet.kernels.interneuron.plain import learn
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    synapses: Floats  # W' (k, n)
    leak: Floats  # (1,)
    steps: Integers  # (1,) most Euler steps since the last record


def initial_state(initial_weights: Floats, leak: float) -> State:
    """Return the state before the first sample, from W (n, k)."""
    synapses = np.ascontiguousarray(initial_weights.T).copy()
    return State(synapses, np.array([leak]), np.zeros(1, np.int64))


def wiring(state: State) -> Wiring:
    """Return the weights as circuits with interneurons share them."""
    ones = np.ones(len(state.synapses))
    return Wiring(state.synapses, state.synapses, ones, state.leak, True)


def weights(state: State) -> Floats:
    """Return A = alpha I + W W' (n, n)."""
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
    to, synapses = interneurons.buffers(records, r), interneurons.buffer(records, "synapses", r, 3)
    status, n_samples = run(
        wiring(state), state.steps, inputs, rates, recorded, dynamics, to, synapses
    )
    return Outcome(Status(status), n_samples)


@kernel
def run(
    weights: Wiring,
    steps: Integers,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    fast: FastDynamics,
    to: Buffers,
    recorded_synapses: Floats,
) -> tuple[int, int]:
    """Process a block of samples of one replicate; return a status and the samples processed."""
    synapses = weights.outward
    space = workspace(synapses.shape[1], synapses.shape[0])
    n_records = 0
    for t in range(inputs.shape[0]):
        used = settle(weights, inputs[t], space, fast)
        if used < 0:
            return -used, t
        steps[0] = max(steps[0], used)
        # A rate of zero leaves W as it is, even if y overflows.
        if rates[t] > 0.0 and not learn(synapses, space.y, space.z, rates[t]):
            return WEIGHTS_NOT_FINITE, t
        if recorded[t]:
            if recorded_synapses.shape[0] > 0:
                recorded_synapses[n_records] = synapses.T
            record(weights, space, fast, used, steps[0], n_records, to)
            steps[0] = 0
            n_records += 1
    return OK, inputs.shape[0]
