"""O(n^2) a sample: an inverse is carried from one to the next.

What is carried is Q = M + s I and P = Q^-1. The change of M by eta y y' is of rank one in Q and, by
Sherman and Morrison's formula, in P. Its change by -eta I is not of low rank: it goes into s, which
grows by eta a sample from below zero to above. The fixed point M y = x is that of
(I - s P) y = P x, solved by Chebyshev's iteration, each step of which is a product with P; u = P y,
which the change of P needs, falls off on the way. Every n samples or so M is inverted anew.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.cholesky import factorise, solve
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.packed import (
    add_and_multiply,
    add_to_diagonal,
    dot,
    invert,
    largest_eigenvalue,
    multiply,
    packed,
    padded_size,
    unpack,
)
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status

PERIOD = 64  # samples that P serves for, at least; n where that is more
NEAR = 0.2  # |s| stays below this fraction of the smallest eigenvalue of M, as it is estimated
MARGIN = 1.1  # for eigenvalues estimated from below
SOLVED = 1e-11  # |M y - x| / |x| at which steps end
MOST_STEPS = 30
RESIDUAL = 1e-10  # |M y - x| / |x| above which y is refined, or comes from a factorisation
ATTEMPTS = 4


class State(NamedTuple):
    """What the circuit carries between samples: matrices by halves, vectors padded to (m,).

    The last sample's changes are pending, to be made in the pass that the next one needs anyway.
    """

    shifted: Floats  # Q, up to eta y y' of the last sample
    inverse: Floats  # P, up to -shrink u u' of the last sample
    pending: Floats  # (4, m) eta y, y; -shrink u, u
    shift: Floats  # (2,) s; where it ends, and P is renewed
    norms: Floats  # (3,) largest eigenvalues of M^-1 when P was renewed, of P, and of Q
    guesses: Floats  # (2, m) the eigenvectors of the latter two
    n_neurons: Integers  # (1,) n, which padding hides


class Scratch(NamedTuple):
    """What is overwritten at each sample."""

    factor: Floats  # (n, n)
    sweep: Floats  # (12, m)
    vectors: Floats  # (6, m)


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample, from M (n, n)."""
    n = len(initial_weights)
    m = padded_size(n)
    Q = packed(initial_weights)
    guess = np.where(np.arange(m) < n, 1.0 / np.arange(1, m + 1), 0.0)
    return State(
        Q,
        np.zeros_like(Q),
        np.zeros((4, m)),
        np.array([0.0, -1.0]),
        np.array([math.inf, 0.0, 0.0]),
        np.stack([guess, guess]),
        np.array([n]),
    )


def weights(state: State) -> Floats:
    """Return a copy of M (n, n)."""
    n = int(state.n_neurons[0])
    M = np.empty((n, n))
    current_weights(state, np.zeros(padded_size(n)), M)
    return M


