"""The sum of x x' over a sliding window of samples."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.kernels.building_blocks.compile import kernel

Floats = npt.NDArray[np.float64]


class State(NamedTuple):
    """What the estimator carries from one sample to the next."""

    window: Floats  # (window, n) the last samples, in a ring
    prior: Floats  # (n, n) what each sample still missing stands for
    total: Floats  # (n, n) sum over the window


def initial_state(prior: Floats, window: int) -> State:
    """Return the state before the first sample; `prior` (n, n) is copied."""
    return State(np.zeros((window, len(prior))), prior.copy(), window * prior)


@kernel
def run(
    state: State,
    inputs: Floats,
    n_processed: int,
    record_every: int,
    recorded_covariances: Floats,
) -> int:
    """Take in a block of samples, one at a time; return the number of records filled."""
    window, prior, total = state
    length, n = window.shape
    n_records = 0
    for t in range(inputs.shape[0]):
        x = inputs[t]
        place = (n_processed + t) % length
        oldest = window[place]
        filling = n_processed + t < length
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
        if (n_processed + t + 1) % record_every == 0:
            recorded = recorded_covariances[n_records]
            for i in range(n):
                row = total[i]
                for j in range(n):
                    recorded[i, j] = row[j] / length
            n_records += 1
    return n_records
