"""A factorisation of W W' at each sample, or Euler steps of the fast dynamics: the plain way."""

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


class State(NamedTuple):
    """What the circuit carries from one sample to the next."""

    synapses: Floats  # W' (k, n): a row per interneuron, so that reads and updates are contiguous
    steps: Integers  # (1,) most Euler steps since the last record


def initial_state(initial_weights: Floats) -> State:
    """Return the state before the first sample, from W (n, k)."""
    return State(np.ascontiguousarray(initial_weights.T).copy(), np.zeros(1, np.int64))


def weights(state: State) -> Floats:
    """Return A = W W' (n, n)."""
    A: Floats = np.empty((state.synapses.shape[1],) * 2)
    multiply_synapses(state.synapses, A)  # as it is recorded, to the bit
    return A


def response(state: State, dynamics: FastDynamics) -> Floats:
    """Return G (n, n), the outputs being y = G x once the activity has converged, or is cut short.

    Each column is the activity that a unit input leads to; NaN if it blows up.
    """
    k, n = state.synapses.shape
    G, y, z = np.empty((n, n)), np.empty(n), np.empty(k)
    for j, x in enumerate(np.eye(n)):
        steps = integrate(state.synapses, x, y, z, dynamics)
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
            status = explained(status, weights(state), inputs[r, n_samples])
        outcomes.append(Outcome(status, n_samples))
    return outcomes


@kernel
def multiply_synapses(synapses: Floats, out: Floats) -> None:
    """Write the effective weights A = W W', both triangles."""
    k, n = synapses.shape[0], out.shape[0]
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
    for c in range(k):
        row = synapses[c]
        for i in range(n):
            out_row = out[i]
            weight = row[i]
            for j in range(i + 1):
                out_row[j] += weight * row[j]
    for i in range(n):
        for j in range(i):
            out[j, i] = out[i, j]


@kernel
def integrate(synapses: Floats, x: Floats, y: Floats, z: Floats, fast: FastDynamics) -> int:
    """Euler steps of dy/dg = x - W z, tau dz/dg = W' y - z from rest.

    Return their number, -1 if the activity blew up.
    """
    k, n = synapses.shape
    drive_y = np.empty(n)
    drive_z = np.empty(k)
    per_unit = 1.0 / unit_of(x)
    power_x = 0.0
    for i in range(n):
        y[i] = 0.0
        power_x += (per_unit * x[i]) * (per_unit * x[i])
    for c in range(k):
        z[c] = 0.0
    squared = fast.tolerance * fast.tolerance
    step_z = fast.step_size / fast.interneuron_time_constant
    for step in range(fast.max_steps):
        for i in range(n):
            drive_y[i] = x[i]
        residual_z = 0.0
        power_z = 0.0
        for c in range(k):
            row = synapses[c]
            active = z[c]
            feedforward = 0.0
            for i in range(n):
                feedforward += row[i] * y[i]
                drive_y[i] -= row[i] * active
            drive_z[c] = feedforward - active
            residual_z += (per_unit * drive_z[c]) * (per_unit * drive_z[c])
            power_z += (per_unit * active) * (per_unit * active)
        residual_y = 0.0
        for i in range(n):
            residual_y += (per_unit * drive_y[i]) * (per_unit * drive_y[i])
        if residual_y <= squared * power_x and residual_z <= squared * power_z:
            return step
        if not residual_y + residual_z < math.inf:
            return -1
        for i in range(n):
            y[i] += fast.step_size * drive_y[i]
        for c in range(k):
            z[c] += step_z * drive_z[c]
    return fast.max_steps


@kernel
def settle(synapses: Floats, effective: Floats, factor: Floats, x: Floats, y: Floats) -> bool:
    """Write the fixed point W W' y = x; False if W W' is not positive definite."""
    multiply_synapses(synapses, effective)
    if not factorise(effective, factor):
        return False
    solve(factor, x, y)
    return True


@kernel
def respond(synapses: Floats, y: Floats, z: Floats) -> None:
    """Write z = W' y."""
    for c in range(z.shape[0]):
        row = synapses[c]
        active = 0.0
        for i in range(y.shape[0]):
            active += row[i] * y[i]
        z[c] = active


@kernel
def learn(synapses: Floats, y: Floats, z: Floats, eta: float) -> bool:
    """W <- W + eta (y z' - W); False if it overflows."""
    sum_of_weights = 0.0
    for c in range(z.shape[0]):
        row = synapses[c]
        kept, scaled = 1.0 - eta, eta * z[c]
        for i in range(y.shape[0]):
            row[i] = kept * row[i] + scaled * y[i]
            sum_of_weights += row[i]
    return abs(sum_of_weights) < math.inf


@kernel
def respond_to_units(
    synapses: Floats, effective: Floats, factor: Floats, fast: FastDynamics, n_steps: int, G: Floats
) -> None:
    """Write G (n, n), the outputs being y = G x after `n_steps` Euler steps, or at the fixed point.

    Column j is the activity that a unit input to neuron j leads to.
    """
    n = G.shape[0]
    # At a tolerance of zero steps end early only if they would change nothing.
    fixed = FastDynamics(fast.step_size, 0.0, n_steps, fast.interneuron_time_constant)
    x, y, z = np.zeros(n), np.zeros(n), np.zeros(synapses.shape[0])
    known = True
    for j in range(n):
        x[:] = 0.0
        x[j] = 1.0
        if fast.max_steps > 0:
            integrate(synapses, x, y, z, fixed)
        else:
            known = known and settle(synapses, effective, factor, x, y)
        for i in range(n):
            G[i, j] = y[i] if known else math.nan


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
    synapses, steps = state
    k, n = synapses.shape
    effective, factor, y, z = np.empty((n, n)), np.empty((n, n)), np.empty(n), np.empty(k)
    n_records = 0
    for t in range(inputs.shape[0]):
        used = 0
        if fast.max_steps > 0:
            used = integrate(synapses, inputs[t], y, z, fast)
            if used < 0:
                return Status.ACTIVITY_NOT_FINITE, t
            steps[0] = max(steps[0], used)
        elif settle(synapses, effective, factor, inputs[t], y):
            respond(synapses, y, z)
        else:
            return Status.WEIGHTS_SINGULAR, t  # by rounding: they do not leave the cone
        # A rate of zero leaves W as it is, even if y overflows.
        if rates[t] > 0.0 and not learn(synapses, y, z, rates[t]):
            return Status.WEIGHTS_NOT_FINITE, t
        if recorded[t]:
            multiply_synapses(synapses, recorded_weights[n_records])
            if recorded_steps.shape[0] > 0:
                recorded_steps[n_records] = steps[0]
            if recorded_responses.shape[0] > 0:
                respond_to_units(
                    synapses, effective, factor, fast, used, recorded_responses[n_records]
                )
            steps[0] = 0
            n_records += 1
    return Status.OK, inputs.shape[0]
