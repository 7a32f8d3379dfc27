"""O(n^2) per sample, however many interneurons there are: A and its inverse are carried.

At the fixed point, where z = W' y, a sample changes A = W W' to
(1 - eta)^2 [A + c (y q' + q y') + c^2 (y'q) y y'], with q = A y and c = eta / (1 - eta): nothing of
W but A takes part, and A is what is carried, with P = A^-1. The change is of rank two, and with
u = P y Woodbury's identity comes down to P <- [P - w y' - y w'] / (1 - eta)^2,
w = u / h - y (y'u) / (2 h^2), h = y'y + 1 / c.

A in place of W has a price: rounding reaches its smallest eigenvalues from its largest, in W only
their square roots. So if A is ill-conditioned, or a sample is about to make it so, samples are
processed with a root R in place of W, R R' = A, until A is fit to be carried; see `root`.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.cholesky import factorise
from adaptnet.kernels.building_blocks.compile import inlined, kernel
from adaptnet.kernels.building_blocks.packed import (
    aligned,
    invert,
    multiply,
    pack,
    packed,
    padded_size,
    trace,
    unpack,
)
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total
from adaptnet.kernels.causes import explained
from adaptnet.kernels.interneuron.plain import multiply_synapses
from adaptnet.kernels.interneuron.root import learn_by_root, settle_by_root
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status

LEAST_SCALE = 0.01  # of A and P, which shrinks by (1 - eta)^2 per sample, at which P is renewed
RESIDUAL = 1e-10  # |A y - x| / |x| above which y is refined, or comes from a factorisation
REFINED = 1e-12  # what refining aims at; it ends when it gains no more
REFINEMENTS = 3
ILL_CONDITIONED = 1e8  # Tr A Tr P / n, from which on A is not carried
JUMP = 100.0  # c y'y of a sample that makes it so: eigenvalues grow by (1 + c y'y)^2
AT_LEAST = 32  # samples processed with the root before A is tried


class Mode(IntEnum):
    """What is carried from one sample to the next."""

    ROOT = 0  # R
    INVERSE = 1  # A and P


class State(NamedTuple):
    """What the circuit carries between samples: matrices by halves, vectors padded to (m,).

    The last sample's changes are pending, to be made in the pass that the next one needs anyway.
    """

    effective: Floats  # A / scale, up to a b' + b a' of the last sample
    inverse: Floats  # P scale, up to c b' + b c'
    pending: Floats  # (3, m) a; b, the last y; c
    scale: Floats  # (1,)
    mode: Integers  # (1,) a Mode
    countdown: Integers  # (1,) samples to process with R before A is tried
    root: Floats  # (n, n) R', upper triangular


class Scratch(NamedTuple):
    """What is overwritten at each sample."""

    effective: Floats  # (n, n) A
    factor: Floats  # (n, n) Cholesky factor of A
    y: Floats  # (n,)
    z: Floats  # (n,)
    sweep: Floats  # (12, m)
    vectors: Floats  # (6, m)


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample, from W (n, k)."""
    n = len(initial_weights)
    A = packed(np.zeros((n, n)))
    return State(
        A,
        aligned(*A.shape),
        aligned(3, padded_size(n)),
        np.ones(1),
        np.array([int(Mode.ROOT)]),
        np.zeros(1, np.int64),
        np.asarray(np.linalg.qr(initial_weights.T, mode="r")),  # any rotation of W will do
    )


def weights(state: State) -> Floats:
    """Return A = W W' (n, n)."""
    A = np.empty(state.root.shape)
    current_weights(state, np.zeros(state.pending.shape[1]), A)
    return A


