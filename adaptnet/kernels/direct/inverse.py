"""O(n^2) per sample: an inverse is carried from one to the next.

What is carried is Q = M + s I and P = Q^-1. The change of M by eta y y' is of rank one in Q and, by
Sherman and Morrison's formula, in P. Its change by -eta I is not of low rank: it goes into s, which
grows by eta per sample from below zero to above. The fixed point M y = x is that of
(I - s P) y = P x, solved by Chebyshev's iteration, each step of which is a product with P; u = P y,
which the change of P needs, falls off on the way. Every n samples or so M is inverted anew.

Inverting as quickly as that loses digits with the square of M's condition. So whether M is positive
definite is settled by a factorisation alone: if M cannot be inverted, or is too ill-conditioned to
be, samples are processed by factorising M, as the plain way does, until it can.
"""

import math
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.packed import (
    add_to_diagonal,
    aligned,
    dot,
    invert,
    largest_eigenvalue,
    multiply,
    pack,
    packed,
    padded_size,
    trace,
    unpack,
)
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total
from adaptnet.kernels.causes import explained
from adaptnet.kernels.direct.plain import learn, settle
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status

# Samples that P serves for, at least; n if that is more. 32 and 128 took the same time within 5 %,
# for 32, 64 and 144 neurons.
PERIOD = 64
NEAR = 0.2  # |s| stays below this fraction of the smallest eigenvalue of M, as it is estimated
MARGIN = 1.1  # for eigenvalues estimated from below
SOLVED = 1e-11  # |M y - x| / |x| at which steps end
MOST_STEPS = 30
RESIDUAL = 1e-10  # |M y - x| / |x| above which y is refined, or comes from a factorisation
ATTEMPTS = 4
# Tr M Tr P / n from which on P is not carried. It loses digits with the square of the condition; at
# 6e6 inverting failed.
ILL_CONDITIONED = 1e6
AT_LEAST = 32  # samples processed by factorising before M is inverted again
TINY, HUGE = 1e-100, 1e100  # between them |x|^2 and traces are far from overflow and underflow


class Mode(IntEnum):
    """What is carried from one sample to the next."""

    WEIGHTS = 0  # M
    INVERSE = 1  # Q and P


class State(NamedTuple):
    """What the circuit carries between samples: matrices by halves, vectors padded to (m,).

    The last sample's changes of Q and P are pending, to be made in the pass that the next one needs
    anyway.
    """

    mode: Integers  # (1,) a Mode
    countdown: Integers  # (1,) samples to process by factorising M before it is inverted
    weights: Floats  # (n, n) M in Mode.WEIGHTS
    shifted: Floats  # Q, up to grown last'
    inverse: Floats  # P, up to shrunk turned'
    grown: Floats  # eta y of the last sample
    last: Floats  # y
    shrunk: Floats  # -eta u / (1 + eta y'u)
    turned: Floats  # u
    shift: Floats  # (2,) s; where it ends, and P is computed anew
    norms: Floats  # (3,) largest eigenvalues of M^-1 when P was computed, of P, and of Q
    guesses: Floats  # (2, m) the eigenvectors of the latter two


class Scratch(NamedTuple):
    """What is overwritten at each sample."""

    factor: Floats  # (n, n)
    sweep: Floats  # (12, m)
    x: Floats  # (m,)
    y: Floats  # (m,)
    u: Floats  # (m,) P y
    r: Floats  # (m,) what is left of the right-hand side
    d: Floats  # (m,) the next step of y
    product: Floats  # (m,)


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample; `initial_weights` M (n, n) are copied."""
    n = len(initial_weights)
    m = padded_size(n)
    Q = packed(np.zeros((n, n)))
    guess = np.where(np.arange(m) < n, 1.0 / np.arange(1, m + 1), 0.0)
    return State(
        np.array([int(Mode.WEIGHTS)]),
        np.zeros(1, np.int64),
        initial_weights.copy(),
        Q,
        aligned(*Q.shape),
        aligned(m),
        aligned(m),
        aligned(m),
        aligned(m),
        np.zeros(2),
        np.array([math.inf, 0.0, 0.0]),
        np.stack([guess, guess]),
    )


def weights(state: State) -> Floats:
    """Return a copy of M (n, n)."""
    M = np.empty_like(state.weights)
    current_weights(state, np.zeros_like(state.last), M)
    return M


def advance(
    states: Sequence[State], inputs: Floats, rates: Floats, recorded: Bools, records: Records
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`."""
    n = inputs.shape[-1]
    m = padded_size(n)
    scratch = Scratch(np.zeros((n, n)), aligned(12, m), *aligned(6, m))
    weight_records = records["effective_weights"]
    outcomes = []
    for r, state in enumerate(states):
        status, n_samples = run(state, scratch, inputs[r], rates[r], recorded, weight_records[r])
        if status != Status.OK:
            status = explained(status, state.weights, inputs[r, n_samples])
        outcomes.append(Outcome(status, n_samples))
    return outcomes


