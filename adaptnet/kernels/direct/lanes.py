"""Replicates of few neurons, whose M are factorised together at each sample.

That costs little more than one of them: for a few neurons nothing else is as quick.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import status
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.lanes import LANES, factorise, gather, scatter, solve
from adaptnet.kernels.building_blocks.simd import fma, load, spread, store

Floats = npt.NDArray[np.float64]


class Small(NamedTuple):
    """What the circuit carries where replicates go side by side."""

    weights: Floats  # M (n, n)


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

    Weights M are (replicate, n, n), inputs (replicate, sample, n), records (replicate, record, n,
    n); `outcomes` (replicate, 2) gets a status and the rows processed. A replicate that fails keeps
    the weights it began with; what is recorded for it from then on means nothing.
    """
    n_lanes, length, n = inputs.shape
    M, L = np.empty(n * n * LANES), np.empty(n * n * LANES)
    products, inverse = np.empty(n * n * LANES), np.empty(n * LANES)
    x, y = np.zeros(n * LANES), np.empty(n * LANES)
    power = np.empty(LANES)
    gather(weights, M)
    for r in range(n_lanes):
        outcomes[r, 0], outcomes[r, 1] = status.OK, length
    n_records = 0
    for t in range(length):
        for r in range(n_lanes):
            for i in range(n):
                x[i * LANES + r] = inputs[r, t, i]
        factorise(M, products, L, inverse, n)
        solve(L, inverse, x, y, n)  # M y = x
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        grow, shrink, squares = spread(eta), spread(-eta), spread(0.0)
        for i in range(n):  # M <- M + eta (y y' - I)
            row, y_i = i * n * LANES, load(y, i * LANES)
            squares = fma(y_i, y_i, squares)
            scaled = grow * y_i
            for j in range(0, i * LANES, LANES):
                store(M, row + j, fma(scaled, load(y, j), load(M, row + j)))
            at = row + i * LANES
            store(M, at, fma(scaled, y_i, load(M, at) + shrink))
        store(power, 0, grow * squares)
        for r in range(n_lanes):
            failed = status.OK if power[r] < math.inf else status.WEIGHTS_NOT_FINITE
            for i in range(n):
                if not inverse[i * LANES + r] < 0.0:
                    failed = status.WEIGHTS_NOT_POSITIVE_DEFINITE
            if failed != status.OK and outcomes[r, 0] == status.OK:
                outcomes[r, 0], outcomes[r, 1] = failed, t
        if (n_processed + t + 1) % record_every == 0:
            for r in range(n_lanes):
                scatter(M, r, recorded_weights[r, n_records])
            n_records += 1
    for r in range(n_lanes):
        if outcomes[r, 0] == status.OK:
            scatter(M, r, weights[r])
