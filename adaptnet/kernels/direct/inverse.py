"""O(n^2) a sample: an inverse is carried from one to the next.

What is carried is Q = M + s I and P = Q^-1. The change of M by eta y y' is of rank one in Q and, by
Sherman and Morrison's formula, in P. Its change by -eta I is not of low rank: it goes into s, which
grows by eta a sample from below zero to above. The fixed point M y = x is that of
(I - s P) y = P x, solved by Chebyshev's iteration, each step of which is a product with P; u = P y,
which the change of P needs, falls off on the way. Every n samples or so M is inverted anew.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels import status
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

Floats = npt.NDArray[np.float64]

PERIOD = 64  # samples that P serves for, at least; n where that is more
NEAR = 0.2  # |s| stays below this fraction of the smallest eigenvalue of M, as it is estimated
MARGIN = 1.1  # for eigenvalues estimated from below
SOLVED = 1e-11  # |M y - x| / |x| at which steps end
MOST_STEPS = 30
RESIDUAL = 1e-10  # |M y - x| / |x| above which y is refined, or comes from a factorisation
ATTEMPTS = 4


class Carried(NamedTuple):
    """What the circuit carries where P is carried; matrices by halves, vectors padded to m.

    The last sample's changes are pending, to be made in the pass that the next one needs anyway.
    """

    shifted: Floats  # Q, up to eta y y' of the last sample
    inverse: Floats  # P, up to -shrink u u' of the last sample
    pending: Floats  # (4, m) eta y, y; -shrink u, u
    shift: Floats  # (2,) s; where it ends, and P is renewed
    norms: Floats  # (3,) largest eigenvalues of M^-1 when P was renewed, of P, and of Q
    guesses: Floats  # (2, m) the eigenvectors of the latter two
    factor: Floats  # (n, n) scratch
    sweep: Floats  # (12, m) scratch
    scratch: Floats  # (6, m)


def initial_carried(weights: Floats) -> Carried:
    """Return the state before the first sample, for `run_carried`."""
    n = len(weights)
    m = padded_size(n)
    Q = packed(weights)
    guess = np.where(np.arange(m) < n, 1.0 / np.arange(1, m + 1), 0.0)
    return Carried(
        Q,
        np.zeros_like(Q),
        np.zeros((4, m)),
        np.array([0.0, -1.0]),
        np.array([math.inf, 0.0, 0.0]),
        np.stack([guess, guess]),
        np.zeros((n, n)),
        np.zeros((12, m)),
        np.zeros((6, m)),
    )


@kernel
def make_pending_change(state: Carried) -> None:
    """Bring Q up to date."""
    grown, last = state.pending[0], state.pending[1]
    add_and_multiply(state.shifted, grown, last, last, state.scratch[0])
    grown[:] = 0.0


@kernel
def current_weights(state: Carried, out: Floats) -> None:
    """Write M (n, n)."""
    make_pending_change(state)
    unpack(state.shifted, out)
    for i in range(out.shape[0]):
        out[i, i] -= state.shift[0]


@kernel
def renew(state: Carried, eta: float) -> bool:
    """Choose s anew and compute P from M; False where M is not positive definite."""
    Q, P, shift, norms = state.shifted, state.inverse, state.shift, state.norms
    n = state.factor.shape[0]
    make_pending_change(state)
    state.pending[2:] = 0.0
    if norms[1] > 0.0:
        norms[1] = MARGIN * largest_eigenvalue(P, state.guesses[0], state.scratch[0])
        nearness = shift[0] * norms[1]
        norms[0] = norms[1] / (1.0 - nearness) if nearness < 1.0 else math.inf
    # A shift of s and one of -s cost the same number of steps.
    half = min(0.5 * eta * max(n, PERIOD), NEAR / norms[0])
    for end in (half, 0.0):  # M may be positive definite, and M - half I not
        add_to_diagonal(Q, n, -end - shift[0])
        shift[0], shift[1] = -end, end
        for i in range(0, Q.shape[0], FOUR):
            store(P, i, load(Q, i))
        if invert(P, n, state.sweep):
            norms[1] = MARGIN * largest_eigenvalue(P, state.guesses[0], state.scratch[0])
            norms[2] = MARGIN * largest_eigenvalue(Q, state.guesses[1], state.scratch[0])
            return True
    return False


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

    Chebyshev's iteration is algorithm 12.1 of Saad, Iterative methods for sparse linear systems
    (2003), his rho being omega times half the interval. Every y is checked: where |M y - x| exceeds
    RESIDUAL |x|, what is left is solved for in turn, and where that does not help, y comes from a
    factorisation of M.
    """
    Q, P, shift, norms = state.shifted, state.inverse, state.shift, state.norms
    grown, last = state.pending[0], state.pending[1]
    shrunk, turned = state.pending[2], state.pending[3]
    x, y, u, rest = state.scratch[0], state.scratch[1], state.scratch[2], state.scratch[3]
    step, product = state.scratch[4], state.scratch[5]
    n, m = state.factor.shape[0], x.shape[0]
    n_records = 0
    for t in range(inputs.shape[0]):
        eta = learning_rate / (1.0 + decay * (n_processed + t))
        if not shift[0] <= shift[1] and not renew(state, eta):
            return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        for i in range(n):
            x[i] = inputs[t, i]
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
            unpack(Q, state.factor)
            for i in range(n):
                state.factor[i, i] -= s
            if not factorise(state.factor, state.factor):
                return status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            solve(state.factor, x, y)  # M y = x
            multiply(P, y, u)
            shift[1] = -math.inf  # renew P before the next sample

        power, gain = dot(y, y), dot(y, u)
        if not eta * power < math.inf:
            return status.WEIGHTS_NOT_FINITE, t
        # M <- M + eta (y y' - I), and P by Sherman and Morrison's formula
        grow, shrink = spread(eta), spread(-eta / (1.0 + eta * gain))
        for i in range(0, m, FOUR):
            y_i, u_i = load(y, i), load(u, i)
            store(last, i, y_i)
            store(grown, i, grow * y_i)
            store(turned, i, u_i)
            store(shrunk, i, shrink * u_i)
        shift[0] += eta
        if (n_processed + t + 1) % record_every == 0:
            current_weights(state, recorded_weights[n_records])
            n_records += 1
    return status.OK, inputs.shape[0]
