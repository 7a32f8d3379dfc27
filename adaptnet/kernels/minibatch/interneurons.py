"""Interneurons that learn from batches, whatever they learn: synapses, gains or both.

With sums over the samples t of a batch, each at its learning rates eta and eta_g:

    W_yz <- W_yz + diag(g) sum eta (y z' - W_yz) / B,   and W_zy likewise,
    g    <- max(g + sum eta_g (z z - |w|^2) / B, least),

which is every circuit with interneurons: g is 1 where gains do not learn, eta is 0 where synapses
do not, W_zy = W_yz' if both are one. Gains and synapses use what the batch met.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks import interneurons
from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.interneurons import (
    OK,
    WEIGHTS_NOT_FINITE,
    WEIGHTS_NOT_POSITIVE_DEFINITE,
    Buffers,
    Wiring,
    Workspace,
    activate,
    combine,
    record,
    settle,
    workspace,
)
from adaptnet.kernels.causes import explained
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.gain import squared_norms
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status


class Batch(NamedTuple):
    """What the samples of a batch have added up to."""

    products: Floats  # (k, n) sum of eta z y'
    powers: Floats  # (k,) sum of eta_g z z
    rates: Floats  # (2,) sums of eta and of eta_g
    n_samples: Integers  # (1,)


class State(NamedTuple):
    """What a circuit carries from one sample to the next."""

    outward: Floats  # W_yz' (k, n), from interneurons; (0, n) if it is W_zy
    inward: Floats  # W_zy (k, n), to interneurons
    gains: Floats  # g (k,)
    initial_gains: Floats  # (k,) what gains restart from
    leak: Floats  # (1,)
    least: Floats  # (1,) what gains are clipped at: 0 or -inf
    steps: Integers  # (1,) most Euler steps since the last record
    batch_products: Floats
    batch_powers: Floats
    batch_rates: Floats
    batch_samples: Integers

    @property
    def synapses(self) -> Floats:
        """W' (k, n), where both sets of synapses are one."""
        return self.inward


class Recorded(NamedTuple):
    """One replicate's buffers of gains and synapses; those without a record are left alone."""

    gains: Floats  # (record, k)
    synapses: Floats  # (record, n, k)
    outward: Floats  # (record, n, k)
    inward: Floats  # (record, k, n)


def initial_state(
    inward: Floats,
    outward: Floats | None = None,
    gains: Floats | None = None,
    leak: float = 0.0,
    least: float = -math.inf,
) -> State:
    """Return the state before the first sample, from W_zy (k, n), W_yz (n, k) and g (k,)."""
    k, n = inward.shape
    g = np.ones(k) if gains is None else gains
    return State(
        np.empty((0, n)) if outward is None else np.ascontiguousarray(outward.T).copy(),
        np.ascontiguousarray(inward).copy(),
        g.copy(),
        g.copy(),
        np.array([leak]),
        np.array([least]),
        np.zeros(1, np.int64),
        np.zeros((k, n)),
        np.zeros(k),
        np.zeros(2),
        np.zeros(1, np.int64),
    )


def wiring(state: State) -> Wiring:
    """Return the weights as circuits with interneurons share them."""
    is_symmetric = len(state.outward) == 0
    outward = state.inward if is_symmetric else state.outward
    return Wiring(outward, state.inward, state.gains, state.leak, is_symmetric)