def advance(
    states: Sequence[State], inputs: Floats, rates: Floats, recorded: Bools, records: Records
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`."""
    n = inputs.shape[-1]
    m = padded_size(n)
    scratch = Scratch(np.zeros((n, n)), np.zeros((12, m)), np.zeros((6, m)))
    weight_records = records["effective_weights"]
    return [
        Outcome(*run(state, scratch, inputs[r], rates[r], recorded, weight_records[r]))
        for r, state in enumerate(states)
    ]


@kernel
def make_pending_change(state: State, vector: Floats) -> None:
    """Bring Q up to date; `vector` (m,) is overwritten."""
    grown, last = state.pending[0], state.pending[1]
    add_and_multiply(state.shifted, grown, last, last, vector)
    grown[:] = 0.0


@kernel
def current_weights(state: State, vector: Floats, out: Floats) -> None:
    """Write M (n, n); `vector` (m,) is overwritten."""
    make_pending_change(state, vector)
    unpack(state.shifted, out)
    for i in range(out.shape[0]):
        out[i, i] -= state.shift[0]


@kernel
def renew(state: State, scratch: Scratch, eta: float) -> bool:
    """Choose s anew and compute P from M; False where M is not positive definite."""
    Q, P, shift, norms = state.shifted, state.inverse, state.shift, state.norms
    n, vector = scratch.factor.shape[0], scratch.vectors[0]
    make_pending_change(state, vector)
    state.pending[2:] = 0.0
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
            norms[1] = MARGIN * largest_eigenvalue(P, state.guesses[0], vector)
            norms[2] = MARGIN * largest_eigenvalue(Q, state.guesses[1], vector)
            return True
    return False


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

    Chebyshev's iteration is algorithm 12.1 of Saad, Iterative methods for sparse linear systems
    (2003), his rho being omega times half the interval. Every y is checked: where |M y - x| exceeds
    RESIDUAL |x|, what is left is solved for in turn, and where that does not help, y comes from a
    factorisation of M.
    """
    Q, P, shift, norms = state.shifted, state.inverse, state.shift, state.norms
    grown, last = state.pending[0], state.pending[1]
    shrunk, turned = state.pending[2], state.pending[3]
    x, y, u, rest = scratch.vectors[0], scratch.vectors[1], scratch.vectors[2], scratch.vectors[3]
    step, product = scratch.vectors[4], scratch.vectors[5]
    n, m = scratch.factor.shape[0], x.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        eta = rates[t]
        # P that was renewed for a rate of zero does not serve for another.
        due = not shift[0] <= shift[1] or shift[1] == 0.0 < eta
        if due and not renew(state, scratch, eta):
            return Status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        for i in range(n):  # A rate of zero leaves M as it is, even where y would overflow.
            x[i] = inputs[t, i] if eta > 0.0 else 0.0
        size = dot(x, x)
        enough = SOLVED * SOLVED * size / (norms[2] * norms[2])
        s = shift[0]
        # Eigenvalues of I - s P: their middle, and half the width of their interval.
        middle = 1.0 - 0.5 * s * (norms[1] + 1.0 / norms[2])
        half, minus_s = 0.5 * s * (norms[1] - 1.0 / norms[2]), spread(-s)

        for i in range(0, m, FOUR):
            store(y, i, spread(0.0))
            store(u, i, spread(0.0))
        residual = size
        for attempt in range(ATTEMPTS):  # at (Q - s) y = x, and then at what is left of x
            if attempt == 0:
                add_and_multiply(P, shrunk, turned, x, product)
            else:
                multiply(P, rest, product)
            omega = 1.0 / middle
            squares = spread(0.0)
            for i in range(0, m, FOUR):
                rest_i = load(product, i)
                squares = fma(rest_i, rest_i, squares)
                store(rest, i, rest_i)  # of (I - s P) y = P x
                store(step, i, spread(omega) * rest_i)
            before = total(squares)
            for _ in range(MOST_STEPS):
                multiply(P, step, product)
                following = 1.0 / (2.0 * middle - half * half * omega)
                kept, gained = spread(half * half * following * omega), spread(2.0 * following)
                omega = following
                squares = spread(0.0)
                for i in range(0, m, FOUR):
                    step_i, product_i = load(step, i), load(product, i)
                    store(y, i, load(y, i) + step_i)
                    store(u, i, load(u, i) + product_i)
                    rest_i = load(rest, i) - fma(minus_s, product_i, step_i)
                    squares = fma(rest_i, rest_i, squares)
                    store(rest, i, rest_i)
                    store(step, i, fma(kept, step_i, gained * rest_i))
                now = total(squares)
                # The next rest will be smaller than this one as this is than the one before; where
                # it hardly shrinks, it is rounding, or not to be had this way.
                if now * now <= enough * before or not now < 0.1 * before:
                    break
                before = now
            for i in range(0, m, FOUR):
                store(y, i, load(y, i) + load(step, i))
            if attempt == 0:
                add_and_multiply(Q, grown, last, y, product)
            else:
                multiply(Q, y, product)
            squares = spread(0.0)
            for i in range(0, m, FOUR):
                rest_i = load(x, i) - fma(minus_s, load(y, i), load(product, i))  # x - M y
                squares = fma(rest_i, rest_i, squares)
                store(rest, i, rest_i)
            residual = total(squares)
            if residual <= RESIDUAL * RESIDUAL * size:
                break
        if not residual <= RESIDUAL * RESIDUAL * size:
            unpack(Q, scratch.factor)
            for i in range(n):
                scratch.factor[i, i] -= s
            if not factorise(scratch.factor, scratch.factor):
                return Status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            solve(scratch.factor, x, y)  # M y = x
            multiply(P, y, u)
            shift[1] = -math.inf  # renew P before the next sample

        power, gain = dot(y, y), dot(y, u)
        if not eta * power < math.inf:
            return Status.WEIGHTS_NOT_FINITE, t
        # M <- M + eta (y y' - I), and P by Sherman and Morrison's formula
        grow, shrink = spread(eta), spread(-eta / (1.0 + eta * gain))
        for i in range(0, m, FOUR):
            y_i, u_i = load(y, i), load(u, i)
            store(last, i, y_i)
            store(grown, i, grow * y_i)
            store(turned, i, u_i)
            store(shrunk, i, shrink * u_i)
        shift[0] += eta
        if recorded[t]:
            current_weights(state, product, recorded_weights[n_records])
            n_records += 1
    return Status.OK, inputs.shape[0]
