"""Gains that adapt fast and synapses that adapt slowly, [D23b].

[D23b]: Duong et al., NeurIPS 2023, arXiv 2308.13633.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels import gain
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

    gains: Floats  # g (k,)
    synapses: Floats  # W' (k, n)
    initial_gains: Floats  # (k,) what gains restart from
    leak: Floats  # (1,)
    least: Floats  # (1,) what gains are clipped at: 0 or -inf
    steps: Integers  # (1,) most Euler steps since the last record


def initial_state(gains: Floats, synapses: Floats, leak: float, least: float) -> State:
    """Return the state before the first sample, from g (k,) and W (n, k)."""
    rows = np.ascontiguousarray(synapses.T).copy()
    numbers = np.array([leak]), np.array([least])
    return State(gains.copy(), rows, gains.copy(), *numbers, np.zeros(1, np.int64))


def wiring(state: State) -> Wiring:
    """Return the weights as circuits with interneurons share them."""
    return Wiring(state.synapses, state.synapses, state.gains, state.leak, True)


def weights(state: State) -> Floats:
    """Return A = alpha I + W diag(g) W' (n, n)."""
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
    *,
    synaptic_rates: Floats,
    restarted: Bools,
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`.

    `rates` are those of the gains, `synaptic_rates` (replicate, sample) those of the synapses;
    `restarted` (sample,) says after which samples the gains return to their initial values.
    """
    return [
        _advance(
            state, inputs[r], rates[r], synaptic_rates[r], restarted, recorded, dynamics, records, r
        )
        for r, state in enumerate(states)
    ]


def _advance(
    state: State,
    inputs: Floats,
    rates: Floats,
    synaptic_rates: Floats,
    restarted: Bools,
    recorded: Bools,
    dynamics: FastDynamics,
    records: Records,
    r: int,
) -> Outcome:
    to, gains = interneurons.buffers(records, r), interneurons.buffer(records, "gains", r, 2)
    synapses = interneurons.buffer(records, "synapses", r, 3)
    block = inputs, rates, synaptic_rates, restarted, recorded, dynamics, to, gains, synapses
    status, n_samples = run(wiring(state), state.initial_gains, state.least[0], state.steps, *block)
    if status == Status.WEIGHTS_NOT_POSITIVE_DEFINITE:
        status = Status.GAINS_INDEFINITE
    return Outcome(Status(status), n_samples)


@kernel
def learn_synapses(synapses: Floats, gains: Floats, y: Floats, z: Floats, eta: float) -> bool:
    """W <- W + eta (y (g z)' - W diag(g)); False if it overflows."""
    sum_of_weights = 0.0
    for c in range(z.shape[0]):
        row = synapses[c]
        scaled = eta * gains[c]
        kept, pulled = 1.0 - scaled, scaled * z[c]
        for i in range(y.shape[0]):
            row[i] = kept * row[i] + pulled * y[i]
            sum_of_weights += row[i]
    return abs(sum_of_weights) < math.inf


@kernel
def run(
    weights: Wiring,
    initial_gains: Floats,
    least: float,
    steps: Integers,
    inputs: Floats,
    rates: Floats,
    synaptic_rates: Floats,
    restarted: Bools,
    recorded: Bools,
    fast: FastDynamics,
    to: Buffers,
    recorded_gains: Floats,
    recorded_synapses: Floats,
) -> tuple[int, int]:
    """Process a block of samples of one replicate; return a status and the samples processed.

    Both rules use the gains and synapses that the sample met.
    """
    gains, synapses = weights.gains, weights.inward
    before = np.empty_like(gains)
    space = workspace(synapses.shape[1], gains.shape[0])
    n_records = 0
    for t in range(inputs.shape[0]):
        used = settle(weights, inputs[t], space, fast)
        if used < 0:
            return -used, t
        steps[0] = max(steps[0], used)
        before[:] = gains
        # A rate of zero leaves what it is the rate of as it is, even if y overflows.
        if rates[t] > 0.0:
            norms = gain.squared_norms(synapses)
            if not gain.learn(gains, space.z, norms, rates[t], least):
                return WEIGHTS_NOT_FINITE, t
        if synaptic_rates[t] > 0.0 and not learn_synapses(
            synapses, before, space.y, space.z, synaptic_rates[t]
        ):
            return WEIGHTS_NOT_FINITE, t
        if restarted[t]:
            gains[:] = initial_gains
        if recorded[t]:
            if recorded_gains.shape[0] > 0:
                recorded_gains[n_records] = gains
            if recorded_synapses.shape[0] > 0:
                recorded_synapses[n_records] = synapses.T
            record(weights, space, fast, used, steps[0], n_records, to)
            steps[0] = 0
            n_records += 1
    return OK, inputs.shape[0]
