"""Replicates of few neurons, whose A = W W' are factorised together at each sample.

A changes as in `inverse`, without its inverse. A replicate whose A is not fit to be carried, for
the reasons given there, leaves the others, and goes on alone, as `inverse` does, to its end.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.lanes import LANES, factorise, gather, scatter, solve
from adaptnet.kernels.building_blocks.simd import fma, load, spread, store
from adaptnet.kernels.interneuron import inverse
from adaptnet.kernels.interneuron.inverse import JUMP
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status

FIT = 1e6  # Tr A Tr D^-1 / n, with A = L D L', above which A is not fit
GOES_ON_ALONE = -1  # beside Status: a replicate has left those that went beside it


class Mode(IntEnum):
    """How a replicate is advanced."""

    TOGETHER = 0  # beside others, by `weights`
    ALONE = 1  # by the fields of `inverse.State`


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    mode: Integers  # (1,) a Mode
    weights: Floats  # (n, n) A while the replicate goes beside others
    effective: Floats  # from here on as in inverse.State
    effective_inverse: Floats
    pending: Floats
    scale: Floats
    inverse_mode: Integers
    countdown: Integers
    root: Floats

    @property
    def alone(self) -> inverse.State:
        """The arrays that count once the replicate goes on alone."""
        return inverse.State(*self[2:])

    @property
    def together(self) -> bool:
        """Whether the replicate goes beside others."""
        return bool(self.mode[0] == Mode.TOGETHER)


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample, from W (n, k)."""
    # Of W, for A itself may be singular by rounding if W is not.
    with np.errstate(all="ignore"):
        scaled = initial_weights / np.abs(initial_weights).max()
        squares = np.linalg.svd(scaled, compute_uv=False) ** 2
        fit = squares.sum() * (1.0 / squares).sum() < FIT * len(initial_weights)
        effective = initial_weights @ initial_weights.T
    return State(
        np.array([int(Mode.TOGETHER if fit else Mode.ALONE)]),
        effective,
        *inverse.initial_state(initial_weights),
    )


def weights(state: State) -> Floats:
    """Return A = W W' (n, n)."""
    return state.weights.copy() if state.together else inverse.weights(state.alone)


def advance(
    states: Sequence[State], inputs: Floats, rates: Floats, recorded: Bools, records: Records
) -> list[Outcome]:
    """Process a block of samples, LANES replicates at a time; see :mod:`adaptnet.kernels`."""
    outcomes = np.full((len(states), 2), (GOES_ON_ALONE, 0))
    together = [r for r, state in enumerate(states) if state.together]
    for first in range(0, len(together), LANES):
        _advance_together(
            together[first : first + LANES], states, inputs, rates, recorded, records, outcomes
        )
    return [
        _advance_alone(state, done, inputs[r], rates[r], recorded, records["effective_weights"][r])
        if code == GOES_ON_ALONE
        else Outcome(Status(code), done)
        for r, (state, (code, done)) in enumerate(zip(states, outcomes.tolist(), strict=True))
    ]


def _advance_together(
    group: list[int],
    states: Sequence[State],
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    records: Records,
    outcomes: Integers,
) -> None:
    """Process a block of samples of the replicates numbered in `group`."""
    A = np.array([states[r].weights for r in group])
    ended = np.empty((len(group), 2), np.int64)
    recorded_weights = np.empty((len(group), *records["effective_weights"].shape[1:]))
    run(A, inputs[group], rates[group], recorded, recorded_weights, ended)
    outcomes[group], records["effective_weights"][group] = ended, recorded_weights
    for r, changed in zip(group, A, strict=True):
        states[r].weights[:] = changed
        if outcomes[r, 0] == GOES_ON_ALONE and not _leave(states[r]):
            outcomes[r, 0] = Status.WEIGHTS_SINGULAR


def _leave(state: State) -> bool:
    """Go on alone, with the root of A; False if A is not positive definite."""
    state.mode[0] = Mode.ALONE
    return inverse.to_root(state.alone, state.weights, np.empty_like(state.weights))


def _advance_alone(
    state: State, done: int, inputs: Floats, rates: Floats, recorded: Bools, weight_records: Floats
) -> Outcome:
    """Process what is left of a block of which `done` samples are."""
    left = np.count_nonzero(recorded[:done])
    outcome = inverse.advance(
        [state.alone],
        inputs[None, done:],
        rates[None, done:],
        recorded[done:],
        {"effective_weights": weight_records[None, left:]},
    )[0]
    return Outcome(outcome.status, done + outcome.n_samples)


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

    Effective weights A are (replicate, n, n), inputs (replicate, sample, n), rates (replicate,
    sample), records (replicate, record, n, n); `outcomes` (replicate, 2) gets a status, or
    GOES_ON_ALONE, and the samples processed. A replicate that is to go on alone has the weights
    after those samples.
    """
    n_lanes, length, n = inputs.shape
    A, L = np.empty(n * n * LANES), np.empty(n * n * LANES)
    products, inverse = np.empty(n * n * LANES), np.empty(n * LANES)
    x, y = np.zeros(n * LANES), np.empty(n * LANES)
    rest, h = np.empty(n * LANES), np.empty(n * LANES)
    conditions, powers, etas = np.empty(LANES), np.empty(LANES), np.zeros(LANES)
    gather(weights, A)
    for r in range(n_lanes):
        outcomes[r, 0], outcomes[r, 1] = Status.OK, length
    n_records = 0
    for t in range(length):
        for r in range(n_lanes):
            etas[r] = rates[r, t]
            for i in range(n):  # A rate of zero leaves A as it is, even if y would overflow.
                x[i * LANES + r] = inputs[r, t, i] if etas[r] > 0.0 else 0.0
        for i in range(0, n * LANES, LANES):
            store(rest, i, load(x, i))
        factorise(A, products, L, inverse, n)
        solve(L, inverse, rest, y, n)  # A y = x
        kept = spread(1.0) - load(etas, 0)
        c = load(etas, 0) / kept
        power, along, trace, inverses = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for i in range(n):
            y_i = load(y, i * LANES)
            power = fma(y_i, y_i, power)
            along = fma(y_i, load(x, i * LANES), along)
            trace = trace + load(A, (i * n + i) * LANES)
            inverses = inverses - load(inverse, i * LANES)
        store(powers, 0, c * power)
        store(conditions, 0, trace * inverses)
        for r in range(n_lanes):
            fit = powers[r] < JUMP and conditions[r] < FIT * n
            for i in range(n):
                fit = fit and inverse[i * LANES + r] < 0.0
            if etas[r] > 0.0 and not fit and outcomes[r, 0] == Status.OK:
                outcomes[r, 0], outcomes[r, 1] = GOES_ON_ALONE, t
                scatter(A, r, weights[r])
        half = spread(0.5) * c * along
        for i in range(0, n * LANES, LANES):
            store(h, i, c * fma(half, load(y, i), load(x, i)))
        kept = kept * kept
        for i in range(n):  # A <- (1 - eta)^2 (A + h y' + y h')
            row, y_i, h_i = i * n * LANES, load(y, i * LANES), load(h, i * LANES)
            for j in range(0, i * LANES + LANES, LANES):
                grown = fma(h_i, load(y, j), fma(y_i, load(h, j), load(A, row + j)))
                store(A, row + j, kept * grown)
        if recorded[t]:
            for r in range(n_lanes):
                scatter(A, r, recorded_weights[r, n_records])
            n_records += 1
    for r in range(n_lanes):
        if outcomes[r, 0] == Status.OK:
            scatter(A, r, weights[r])
