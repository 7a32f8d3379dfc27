"""The square root of the mean of x x' over a sliding window of samples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status

SINGULAR = 1e-12  # smallest by largest eigenvalue; rounding of a sum that samples enter and leave


class State(NamedTuple):
    """What the estimator carries from one sample to the next."""

    window: Floats  # (window, n) the last samples, in a ring
    prior: Floats  # (n, n) what each sample still missing stands for
    total: Floats  # (n, n) sum over the window
    n_processed: Integers  # (1,) samples so far, which settle the next one's place in the ring


def initial_state(initial_weights: Floats, window: int) -> State:
    """Return the state before the first sample: the window is full of the square of the weights."""
    prior = initial_weights @ initial_weights
    ring = np.zeros((window, len(prior)))
    return State(ring, prior, window * prior, np.zeros(1, np.int64))


def weights(state: State) -> Floats:
    """Return the square root of the estimated covariance (n, n), NaN if that is singular."""
    root: Floats = _roots(state.total[None] / len(state.window))[0]
    return root


def advance(
    states: Sequence[State], inputs: Floats, recorded: Bools, records: Records
) -> list[Outcome]:
    """Process a block of samples, one replicate after the other; see :mod:`adaptnet.kernels`.

    There are no learning rates. That the samples in the window do not span all neurons is noticed
    at records only: roots are taken there alone.
    """
    return [
        _advance(state, inputs[r], recorded, records["effective_weights"][r])
        for r, state in enumerate(states)
    ]


def _advance(state: State, inputs: Floats, recorded: Bools, roots: Floats) -> Outcome:
    run(state, inputs, recorded, roots)
    roots[:] = _roots(roots)
    singular = np.isnan(roots[:, 0, 0])
    if not singular.any():
        return Outcome(Status.OK, len(inputs))
    last = int(np.flatnonzero(recorded)[singular.argmax()])
    overflow = not np.isfinite(state.total).all()
    return Outcome(Status.WEIGHTS_NOT_FINITE if overflow else Status.SAMPLES_DO_NOT_SPAN, last)


def _roots(covariances: Floats) -> Floats:
    """Return symmetric square roots, NaN of those that are singular or overflow."""
    finite = np.isfinite(covariances).all(axis=(-1, -2), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(finite, covariances, 0.0))  # 0 is singular
    singular = values[:, :1] <= SINGULAR * values[:, -1:]
    root = np.sqrt(np.where(singular, np.nan, values))
    roots: Floats = (vectors * root[:, None, :]) @ np.swapaxes(vectors, -1, -2)
    return roots


@kernel
def run(state: State, inputs: Floats, recorded: Bools, recorded_covariances: Floats) -> None:
    """Process a block of samples, one at a time."""
    window, prior, total, n_processed = state
    length, n = window.shape
    n_records = 0
    for t in range(inputs.shape[0]):
        x = inputs[t]
        place = n_processed[0] % length
        oldest = window[place]
        filling = n_processed[0] < length
        for i in range(n):  # total <- total + x x' - oldest oldest'
            row = total[i]
            entered = x[i]
            left = oldest[i]
            for j in range(n):
                leaving = prior[i, j] if filling else left * oldest[j]
                row[j] += entered * x[j] - leaving
        for i in range(n):
            oldest[i] = x[i]
        if place == length - 1:  # once a round, rounding is wiped out
            for i in range(n):
                row = total[i]
                for j in range(n):
                    row[j] = 0.0
            for s in range(length):
                sample = window[s]
                for i in range(n):
                    row = total[i]
                    weight = sample[i]
                    for j in range(n):
                        row[j] += weight * sample[j]
        n_processed[0] += 1
        if recorded[t]:
            covariance = recorded_covariances[n_records]
            for i in range(n):
                row = total[i]
                for j in range(n):
                    covariance[i, j] = row[j] / length
            n_records += 1