@kernel
def make_pending_change(state: State, vector: Floats) -> None:
    """Bring Q up to date; `vector` (m,) is overwritten."""
    multiply(state.shifted, state.last, vector, state.grown, state.last)
    state.grown[:] = 0.0


@kernel
def current_weights(state: State, vector: Floats, M: Floats) -> None:
    """Write M (n, n); `vector` (m,) is overwritten."""
    if state.mode[0] == Mode.WEIGHTS:
        M[:] = state.weights
        return
    make_pending_change(state, vector)
    unpack(state.shifted, M)
    for i in range(M.shape[0]):
        M[i, i] -= state.shift[0]


@kernel
def to_weights(state: State, vector: Floats) -> None:
    """Go on with M, from this sample on; `vector` (m,) is overwritten."""
    if state.mode[0] == Mode.INVERSE:
        current_weights(state, vector, state.weights)
        state.mode[0], state.countdown[0] = Mode.WEIGHTS, AT_LEAST


@kernel
def to_inverse(state: State) -> None:
    """Hold M as Q with s = 0, without a P yet."""
    if state.mode[0] == Mode.WEIGHTS:
        pack(state.weights, state.shifted)
        state.shift[0], state.grown[:] = 0.0, 0.0
        state.norms[0], state.norms[1] = math.inf, 0.0
        state.mode[0] = Mode.INVERSE


@kernel
def renew(state: State, scratch: Scratch, eta: float) -> bool:
    """Choose s anew and compute P; False if that cannot be done, or P is not to be relied on."""
    Q, P, shift, norms = state.shifted, state.inverse, state.shift, state.norms
    n, vector = state.weights.shape[0], scratch.product
    to_inverse(state)
    make_pending_change(state, vector)
    state.shrunk[:] = 0.0
    if norms[1] > 0.0:
        norms[1] = MARGIN * largest_eigenvalue(P, state.guesses[0], vector)
        nearness = shift[0] * norms[1]
        norms[0] = norms[1] / (1.0 - nearness) if nearness < 1.0 else math.inf
    # A shift of s and one of -s cost the same number of steps.
    half = min(0.5 * eta * max(n, PERIOD), NEAR / norms[0])
    for end in (half, 0.0):  # M may be positive definite, and M - half I not
        add_to_diagonal(Q, n, -end - shift[0])
        shift[0], shift[1] = -end, end
        for i in range(0, Q.shape[0], FOUR):
            store(P, i, load(Q, i))
        if invert(P, n, scratch.sweep):
            size, inverse_size = trace(Q, n), trace(P, n)
            norms[1] = MARGIN * largest_eigenvalue(P, state.guesses[0], vector)
            norms[2] = MARGIN * largest_eigenvalue(Q, state.guesses[1], vector)
            return (
                TINY < size < HUGE
                and TINY < inverse_size < HUGE
                and size * inverse_size < ILL_CONDITIONED * n
            )
    return False


# Arrays are taken out of their named tuples once per block, not once per stage: each time counts
# references, with atomic instructions, which made samples of 32 neurons take twice as long. Inlined
# functions count them too: with inlined stages, or the loop over steps in a function of its own,
# samples of 13 and of 32 neurons took 10 to 20 % longer.


@kernel
def begin(product: Floats, rho: float, r: Floats, d: Floats) -> float:
    """Take `product` for the residual r, and choose the first step; return |r|^2."""
    squares, scale = spread(0.0), spread(rho)
    for i in range(0, r.shape[0], FOUR):
        r_i = load(product, i)
        squares = fma(r_i, r_i, squares)
        store(r, i, r_i)
        store(d, i, scale * r_i)
    return total(squares)


@kernel
def step(
    y: Floats,
    u: Floats,
    r: Floats,
    d: Floats,
    product: Floats,
    minus_s: float,
    kept: float,
    gained: float,
) -> float:
    """Make step d of y, with u = P y, and choose the next; return |r|^2 of the r that it leaves."""
    squares, shift, old, new = spread(0.0), spread(minus_s), spread(kept), spread(gained)
    for i in range(0, r.shape[0], FOUR):
        d_i, product_i = load(d, i), load(product, i)
        store(y, i, load(y, i) + d_i)
        store(u, i, load(u, i) + product_i)
        r_i = load(r, i) - fma(shift, product_i, d_i)  # r - (I - s P) d
        squares = fma(r_i, r_i, squares)
        store(r, i, r_i)
        store(d, i, fma(old, d_i, new * r_i))
    return total(squares)


@kernel
def misfit(x: Floats, y: Floats, product: Floats, minus_s: float, r: Floats) -> float:
    """Write r = x - M y, given `product` = Q y; return |r|^2."""
    squares, shift = spread(0.0), spread(minus_s)
    for i in range(0, x.shape[0], FOUR):
        r_i = load(x, i) - fma(shift, load(y, i), load(product, i))
        squares = fma(r_i, r_i, squares)
        store(r, i, r_i)
    return total(squares)


