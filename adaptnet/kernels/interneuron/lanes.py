"""Replicates of few neurons, whose A = W W' are factorised together at each sample.

A changes as in `carried`, without its inverse. A replicate whose A is not fit to be carried, for
the reasons given there, leaves the others, and goes on alone to its end.
"""

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import status
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.lanes import LANES, factorise, gather, scatter, solve
from adaptnet.kernels.building_blocks.simd import fma, load, spread, store
from adaptnet.kernels.interneuron.inverse import JUMP, SIDE_BY_SIDE, Carried, initial_carried

Floats = npt.NDArray[np.float64]

FIT = 1e6  # Tr A Tr D^-1 / n, with A = L D L', above which A is not fit


def initial_side_by_side(weights: Floats) -> Carried:
    """Return the state before the first sample, from W (n, k)."""
    state = initial_carried(weights)
    # Of W, for A itself may be singular by rounding where W is not.
    squares = np.linalg.svd(weights / np.abs(weights).max(), compute_uv=False) ** 2
    if squares.sum() * (1.0 / squares).sum() < FIT * len(weights):
        state.root[:] = weights @ weights.T
        state.scale[1] = SIDE_BY_SIDE
    return state


@kernel
def run_side_by_side(
    weights: Floats,
    inputs: Floats,
    n_processed: int,
    learning_rate: float,
    decay: float,
    record_every: int,
    recorded_weights: Floats,
    outcomes: npt.NDArray[np.int64],
) -> None:
    """Take in a block of samples for each of up to LANES replicates.

    Effective weights A are (replicate, n, n), inputs (replicate, sample, n), records (replicate,
    record, n, n); `outcomes` (replicate, 2) gets a status and the rows processed. A replicate that
    is to go on alone has the weights after those rows.
    """
    n_lanes, length, n = inputs.shape
    A, L = np.empty(n * n * LANES), np.empty(n * n * LANES)
    products, inverse = np.empty(n * n * LANES), np.empty(n * LANES)
    x, y = np.zeros(n * LANES), np.empty(n * LANES)
    rest, h = np.empty(n * LANES), np.empty(n * LANES)
    conditions, powers = np.empty(LANES), np.empty(LANES)
    gather(weights, A)
    for r in range(n_lanes):
        outcomes[r, 0], outcomes[r, 1] = status.OK, length
    n_records = 0
    for t in range(length):
        for r in range(n_lanes):
            for i in range(n):
                x[i * LANES + r] = inputs[r, t, i]
                rest[i * LANES + r] = inputs[r, t, i]
        factorise(A, products, L, inverse, n)
        solve(L, inverse, rest, y, n)  # A y = x
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        c = eta / (1.0 - eta)
        power, along, trace, inverses = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for i in range(n):
            y_i = load(y, i * LANES)
            power = fma(y_i, y_i, power)
            along = fma(y_i, load(x, i * LANES), along)
            trace = trace + load(A, (i * n + i) * LANES)
            inverses = inverses - load(inverse, i * LANES)
        store(powers, 0, spread(c) * power)
        store(conditions, 0, trace * inverses)
        for r in range(n_lanes):
            fit = powers[r] < JUMP and conditions[r] < FIT * n
            for i in range(n):
                fit = fit and inverse[i * LANES + r] < 0.0
            if not fit and outcomes[r, 0] == status.OK:
                outcomes[r, 0], outcomes[r, 1] = status.GOES_ON_ALONE, t
                scatter(A, r, weights[r])
        half = spread(0.5 * c) * along
        for i in range(0, n * LANES, LANES):
            store(h, i, spread(c) * fma(half, load(y, i), load(x, i)))
        kept = spread((1.0 - eta) * (1.0 - eta))
        for i in range(n):  # A <- (1 - eta)^2 (A + h y' + y h')
            row, y_i, h_i = i * n * LANES, load(y, i * LANES), load(h, i * LANES)
            for j in range(0, i * LANES + LANES, LANES):
                grown = fma(h_i, load(y, j), fma(y_i, load(h, j), load(A, row + j)))
                store(A, row + j, kept * grown)
        if (n_processed + t + 1) % record_every == 0:
            for r in range(n_lanes):
                scatter(A, r, recorded_weights[r, n_records])
            n_records += 1
    for r in range(n_lanes):
        if outcomes[r, 0] == status.OK:
            scatter(A, r, weights[r])
