"""Interneurons with fixed synapses and plastic gains: A = alpha I + W diag(g) W', [D23a].

[D23a]: Duong et al., ICML 2023, arXiv 2301.11955.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks import interneurons
from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.frame import Frame, combine_frame, frame_of, settle_frame
from adaptnet.kernels.building_blocks.interneurons import (
    OK,
    WEIGHTS_NOT_FINITE,
    WEIGHTS_NOT_POSITIVE_DEFINITE,
    Buffers,
    Wiring,
    combine,
    record,
    settle,
    workspace,
)
from adaptnet.kernels.building_blocks.simd import FOUR, at_least, fma, load, spread, store, total
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    gains: Floats  # g (k,)
    synapses: Floats  # W' (k, n), fixed
    leak: Floats  # (1,)
    least: Floats  # (1,) what gains are clipped at: 0 or -inf
    steps: Integers  # (1,) most Euler steps since the last record


def initial_state(gains: Floats, frame: Floats, leak: float, least: float) -> State:
    """Return the state before the first sample, from g (k,) and W (n, k)."""
    rows = np.ascontiguousarray(frame.T).copy()
    numbers = np.array([leak]), np.array([least])
    return State(gains.copy(), rows, *numbers, np.zeros(1, np.int64))


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
    to, gains = interneurons.buffers(records, r), interneurons.buffer(records, "gains", r, 2)
    if dynamics.max_steps > 0:
        block = inputs, rates, recorded, dynamics, to, gains
        status, n_samples = run(wiring(state), state.least[0], state.steps, *block)
    else:
        status, n_samples = run_exactly(
            frame_of(state.synapses),
            wiring(state),
            state.least[0],
            inputs,
            rates,
            recorded,
            to,
            gains,
        )
    if status == Status.WEIGHTS_NOT_POSITIVE_DEFINITE:
        status = Status.GAINS_INDEFINITE
    return Outcome(Status(status), n_samples)


@kernel
def squared_norms(synapses: Floats) -> Floats:
    """Return |w_i|^2 (k,) of rows w_i."""
    norms = np.zeros(synapses.shape[0])
    for c in range(synapses.shape[0]):
        row = synapses[c]
        for i in range(synapses.shape[1]):
            norms[c] += row[i] * row[i]
    return norms


@kernel
def learn(gains: Floats, z: Floats, norms: Floats, eta: float, least: float) -> bool:
    """Update g <- max(g + eta (z z - |w|^2), least); False if it overflows."""
    sum_of_gains = 0.0
    for c in range(gains.shape[0]):
        gains[c] = max(gains[c] + eta * (z[c] * z[c] - norms[c]), least)
        sum_of_gains += gains[c]
    return abs(sum_of_gains) < math.inf


@inlined
def learn_by_fours(gains: Floats, z: Floats, norms: Floats, eta: float, least: float) -> bool:
    """Do what `learn` does, four gains at a time; arrays are padded to whole fours."""
    sums, rate, lowest = spread(0.0), spread(eta), spread(least)
    for c in range(0, gains.shape[0], FOUR):
        z_c = load(z, c)
        moved = fma(rate, fma(z_c, z_c, spread(0.0) - load(norms, c)), load(gains, c))
        moved = at_least(moved, lowest)
        store(gains, c, moved)
        sums = sums + moved
    return abs(total(sums)) < math.inf


@kernel
def run_exactly(
    frame: Frame,
    weights: Wiring,
    least: float,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    to: Buffers,
    recorded_gains: Floats,
) -> tuple[int, int]:
    """Process a block of samples of one replicate at the fixed point; return as `run` does."""
    k, gains = weights.gains.shape[0], np.zeros(frame.z.shape[0])
    norms = np.zeros(frame.z.shape[0])
    gains[:k] = weights.gains
    norms[:k] = squared_norms(weights.inward)
    status, n_records, t = OK, 0, 0
    while t < inputs.shape[0]:
        combine_frame(frame, gains, weights.leak[0])
        if not settle_frame(frame, inputs[t]):
            status = WEIGHTS_NOT_POSITIVE_DEFINITE
            break
        # A rate of zero leaves the gains as they are, even if y overflows.
        if rates[t] > 0.0 and not learn_by_fours(gains, frame.z, norms, rates[t], least):
            status = WEIGHTS_NOT_FINITE
            break
        if recorded[t]:
            if recorded_gains.shape[0] > 0:
                recorded_gains[n_records] = gains[:k]
            if to.steps.shape[0] > 0:
                to.steps[n_records] = 0
            weights.gains[:] = gains[:k]
            combine(weights, to.weights[n_records])
            n_records += 1
        t += 1
    weights.gains[:] = gains[:k]
    return status, t


@kernel
def run(
    weights: Wiring,
    least: float,
    steps: Integers,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    fast: FastDynamics,
    to: Buffers,
    recorded_gains: Floats,
) -> tuple[int, int]:
    """Process a block of samples of one replicate; return a status and the samples processed."""
    gains = weights.gains
    norms = squared_norms(weights.inward)
    space = workspace(weights.inward.shape[1], gains.shape[0])
    n_records = 0
    for t in range(inputs.shape[0]):
        used = settle(weights, inputs[t], space, fast)
        if used < 0:
            return -used, t
        steps[0] = max(steps[0], used)
        # A rate of zero leaves the gains as they are, even if y overflows.
        if rates[t] > 0.0 and not learn(gains, space.z, norms, rates[t], least):
            return WEIGHTS_NOT_FINITE, t
        if recorded[t]:
            if recorded_gains.shape[0] > 0:
                recorded_gains[n_records] = gains
            record(weights, space, fast, used, steps[0], n_records, to)
            steps[0] = 0
            n_records += 1
    return OK, inputs.shape[0]
