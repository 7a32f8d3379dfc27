"""O(n^2) a sample, however many interneurons there are: A and its inverse are carried.

At the fixed point, where z = W' y, a sample changes A = W W' to
(1 - eta)^2 [A + c (y q' + q y') + c^2 (y'q) y y'], with q = A y and c = eta / (1 - eta): nothing of
W but A takes part, and A is what is carried, with P = A^-1. The change is of rank two, and with
u = P y Woodbury's identity comes down to P <- [P - w y' - y w'] / (1 - eta)^2,
w = u / h - y (y'u) / (2 h^2), h = y'y + 1 / c.

A in place of W has a price: rounding reaches its smallest eigenvalues from its largest, in W only
their square roots. So where A is ill-conditioned, or a sample is about to make it so, samples are
taken with a root R in place of W, R R' = A, and a factorisation each, until A is fit to be carried.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import status
from adaptnet.kernels.building_blocks.cholesky import factorise
from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.packed import (
    add_pair_and_multiply,
    invert,
    multiply,
    pack,
    packed,
    padded_size,
    trace,
    unpack,
)
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total
from adaptnet.kernels.interneuron.plain import learn, multiply_synapses, respond, settle

Floats = npt.NDArray[np.float64]

LEAST_SCALE = 0.01  # of A and P, which shrinks by (1 - eta)^2 a sample, at which P is renewed
RESIDUAL = 1e-10  # |A y - x| / |x| above which y is refined, or comes from a factorisation
REFINED = 1e-12  # what refining aims at; it ends where it gains no more
REFINEMENTS = 3
ILL_CONDITIONED = 1e8  # Tr A Tr P / n, from which on A is not carried
JUMP = 100.0  # c y'y of a sample that makes it so: eigenvalues grow by (1 + c y'y)^2
AT_LEAST = 32.0  # samples taken with the root before A is tried
# In the place of their number: A is carried; is, but not fit for it; goes beside other replicates'.
CARRIED, UNFIT, SIDE_BY_SIDE = -1.0, -2.0, -3.0


class Carried(NamedTuple):
    """What the circuit carries where P is carried; matrices by halves, vectors padded to m.

    The last sample's changes are pending, to be made in the pass that the next one needs anyway.
    """

    effective: Floats  # A / scale, up to a b' + b a' of the last sample
    inverse: Floats  # P scale, up to c b' + b c'
    pending: Floats  # (3, m) a; b, the last y; c
    scale: Floats  # (2,) scale; samples to take with the root, or how A is held instead
    root: Floats  # (n, n) R', where it takes the place of A; A itself where SIDE_BY_SIDE
    matrices: Floats  # (2, n, n) scratch, as are the rest
    activity: Floats  # (2, n)
    sweep: Floats  # (12, m) scratch
    scratch: Floats  # (6, m)


def initial_carried(weights: Floats) -> Carried:
    """Return the state before the first sample, from W (n, k), for `run_carried`."""
    n = len(weights)
    m = padded_size(n)
    A = packed(np.zeros((n, n)))
    return Carried(
        A,
        np.zeros_like(A),
        np.zeros((3, m)),
        np.array([1.0, 0.0]),
        np.asarray(np.linalg.qr(weights.T, mode="r")),  # any rotation of W will do
        np.zeros((2, n, n)),
        np.zeros((2, n)),
        np.zeros((12, m)),
        np.zeros((6, m)),
    )


@kernel
def make_pending_change(state: Carried) -> None:
    """Bring A up to date."""
    a, b = state.pending[0], state.pending[1]
    add_pair_and_multiply(state.effective, a, b, b, state.scratch[4])
    a[:] = 0.0


@kernel
def current_weights(state: Carried, out: Floats) -> None:
    """Write A (n, n), of a replicate that goes alone."""
    if state.scale[1] >= 0.0:
        multiply_synapses(state.root, out)
        return
    make_pending_change(state)
    unpack(state.effective, out)
    for i in range(out.shape[0]):
        for j in range(out.shape[0]):
            out[i, j] *= state.scale[0]


@kernel
def to_root(state: Carried) -> bool:
    """Go from A to R; False where A is not positive definite."""
    R, A, factor = state.root, state.matrices[0], state.matrices[1]
    if state.scale[1] == SIDE_BY_SIDE:
        A = R
    else:
        current_weights(state, A)
    if not factorise(A, factor):
        return False
    for i in range(R.shape[0]):
        for j in range(i):
            R[j, i], R[i, j] = factor[i, j], 0.0
        R[i, i] = 1.0 / factor[i, i]
    state.scale[1] = AT_LEAST
    return True


@kernel
def renew(state: Carried) -> None:
    """Compute A from R or from itself, with a scale of 1, and P; see whether they are fit."""
    A, P, scale, n = state.effective, state.inverse, state.scale, state.root.shape[0]
    unfit = AT_LEAST if scale[1] >= 0.0 else UNFIT
    current_weights(state, state.matrices[0])
    pack(state.matrices[0], A)
    for i in range(0, A.shape[0], FOUR):
        store(P, i, load(A, i))
    state.pending[:] = 0.0
    scale[0] = 1.0
    fit = invert(P, n, state.sweep) and trace(A, n) * trace(P, n) < ILL_CONDITIONED * n
    scale[1] = CARRIED if fit else unfit


@inlined
def misfit(x: Floats, product: Floats, scale: float, q: Floats, rest: Floats) -> float:
    """Write q = A y, given `product` = A y / scale, and x - q; return the square of that."""
    squares = spread(0.0)
    for i in range(0, x.shape[0], FOUR):
        q_i = spread(scale) * load(product, i)
        rest_i = load(x, i) - q_i
        store(q, i, q_i)
        store(rest, i, rest_i)
        squares = fma(rest_i, rest_i, squares)
    return total(squares)


@kernel
def take_with_root(state: Carried, x: Floats, eta: float) -> int:
    """Take in one sample with R in place of W; return a status."""
    R, y, z = state.root, state.activity[0], state.activity[1]
    if not settle(R, state.matrices[0], state.matrices[1], x, y):
        return status.WEIGHTS_NOT_POSITIVE_DEFINITE
    respond(R, y, z)
    if not learn(R, y, z, eta):
        return status.WEIGHTS_NOT_FINITE
    state.scale[1] -= 1.0
    return status.OK


@kernel
def run_carried(
    state: Carried,
    inputs: Floats,
    n_processed: int,
    learning_rate: float,
    decay: float,
    record_every: int,
    recorded_weights: Floats,
) -> tuple[int, int]:
    """Take in a block of samples at the exact fixed point; return a status and the rows processed.

    Every y is checked: where |A y - x| exceeds RESIDUAL |x|, it comes from a factorisation of A.
    """
    A, P, scale = state.effective, state.inverse, state.scale
    a, b, c = state.pending[0], state.pending[1], state.pending[2]
    x, y, u, q = state.scratch[0], state.scratch[1], state.scratch[2], state.scratch[3]
    product, rest = state.scratch[4], state.scratch[5]
    n, m = state.root.shape[0], x.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        if scale[1] == 0.0 or (scale[1] < 0.0 and scale[0] < LEAST_SCALE):
            renew(state)
        for i in range(n):
            x[i] = inputs[t, i]
        sound = scale[1] == CARRIED
        if sound:
            unscale, squares = spread(1.0 / scale[0]), spread(0.0)
            for i in range(0, m, FOUR):
                squares = fma(load(x, i), load(x, i), squares)
            size = total(squares)
            add_pair_and_multiply(P, c, b, x, product)
            for i in range(0, m, FOUR):
                store(y, i, unscale * load(product, i))
            add_pair_and_multiply(A, a, b, y, product)
            residual = misfit(x, product, scale[0], q, rest)
            for _ in range(REFINEMENTS):
                if residual <= REFINED * REFINED * size:
                    break
                before = residual
                multiply(P, rest, product)
                for i in range(0, m, FOUR):
                    store(y, i, fma(unscale, load(product, i), load(y, i)))
                multiply(A, y, product)
                residual = misfit(x, product, scale[0], q, rest)
                if not residual < 0.01 * before:
                    break
            multiply(P, y, product)
            squares, cross, along = spread(0.0), spread(0.0), spread(0.0)
            for i in range(0, m, FOUR):
                y_i, u_i = load(y, i), unscale * load(product, i)
                store(u, i, u_i)
                squares = fma(y_i, y_i, squares)
                cross = fma(y_i, u_i, cross)
                along = fma(y_i, load(q, i), along)
            power, gain = total(squares), total(cross)
            grow = eta / (1.0 - eta)
            sound = residual <= RESIDUAL * RESIDUAL * size and grow * power < JUMP
            # What is pending has been made. A sample that A is not fit for leaves it as it was.
            h = power + 1.0 / grow
            scaled_grow = spread(grow / scale[0] if sound else 0.0)
            scaled_shrink, turn = spread(-scale[0] / h), spread(-0.5 * gain / h)
            half = spread(0.5 * grow * total(along))
            for i in range(0, m, FOUR):
                y_i = load(y, i)
                store(a, i, scaled_grow * fma(half, y_i, load(q, i)))
                store(b, i, y_i)
                store(c, i, scaled_shrink * fma(turn, y_i, load(u, i)))
            if sound:
                scale[0] *= (1.0 - eta) * (1.0 - eta)
        if not sound:
            if scale[1] < 0.0 and not to_root(state):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            outcome = take_with_root(state, x, eta)
            if outcome != status.OK:
                return outcome, t
        if (n_processed + t + 1) % record_every == 0:
            current_weights(state, recorded_weights[n_records])
            n_records += 1
    return status.OK, inputs.shape[0]