def weights(state: State) -> Floats:
    """Return A = alpha I + W_yz diag(g) W_zy (n, n)."""
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
    batch_size: int,
    synaptic_rates: Floats | None = None,
    restarted: Bools | None = None,
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`.

    `rates` are those of the gains if there are `synaptic_rates` (replicate, sample), else those of
    the synapses; `restarted` (sample,) says after which samples the gains return to their initial
    values.
    """
    gains_learn = synaptic_rates is not None
    synaptic = rates if synaptic_rates is None else synaptic_rates
    of_gains = rates if gains_learn else np.zeros_like(rates)
    returned = np.zeros(len(recorded), np.bool_) if restarted is None else restarted
    outcomes = []
    for r, state in enumerate(states):
        batch = Batch(*state[-4:])
        to = interneurons.buffers(records, r)
        learned = Recorded(
            interneurons.buffer(records, "gains", r, 2),
            *(
                interneurons.buffer(records, name, r, 3)
                for name in ("synapses", "outward_synapses", "inward_synapses")
            ),
        )
        code, n_samples = run(
            wiring(state),
            batch,
            state.initial_gains,
            state.least[0],
            batch_size,
            state.steps,
            inputs[r],
            synaptic[r],
            of_gains[r],
            returned,
            recorded,
            dynamics,
            to,
            learned,
        )
        status = Status(code)
        if status == Status.WEIGHTS_NOT_POSITIVE_DEFINITE and gains_learn:
            status = Status.GAINS_INDEFINITE
        elif status != Status.OK:
            status = explained(status, weights(state), inputs[r, n_samples])
        outcomes.append(Outcome(status, n_samples))
    return outcomes


@kernel
def settle_again(weights: Wiring, x: Floats, space: Workspace, fast: FastDynamics) -> int:
    """Write the activities that x leads to, as `settle`, with the factor in `space` if it can."""
    if fast.max_steps > 0 or not weights.is_symmetric:
        return settle(weights, x, space, fast)
    solve(space.factor, x, space.y)
    activate(weights.inward, space.y, space.z)
    return 0


@kernel
def gather(batch: Batch, y: Floats, z: Floats, eta: float, eta_g: float) -> None:
    """Add a sample's updates; at a rate of zero nothing, even if y overflows."""
    if eta > 0.0:
        batch.rates[0] += eta
        for c in range(z.shape[0]):
            row, scaled = batch.products[c], eta * z[c]
            for i in range(y.shape[0]):
                row[i] += scaled * y[i]
    if eta_g > 0.0:
        batch.rates[1] += eta_g
        for c in range(z.shape[0]):
            batch.powers[c] += eta_g * z[c] * z[c]
    batch.n_samples[0] += 1


@kernel
def pull(synapses: Floats, gains: Floats, batch: Batch) -> float:
    """W <- W + diag(g) sum eta (z y' - W) / B, row by row; return the sum of all."""
    share, total = 1.0 / batch.n_samples[0], 0.0
    for c in range(synapses.shape[0]):
        row, towards, scaled = synapses[c], batch.products[c], share * gains[c]
        kept = 1.0 - scaled * batch.rates[0]
        for i in range(synapses.shape[1]):
            row[i] = kept * row[i] + scaled * towards[i]
            total += row[i]
    return total


@kernel
def learn(weights: Wiring, batch: Batch, before: Floats, least: float) -> bool:
    """Update synapses and gains, and begin the next batch; False if they overflow."""
    gains, share, total = weights.gains, 1.0 / batch.n_samples[0], 0.0
    before[:] = gains
    if batch.rates[1] > 0.0:
        norms = squared_norms(weights.inward)
        for c in range(gains.shape[0]):
            change = share * (batch.powers[c] - batch.rates[1] * norms[c])
            gains[c] = max(gains[c] + change, least)
            total += gains[c]
    if batch.rates[0] > 0.0:
        total += pull(weights.inward, before, batch)
        if not weights.is_symmetric:
            total += pull(weights.outward, before, batch)
    batch.products[:] = 0.0
    batch.powers[:] = 0.0
    batch.rates[:] = 0.0
    batch.n_samples[0] = 0
    return abs(total) < math.inf


@kernel
def run(
    weights: Wiring,
    batch: Batch,
    initial_gains: Floats,
    least: float,
    batch_size: int,
    steps: Integers,
    inputs: Floats,
    rates: Floats,
    gain_rates: Floats,
    restarted: Bools,
    recorded: Bools,
    fast: FastDynamics,
    to: Buffers,
    learned: Recorded,
) -> tuple[int, int]:
    """Process a block of samples of one replicate; return a status and the samples processed."""
    k, n = weights.inward.shape
    space, before = workspace(n, k), np.empty(k)
    is_fresh, n_records = True, 0
    for t in range(inputs.shape[0]):
        if is_fresh and fast.max_steps == 0 and weights.is_symmetric:
            combine(weights, space.weights)
            if not factorise(space.weights, space.factor):
                return WEIGHTS_NOT_POSITIVE_DEFINITE, t
            is_fresh = False
        used = settle_again(weights, inputs[t], space, fast)
        if used < 0:
            return -used, t
        steps[0] = max(steps[0], used)
        gather(batch, space.y, space.z, rates[t], gain_rates[t])
        if batch.n_samples[0] == batch_size:
            is_fresh = True
            if not learn(weights, batch, before, least):
                return WEIGHTS_NOT_FINITE, t
        if restarted[t]:
            weights.gains[:] = initial_gains
            is_fresh = True
        if recorded[t]:
            if learned.gains.shape[0] > 0:
                learned.gains[n_records] = weights.gains
            if learned.synapses.shape[0] > 0:
                learned.synapses[n_records] = weights.inward.T
            if learned.outward.shape[0] > 0:
                learned.outward[n_records] = weights.outward.T
            if learned.inward.shape[0] > 0:
                learned.inward[n_records] = weights.inward
            record(weights, space, fast, used, steps[0], n_records, to)
            steps[0] = 0
            n_records += 1
    return OK, inputs.shape[0]