def advance(
    states: Sequence[State], inputs: Floats, rates: Floats, recorded: Bools, records: Records
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`."""
    scratch, weight_records = scratch_space(inputs.shape[-1]), records["effective_weights"]
    outcomes = []
    for r, state in enumerate(states):
        status, n_samples = run(state, scratch, inputs[r], rates[r], recorded, weight_records[r])
        if status != Status.OK:
            status = explained(status, weights(state), inputs[r, n_samples])
        outcomes.append(Outcome(status, n_samples))
    return outcomes


def scratch_space(n: int) -> Scratch:
    """Return what `run` needs for `n` neurons."""
    m = padded_size(n)
    return Scratch(
        np.zeros((n, n)),
        np.zeros((n, n)),
        np.zeros(n),
        np.zeros(n),
        aligned(12, m),
        aligned(6, m),
    )


@kernel
def make_pending_change(state: State, vector: Floats) -> None:
    """Bring A up to date; `vector` (m,) is overwritten."""
    a, b = state.pending[0], state.pending[1]
    multiply(state.effective, b, vector, a, b, b, a)
    a[:] = 0.0


@kernel
def current_weights(state: State, vector: Floats, out: Floats) -> None:
    """Write A (n, n); `vector` (m,) is overwritten."""
    if state.mode[0] == Mode.ROOT:
        multiply_synapses(state.root, out)
        return
    make_pending_change(state, vector)
    unpack(state.effective, out)
    for i in range(out.shape[0]):
        for j in range(out.shape[0]):
            out[i, j] *= state.scale[0]


@kernel
def to_root(state: State, A: Floats, factor: Floats) -> bool:
    """Go on with R of A (n, n), from the next sample on; False if A is not positive definite."""
    R = state.root
    if not factorise(A, factor):
        return False
    for i in range(R.shape[0]):
        for j in range(i):
            R[j, i], R[i, j] = factor[i, j], 0.0
        R[i, i] = 1.0 / factor[i, i]
    state.mode[0], state.countdown[0] = Mode.ROOT, AT_LEAST
    return True


@kernel
def renew(state: State, scratch: Scratch) -> bool:
    """Compute A from R or from itself, with a scale of 1, and P; return whether they are fit.

    If they are not, samples are to be taken with R: it stays, or comes from A.
    """
    A, P, n = state.effective, state.inverse, state.root.shape[0]
    current_weights(state, scratch.vectors[4], scratch.effective)
    pack(scratch.effective, A)
    for i in range(0, A.shape[0], FOUR):
        store(P, i, load(A, i))
    state.pending[:] = 0.0
    state.scale[0] = 1.0
    fit = invert(P, n, scratch.sweep) and trace(A, n) * trace(P, n) < ILL_CONDITIONED * n
    if fit:
        state.mode[0] = Mode.INVERSE
    elif state.mode[0] == Mode.ROOT:
        state.countdown[0] = AT_LEAST
    return fit


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
def take_with_root(state: State, scratch: Scratch, x: Floats, eta: float) -> Status:
    """Process one sample with R in place of W; return a status."""
    root, y, z = state.root, scratch.y, scratch.z
    if not settle_by_root(root, x, y, z):
        return Status.WEIGHTS_SINGULAR
    if not learn_by_root(root, y, z, eta):
        return Status.WEIGHTS_NOT_FINITE
    state.countdown[0] -= 1
    return Status.OK


@kernel
def run(
    state: State,
    scratch: Scratch,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    recorded_weights: Floats,
) -> tuple[Status, int]:
    """Process a block of samples of one replicate; return a status and the samples processed.

    Every y is checked: if |A y - x| exceeds RESIDUAL |x|, it comes from a factorisation of A.
    """
    A, P, scale = state.effective, state.inverse, state.scale
    a, b, c = state.pending[0], state.pending[1], state.pending[2]
    x, y, u, q = scratch.vectors[0], scratch.vectors[1], scratch.vectors[2], scratch.vectors[3]
    product, rest = scratch.vectors[4], scratch.vectors[5]
    n, m = state.root.shape[0], x.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        eta = rates[t]
        for i in range(n):
            x[i] = inputs[t, i]
        if state.mode[0] == Mode.INVERSE:
            fit = scale[0] >= LEAST_SCALE or renew(state, scratch)
        else:
            fit = state.countdown[0] == 0 and renew(state, scratch)
        # A rate of zero changes nothing, and W W' was positive definite before.
        if fit and eta > 0.0:
            unscale, squares = spread(1.0 / scale[0]), spread(0.0)
            for i in range(0, m, FOUR):
                squares = fma(load(x, i), load(x, i), squares)
            size = total(squares)
            multiply(P, x, product, c, b, b, c)
            for i in range(0, m, FOUR):
                store(y, i, unscale * load(product, i))
            multiply(A, y, product, a, b, b, a)
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
            fit = residual <= RESIDUAL * RESIDUAL * size and grow * power < JUMP
            h = power + 1.0 / grow
            scaled_grow = spread(grow / scale[0])
            scaled_shrink, turn = spread(-scale[0] / h), spread(-0.5 * gain / h)
            half = spread(0.5 * grow * total(along))
            for i in range(0, m, FOUR):
                y_i = load(y, i)
                store(a, i, scaled_grow * fma(half, y_i, load(q, i)))
                store(b, i, y_i)
                store(c, i, scaled_shrink * fma(turn, y_i, load(u, i)))
            if not fit:  # What was pending has been made; this sample leaves A as it was.
                a[:] = 0.0
                b[:] = 0.0
                c[:] = 0.0
            else:
                scale[0] *= (1.0 - eta) * (1.0 - eta)
        if not fit and eta > 0.0:
            if state.mode[0] == Mode.INVERSE:
                current_weights(state, product, scratch.effective)
                if not to_root(state, scratch.effective, scratch.factor):
                    return Status.WEIGHTS_SINGULAR, t
            outcome = take_with_root(state, scratch, x, eta)
            if outcome != Status.OK:
                return outcome, t
        if recorded[t]:
            current_weights(state, product, recorded_weights[n_records])
            n_records += 1
    return Status.OK, inputs.shape[0]
