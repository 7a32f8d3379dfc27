"""A factorisation of M at each sample, or Euler steps of the fast dynamics: the plain way."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.cholesky import factorise, solve, unit_of
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.causes import explained
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.records import Bools, Floats, Integers, Records, buffers
from adaptnet.kernels.status import Outcome, Status

CHECKED = 32.0  # samples that one factorisation is to tell the definiteness of M for


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    weights: Floats  # M (n, n)
    steps: Integers  # (1,) most Euler steps since the last record
    margin: Floats  # (1,) what M may lose on its diagonal and stay positive definite, if >= 0


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample; `initial_weights` M (n, n) are copied."""
    return State(initial_weights.copy(), np.zeros(1, np.int64), np.full(1, -1.0))


def weights(state: State) -> Floats:
    """Return a copy of M (n, n)."""
    return state.weights.copy()


def response(state: State, dynamics: FastDynamics) -> Floats:
    """Return G (n, n), the outputs being y = G x once the activity has converged, or is cut short.

    Each column is the activity that a unit input leads to; NaN if it blows up.
    """
    n = len(state.weights)
    G, y = np.empty((n, n)), np.empty(n)
    for j, x in enumerate(np.eye(n)):
        steps = integrate(state.weights, x, y, dynamics)
        G[:, j] = y if steps >= 0 else np.nan
    return G


def advance(
    states: Sequence[State],
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    records: Records,
    dynamics: FastDynamics = EXACT,
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`.

    Also records ``fast_steps``, the most Euler steps per sample since the last record, and
    ``response`` G, the outputs being y = G x after as many steps as the recorded sample took.
    """
    outcomes = []
    for r, state in enumerate(states):
        status, n_samples = run(
            state, inputs[r], rates[r], recorded, dynamics, *buffers(records, r)
        )
        if status != Status.OK:
            status = explained(status, state.weights, inputs[r, n_samples])
        outcomes.append(Outcome(status, n_samples))
    return outcomes


@kernel
def integrate(M: Floats, x: Floats, y: Floats, fast: FastDynamics) -> int:
    """Euler steps of dy/dg = x - M y from y = 0; return their number, -1 if y blew up."""
    n = x.shape[0]
    velocity = np.empty(n)
    per_unit = 1.0 / unit_of(x)
    power = 0.0
    for i in range(n):
        y[i] = 0.0
        power += (per_unit * x[i]) * (per_unit * x[i])
    enough = fast.tolerance * fast.tolerance * power
    for step in range(fast.max_steps):
        residual = 0.0
        for i in range(n):
            row = M[i]
            drive = x[i]
            for j in range(n):
                drive -= row[j] * y[j]
            velocity[i] = drive
            residual += (per_unit * drive) * (per_unit * drive)
        if residual <= enough:
            return step
        if not residual < math.inf:
            return -1
        for i in range(n):
            y[i] += fast.step_size * velocity[i]
    return fast.max_steps


@kernel
def respond(M: Floats, factor: Floats, fast: FastDynamics, n_steps: int, G: Floats) -> None:
    """Write G (n, n), the outputs being y = G x after `n_steps` Euler steps, or at the fixed point.

    Column j is the activity that a unit input to neuron j leads to.
    """
    n = M.shape[0]
    # At a tolerance of zero steps end early only if they would change nothing.
    fixed = FastDynamics(fast.step_size, 0.0, n_steps, 0.0)
    x, y = np.zeros(n), np.zeros(n)
    known = fast.max_steps > 0 or factorise(M, factor)
    for j in range(n):
        x[:] = 0.0
        x[j] = 1.0
        if fast.max_steps > 0:
            integrate(M, x, y, fixed)
        elif known:
            solve(factor, x, y)
        for i in range(n):
            G[i, j] = y[i] if known else math.nan


@kernel
def is_in_cone(M: Floats, factor: Floats, margin: Floats, eta: float) -> bool:
    """Return whether M is positive definite, with a factorisation at few samples.

    A sample takes at most `eta` from any eigenvalue. So if M - margin I is positive definite, M is
    for many samples to come.
    """
    if margin[0] >= 0.0:
        return True
    for known in (CHECKED * eta, 0.0):
        for i in range(M.shape[0]):
            for j in range(i + 1):
                factor[i, j] = M[i, j]
            factor[i, i] -= known
        if factorise(factor, factor):
            margin[0] = known
            return True
    return False


@kernel
def settle(M: Floats, factor: Floats, x: Floats, y: Floats) -> bool:
    """Write the fixed point M y = x; False if M is not positive definite."""
    if not factorise(M, factor):
        return False
    solve(factor, x, y)
    return True


@kernel
def learn(M: Floats, y: Floats, eta: float) -> bool:
    """M <- M + eta (y y' - I); False if it overflows."""
    trace = 0.0
    for i in range(M.shape[0]):
        row = M[i]
        y_i = y[i]
        for j in range(M.shape[0]):
            row[j] += eta * (y_i * y[j])  # in this order M stays symmetric to the last bit
        row[i] -= eta
        trace += row[i]
    return abs(trace) < math.inf


@kernel
def run(
    state: State,
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    fast: FastDynamics,
    recorded_weights: Floats,
    recorded_steps: Integers,
    recorded_responses: Floats,
) -> tuple[Status, int]:
    """Process a block of samples of one replicate; return a status and the samples processed."""
    M, steps, margin = state
    n = M.shape[0]
    factor, y = np.empty((n, n)), np.empty(n)
    n_records = 0
    for t in range(inputs.shape[0]):
        x = inputs[t]
        used = 0
        if fast.max_steps > 0:
            if not is_in_cone(M, factor, margin, rates[t]):
                return Status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
            margin[0] -= rates[t]
            used = integrate(M, x, y, fast)
            if used < 0:
                return Status.ACTIVITY_NOT_FINITE, t
            steps[0] = max(steps[0], used)
        elif not settle(M, factor, x, y):
            return Status.WEIGHTS_NOT_POSITIVE_DEFINITE, t
        # A rate of zero leaves M as it is, even if y overflows.
        if rates[t] > 0.0 and not learn(M, y, rates[t]):
            return Status.WEIGHTS_NOT_FINITE, t
        if recorded[t]:
            recorded_weights[n_records] = M
            if recorded_steps.shape[0] > 0:
                recorded_steps[n_records] = steps[0]
            if recorded_responses.shape[0] > 0:
                respond(M, factor, fast, used, recorded_responses[n_records])
            steps[0] = 0
            n_records += 1
    return Status.OK, inputs.shape[0]
