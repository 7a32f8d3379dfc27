"""Replicates of few neurons, whose M are factorised together at each sample.

That costs little more than one of them: for a few neurons nothing else is as quick.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.lanes import LANES, factorise, gather, scatter, solve
from adaptnet.kernels.building_blocks.simd import fma, load, spread, store
from adaptnet.kernels.causes import explained
from adaptnet.kernels.direct import plain
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    weights: Floats  # M (n, n)


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample; `initial_weights` M (n, n) are copied."""
    return State(initial_weights.copy())


def weights(state: State) -> Floats:
    """Return a copy of M (n, n)."""
    return state.weights.copy()


def advance(
    states: Sequence[State], inputs: Floats, rates: Floats, recorded: Bools, records: Records
) -> list[Outcome]:
    """Process a block of samples, LANES replicates at a time; see :mod:`adaptnet.kernels`."""
    outcomes = np.empty((len(states), 2), np.int64)
    for first in range(0, len(states), LANES):
        group = slice(first, first + LANES)
        M = np.array([state.weights for state in states[group]])
        weight_records = records["effective_weights"][group]
        run(M, inputs[group], rates[group], recorded, weight_records, outcomes[group])
        for state, changed in zip(states[group], M, strict=True):
            state.weights[:] = changed
    return [
        _explained(state, Outcome(Status(code), n_samples), inputs[r], rates[r])
        for r, (state, (code, n_samples)) in enumerate(zip(states, outcomes.tolist(), strict=True))
    ]


def _explained(state: State, outcome: Outcome, inputs: Floats, rates: Floats) -> Outcome:
    """Bring the weights of a replicate that failed to its last good sample, and find the cause."""
    status, done = outcome
    if status == Status.OK:
        return outcome
    n, before = inputs.shape[1], np.zeros(done, bool)
    plain_state = plain.initial_state(state.weights)
    nothing = {"effective_weights": np.empty((1, 0, n, n))}
    plain.advance([plain_state], inputs[None, :done], rates[None, :done], before, nothing)
    state.weights[:] = plain_state.weights
    return Outcome(explained(status, state.weights, inputs[done]), done)


@kernel
def run(
    weights: Floats,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    recorded_weights: Floats,
    outcomes: Integers,
) -> None:
    """Process a block of samples of each of up to LANES replicates.

    Weights M are (replicate, n, n), inputs (replicate, sample, n), rates (replicate, sample),
    records (replicate, record, n, n); `outcomes` (replicate, 2) gets a status and the samples
    processed. A replicate that fails keeps the weights it began with; what is recorded for it from
    then on means nothing.
    """
    n_lanes, length, n = inputs.shape
    M, L = np.empty(n * n * LANES), np.empty(n * n * LANES)
    products, inverse = np.empty(n * n * LANES), np.empty(n * LANES)
    x, y = np.zeros(n * LANES), np.empty(n * LANES)
    power, etas = np.empty(LANES), np.zeros(LANES)
    gather(weights, M)
    for r in range(n_lanes):
        outcomes[r, 0], outcomes[r, 1] = Status.OK, length
    n_records = 0
    for t in range(length):
        for r in range(n_lanes):
            etas[r] = rates[r, t]
            for i in range(n):  # A rate of zero leaves M as it is, even if y would overflow.
                x[i * LANES + r] = inputs[r, t, i] if etas[r] > 0.0 else 0.0
        factorise(M, products, L, inverse, n)
        solve(L, inverse, x, y, n)  # M y = x
        eta, squares = load(etas, 0), spread(0.0)
        for i in range(n):  # M <- M + eta (y y' - I)
            row, y_i = i * n * LANES, load(y, i * LANES)
            squares = fma(y_i, y_i, squares)
            scaled = eta * y_i
            for j in range(0, i * LANES, LANES):
                store(M, row + j, fma(scaled, load(y, j), load(M, row + j)))
            at = row + i * LANES
            store(M, at, fma(scaled, y_i, load(M, at) - eta))
        store(power, 0, eta * squares)
        for r in range(n_lanes):
            failed = Status.OK if power[r] < math.inf else Status.WEIGHTS_NOT_FINITE
            for i in range(n):
                if not inverse[i * LANES + r] < 0.0:
                    failed = Status.WEIGHTS_NOT_POSITIVE_DEFINITE
            if failed != Status.OK and outcomes[r, 0] == Status.OK:
                outcomes[r, 0], outcomes[r, 1] = failed, t
        if recorded[t]:
            for r in range(n_lanes):
                scatter(M, r, recorded_weights[r, n_records])
            n_records += 1
    for r in range(n_lanes):
        if outcomes[r, 0] == Status.OK:
            scatter(M, r, weights[r])
