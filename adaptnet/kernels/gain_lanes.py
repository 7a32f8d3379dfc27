"""Replicates with gains and one frame, four side by side at the fixed point.

A replicate's results are to the bit those of `gain.run_exactly`, which advances it alone.
"""

import math

import numpy as np

from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.frame_lanes import (
    FrameLanes,
    combine_lanes,
    settle_lanes,
)
from adaptnet.kernels.building_blocks.interneurons import (
    OK,
    WEIGHTS_NOT_FINITE,
    WEIGHTS_NOT_POSITIVE_DEFINITE,
    Wiring,
    combine,
)
from adaptnet.kernels.building_blocks.lanes import LANES
from adaptnet.kernels.building_blocks.simd import FOUR, at_least, fma, load, spread, store
from adaptnet.kernels.records import Bools, Floats, Integers


@kernel
def run(
    frame: FrameLanes,
    rows: Floats,
    norms: Floats,
    leak: Floats,
    least: float,
    gains: Floats,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    recorded_weights: Floats,
    recorded_gains: Floats,
    outcomes: Integers,
) -> None:
    """Process a block of samples of each of up to LANES replicates.

    `frame` is that of the synapses W' (k, n), |w_i|^2 are (k,), gains (replicate, k), inputs
    (replicate, sample, n), rates (replicate, sample), records (replicate, record, ...), the gains'
    of length 0 if they are not wanted; `outcomes` (replicate, 2) gets a status and the samples
    processed.
    """
    n_lanes, length, n = inputs.shape
    k = rows.shape[0]
    g, x = np.empty(k * LANES), np.empty(n * LANES)
    etas, lowest, sums = np.zeros(LANES), np.empty(LANES), np.empty(LANES)
    lowest_pivots, zeros = np.empty(LANES), np.empty(LANES)
    for r in range(LANES):
        lane = min(r, n_lanes - 1)  # lanes to spare repeat the last
        for c in range(k):
            g[c * LANES + r] = gains[lane, c]
    for r in range(n_lanes):
        outcomes[r, 0], outcomes[r, 1] = OK, length
    n_records = 0
    for t in range(length):
        for r in range(LANES):
            lane = min(r, n_lanes - 1)
            etas[r] = rates[lane, t]
            # A rate of zero leaves the gains as they are, even if y would overflow.
            lowest[r] = least if etas[r] > 0.0 else -math.inf
            for i in range(n):
                x[i * LANES + r] = inputs[lane, t, i] if etas[r] > 0.0 else 0.0
        combine_lanes(frame, g, leak[0])
        settle_lanes(frame, x)
        # The largest of the pivots with their signs changed, for want of an `at_most`.
        largest, finite = spread(-math.inf), spread(0.0)
        for i in range(0, n * LANES, LANES):
            pivot = load(frame.pivots, i)
            largest = at_least(largest, spread(0.0) - pivot)
            finite = fma(pivot, spread(0.0), finite)  # NaN once a pivot is not finite
        store(lowest_pivots, 0, spread(0.0) - largest)
        store(zeros, 0, finite)
        for r in range(n_lanes):
            definite = lowest_pivots[r] > 0.0 and zeros[r] == 0.0
            if not definite and outcomes[r, 0] == OK:
                outcomes[r, 0], outcomes[r, 1] = WEIGHTS_NOT_POSITIVE_DEFINITE, t
                _scatter(g, r, gains[r])
        # g <- max(g + eta (z z - |w|^2), least)
        eta, bound = load(etas, 0), load(lowest, 0)
        sum_0, sum_1, sum_2, sum_3 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for c in range(0, k, FOUR):
            sum_0 = sum_0 + _learned(g, frame.z, norms, c, eta, bound)
            if c + 1 < k:
                sum_1 = sum_1 + _learned(g, frame.z, norms, c + 1, eta, bound)
            if c + 2 < k:
                sum_2 = sum_2 + _learned(g, frame.z, norms, c + 2, eta, bound)
            if c + 3 < k:
                sum_3 = sum_3 + _learned(g, frame.z, norms, c + 3, eta, bound)
        store(sums, 0, (sum_0 + sum_1) + (sum_2 + sum_3))
        for r in range(n_lanes):
            if outcomes[r, 0] == OK and etas[r] > 0.0 and not abs(sums[r]) < math.inf:
                outcomes[r, 0], outcomes[r, 1] = WEIGHTS_NOT_FINITE, t
                _scatter(g, r, gains[r])
        if recorded[t]:
            for r in range(n_lanes):
                if outcomes[r, 0] == OK:
                    _scatter(g, r, gains[r])
                    if recorded_gains.shape[1] > 0:
                        recorded_gains[r, n_records] = gains[r]
                    wiring = Wiring(rows, rows, gains[r], leak, True)
                    combine(wiring, recorded_weights[r, n_records])
            n_records += 1
    for r in range(n_lanes):
        if outcomes[r, 0] == OK:
            _scatter(g, r, gains[r])


@inlined
def _learned(g: Floats, z: Floats, norms: Floats, c: int, eta: Floats, bound: Floats) -> Floats:
    """Update gain c of each lane, and return it."""
    moved = learned(load(g, c * LANES), load(z, c * LANES), spread(norms[c]), eta, bound)
    store(g, c * LANES, moved)
    return moved


@inlined
def learned(gains: Floats, z: Floats, norms: Floats, eta: Floats, least: Floats) -> Floats:
    """Return max(g + eta (z z - |w|^2), least) of four gains, of one replicate or of four."""
    return at_least(fma(eta, fma(z, z, spread(0.0) - norms), gains), least)


@kernel
def _scatter(g: Floats, r: int, out: Floats) -> None:
    """Write the gains of lane `r`."""
    for c in range(out.shape[0]):
        out[c] = g[c * LANES + r]
