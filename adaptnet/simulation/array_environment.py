"""A plain array of samples in the shape of an environment."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, Integers


class _GivenInputs:
    """A plain array of samples in the shape of an environment: its own only realization."""

    truth = "absent"
    shared_path = True
    deterministic = True
    context_names = ("given",)

    def __init__(self, inputs: Floats) -> None:
        self._inputs = inputs
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


def given(inputs: npt.ArrayLike, n_samples: int | None) -> _GivenInputs:
    """Return an array of inputs as an environment, its size checked against the run's."""
    try:
        array = np.ascontiguousarray(inputs, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            "environment must be an environment or an array (sample, neuron) of real numbers, "
            f"got {inputs!r}"
        ) from None
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"inputs must have the shape (sample, neuron), got {array.shape}")
    if n_samples is not None and n_samples > len(array):
        raise ValueError(
            f"n_samples must be at most {len(array)}, the number of inputs given, got {n_samples}"
        )
    return _GivenInputs(array)


def refuse_length(environment: object, n_samples: int) -> None:
    """Let an environment that cannot give every run refuse one before any of it is done."""
    check = getattr(environment, "check_length", None)
    if check is not None:
        check(n_samples)


def refuse_copies(environment: object, n_replicates: int) -> None:
    """Refuse several replicates of an environment that says that all would be the same."""
    if n_replicates > 1 and getattr(environment, "deterministic", False):
        raise ValueError(
            f"n_replicates must be 1 where inputs are an array or a recording, got {n_replicates}: "
            "every replicate would be the same, and their number would pass for evidence; run one, "
            "or give an environment that draws its samples (a NoisyEnvironment of a recording does)"
        )