@kernel
def is_silent(x: Floats) -> bool:
    """Return whether there is no input at all."""
    largest = 0.0
    for i in range(x.shape[0]):
        largest = max(largest, abs(x[i]))
    return largest == 0.0


@kernel
def factorise_and_learn(state: State, scratch: Scratch, eta: float) -> Status:
    """Process one sample by a factorisation of M; return a status."""
    to_weights(state, scratch.product)
    if not settle(state.weights, scratch.factor, scratch.x, scratch.y):
        return Status.WEIGHTS_NOT_POSITIVE_DEFINITE
    if eta > 0.0 and not learn(state.weights, scratch.y, eta):
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

    The fixed point comes from Chebyshev's iteration, algorithm 12.1 of Saad, Iterative methods for
    sparse linear systems (2003), for eigenvalues from theta - delta to theta + delta; `rho` is his
    divided by delta, which may be zero. Every y is checked: if |M y - x| exceeds RESIDUAL |x|, what
    is left is solved for in turn, and if that does not help, y comes from a factorisation of M.
    """
    Q, P, shift, norms = state.shifted, state.inverse, state.shift, state.norms
    grown, last, shrunk, turned = state.grown, state.last, state.shrunk, state.turned
    mode, countdown = state.mode, state.countdown
    x, y, u, r, d, product = scratch.x, scratch.y, scratch.u, scratch.r, scratch.d, scratch.product
    n, m, n_records = inputs.shape[1], x.shape[0], 0
    for t in range(inputs.shape[0]):
        eta = rates[t]
        for i in range(n):  # A rate of zero leaves M as it is, even if y would overflow.
            x[i] = inputs[t, i] if eta > 0.0 else 0.0
        size = dot(x, x)
        fit = mode[0] == Mode.INVERSE
        if fit:  # A P that was computed at a rate of zero does not serve for others.
            due = not shift[0] <= shift[1] or (shift[1] == 0.0 and eta > 0.0)
        else:
            due = countdown[0] == 0
        if due:
            fit = renew(state, scratch, eta)
        if fit and (TINY < size < HUGE or is_silent(x)):
            s = shift[0]
            # Eigenvalues of I - s P: their middle, and half the width of their interval.
            theta = 1.0 - 0.5 * s * (norms[1] + 1.0 / norms[2])
            delta = 0.5 * s * (norms[1] - 1.0 / norms[2])
            enough = SOLVED * SOLVED * size / (norms[2] * norms[2])
            for i in range(0, m, FOUR):
                store(y, i, spread(0.0))
                store(u, i, spread(0.0))
            residual = size
            for attempt in range(ATTEMPTS):  # at M y = x, and then at what is left of x
                if attempt == 0:
                    multiply(P, x, product, shrunk, turned)
                else:
                    multiply(P, r, product)
                rho = 1.0 / theta
                before = begin(product, rho, r, d)
                for _ in range(MOST_STEPS):
                    multiply(P, d, product)
                    following = 1.0 / (2.0 * theta - delta * delta * rho)
                    kept = delta * delta * following * rho
                    now = step(y, u, r, d, product, -s, kept, 2.0 * following)
                    rho = following
                    # The next residual will be smaller than this one as this is than the one
                    # before. If it hardly shrinks, it is rounding, or not to be had this way.
                    if now * now <= enough * before or not now < 0.1 * before:
                        break
                    before = now
                for i in range(0, m, FOUR):  # The last step's part of u is too small to matter.
                    store(y, i, load(y, i) + load(d, i))
                if attempt == 0:
                    multiply(Q, y, product, grown, last)
                else:
                    multiply(Q, y, product)
                residual = misfit(x, y, product, -s, r)
                if residual <= RESIDUAL * RESIDUAL * size:
                    break
            fit = residual <= RESIDUAL * RESIDUAL * size and eta * dot(y, y) < math.inf
            if not fit:
                grown[:] = 0.0  # what was pending has been made
        else:
            fit = False
        if fit:  # M <- M + eta (y y' - I), and P by Sherman and Morrison's formula
            grow, shrink = spread(eta), spread(-eta / (1.0 + eta * dot(y, u)))
            for i in range(0, m, FOUR):
                y_i, u_i = load(y, i), load(u, i)
                store(last, i, y_i)
                store(grown, i, grow * y_i)
                store(turned, i, u_i)
                store(shrunk, i, shrink * u_i)
            shift[0] += eta
        else:
            status = factorise_and_learn(state, scratch, eta)
            if status != Status.OK:
                return status, t
        if recorded[t]:
            current_weights(state, product, recorded_weights[n_records])
            n_records += 1
    return Status.OK, inputs.shape[0]
