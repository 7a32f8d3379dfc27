"""Interneurons with fixed synapses and plastic gains: A = alpha I + W diag(g) W', [D23a].

[D23a]: Duong et al., ICML 2023, arXiv 2301.11955.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels import gain_lanes
from adaptnet.kernels.building_blocks import interneurons
from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.frame import Frame, combine_frame, frame_of, settle_frame
from adaptnet.kernels.building_blocks.frame_lanes import frame_lanes_of
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
from adaptnet.kernels.building_blocks.lanes import LANES
from adaptnet.kernels.building_blocks.simd import FOUR, load, spread, store, total
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
    """Process a block of samples, side by side where that is quicker; see `adaptnet.kernels`."""
    outcomes = []
    for first in range(0, len(states), LANES):
        group = range(first, min(first + LANES, len(states)))
        if dynamics.max_steps == 0 and _go_together([states[r] for r in group]):
            outcomes += _advance_together(group, states, inputs, rates, recorded, records)
        else:
            outcomes += [
                _advance(states[r], inputs[r], rates[r], recorded, dynamics, records, r)
                for r in group
            ]
    return outcomes


def side_by_side(n_neurons: int, n_replicates: int) -> bool:
    """Return whether a group takes less time side by side than one after the other.

    With n (n + 1) / 2 interneurons four took .21 of the time at n = 2, .38 at 4, .56 at 10, .75 at
    12 and .84 at 16; fewer take as long as four.
    """
    return n_replicates > n_neurons // 4


def _go_together(states: Sequence[State]) -> bool:
    """Return whether replicates, which must differ in their gains alone, go side by side."""
    first = states[0]
    return side_by_side(first.synapses.shape[1], len(states)) and all(
        np.array_equal(shared, own)
        for state in states[1:]
        for shared, own in zip(first[1:4], state[1:4], strict=True)
    )


def _advance_together(
    group: Sequence[int],
    states: Sequence[State],
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    records: Records,
) -> list[Outcome]:
    """Process a block of samples of the replicates numbered in `group`, side by side."""
    members, first = slice(group[0], group[-1] + 1), states[group[0]]
    gains = np.array([states[r].gains for r in group])
    outcomes = np.empty((len(group), 2), np.int64)
    shape = len(group), np.count_nonzero(recorded)
    to_weights = np.empty((*shape, *records["effective_weights"].shape[2:]))
    to_gains = np.empty((*shape, gains.shape[1]) if "gains" in records else (len(group), 0, 0))
    block = inputs[members], rates[members], recorded, to_weights, to_gains, outcomes
    rows, frame, norms = (
        first.synapses,
        frame_lanes_of(first.synapses),
        squared_norms(first.synapses),
    )
    gain_lanes.run(frame, rows, norms, first.leak, first.least[0], gains, *block)
    n_records = shape[1]
    records["effective_weights"][members, :n_records] = to_weights
    if "gains" in records:
        records["gains"][members, :n_records] = to_gains
    if "fast_steps" in records:
        records["fast_steps"][members, :n_records] = 0
    for r, changed in zip(group, gains, strict=True):
        states[r].gains[:] = changed
    return [Outcome(_status(status), n_samples) for status, n_samples in outcomes.tolist()]


def _status(code: int) -> Status:
    """Return a status; of gains, which are what makes A indefinite here."""
    indefinite = code == Status.WEIGHTS_NOT_POSITIVE_DEFINITE
    return Status.GAINS_INDEFINITE if indefinite else Status(code)


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
    return Outcome(_status(status), n_samples)


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
        moved = gain_lanes.learned(load(gains, c), load(z, c), load(norms, c), rate, lowest)
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
