"""A plain array of samples in the shape of an environment."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from adaptnet._checks import Floats, Integers
from adaptnet.simulation.array_likes import (
    Words,
    rate_of,
    refuse_gaps,
    refuse_missing,
    samples,
    warn_of_counters,
    warn_of_means,
)

_WORDS = Words("the inputs", "neuron")


class _GivenInputs:
    """A plain array of samples in the shape of an environment: its own only realization."""

    truth = "absent"
    shared_path = True
    deterministic = True
    context_names = ("given",)

    def __init__(self, inputs: Floats, sampling_rate: float | None = None) -> None:
        self._inputs = inputs
        self.sampling_rate = sampling_rate
        self.length = len(inputs)
        self.n_neurons = inputs.shape[1]

    def realize(self, seed: np.random.SeedSequence) -> "_GivenInputs":
        return self

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        for first in range(start, n_samples, block_size):
            yield self._inputs[first : min(first + block_size, n_samples)]

    def covariances(self, samples: Integers) -> Floats:
        raise TypeError("a plain array of inputs has no true covariance")

    def contexts(self, samples: Integers) -> Integers:
        return np.zeros(len(samples), np.int64)

    def change_samples(self, n_samples: int) -> Integers:
        return np.empty(0, np.int64)

    def parameters(self) -> dict[str, Any]:
        digest = hashlib.sha256(self._inputs.tobytes()).hexdigest()
        return {"type": "array", "shape": list(self._inputs.shape), "sha256": digest}


def given(inputs: Any, n_samples: int | None) -> _GivenInputs:
    """Return an array of inputs as an environment, checked as recordings are.

    Raises
    ------
    TypeError, ValueError
        If the inputs are not real numbers (sample, neuron), one is missing or not finite, their
        times have a gap, or there are fewer samples than neurons or than `n_samples`.

    Warns
    -----
    UserWarning
        If means are far from zero, or a channel rises with every sample as an index does.
    """
    found = samples(_WORDS, inputs)
    refuse_gaps(_WORDS, found, found.epochs)
    length = found.values.shape[0]
    if n_samples is not None and n_samples > length:
        raise ValueError(
            f"n_samples must be at most {length}, the number of inputs given, got {n_samples}"
        )
    array = found.read(0, length)
    refuse_missing(_WORDS, array)
    with np.errstate(all="ignore"):  # huge inputs are the circuits' affair
        means, deviations = array.mean(axis=0), array.std(axis=0)
    warn_of_means(_WORDS, means, deviations, length)
    rising = (np.diff(array, axis=0) > 0).all(axis=0)
    warn_of_counters(_WORDS, rising, length)
    return _GivenInputs(array, rate_of(found))


def refuse_length(environment: object, n_samples: int) -> None:
    """Let an environment that cannot give every run refuse one before any of it is done."""
    check = getattr(environment, "check_length", None)
    if check is not None:
        check(n_samples)


def refuse_copies(environment: object, n_replicates: int) -> None:
    """Refuse several replicates of an environment that says that all would be the same."""
    if n_replicates > 1 and getattr(environment, "deterministic", False):
        raise ValueError(
            f"n_replicates must be 1 if inputs are an array or a recording, got {n_replicates}: "
            "all replicates would be the same, and their number would look like evidence; run one, "
            "or use an environment that draws its samples (a NoisyEnvironment of a recording does)"
        )
