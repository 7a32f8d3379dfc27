"""When and what a run records, and the arrays it records into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import Records
from adaptnet.dataset import FLOORS, NEEDS_TRUTH, RECORDABLE, VARIABLES
from adaptnet.metrics import whitening_errors

_BLOCK_BYTES = 2**24  # of effective weights in flight for each circuit and thread
_BLOCK_SAMPLES = 4096
_ERRORS = ("whitening_error", "frobenius_error")


@dataclass(frozen=True)
class Plan:
    """Which samples are recorded: 0, and every multiple of `every` up to `n_samples`."""

    n_samples: int
    every: int
    variables: tuple[str, ...]

    def samples(self, start: int, stop: int) -> Integers:
        """Return the recorded samples in (start, stop]."""
        first = (start // self.every + 1) * self.every
        return np.arange(first, stop + 1, self.every)

    @property
    def needs_covariances(self) -> bool:
        """Whether any variable is computed from the true covariance."""
        return any(name in NEEDS_TRUTH for name in self.variables)

    @property
    def all_samples(self) -> Integers:
        """All recorded samples, in order."""
        return np.arange(0, self.n_samples + 1, self.every)

    def block_size(self, n_neurons: int) -> int:
        """Return samples a block such that a block's records stay small."""
        records = max(1, _BLOCK_BYTES // (8 * n_neurons**2))
        return max(1, min(_BLOCK_SAMPLES, records * self.every))


def checked_variables(
    record: Sequence[str] | None, truth: str, *, integrated: bool
) -> tuple[str, ...]:
    """Return the variables to record: as asked for, or all that cost little and are known."""
    if record is None:
        known = ("effective_weights",) if truth == "absent" else _ERRORS
        return (*known, "fast_steps") if integrated else known
    names = (record,) if isinstance(record, str) else tuple(record)
    for name in names:
        if name not in RECORDABLE:
            raise ValueError(
                f"record must name variables among {', '.join(RECORDABLE)}, got {name!r}"
            )
        if truth == "absent" and name in NEEDS_TRUTH:
            raise ValueError(
                f"record names {name!r}, which needs the inputs' true covariance, but plain "
                "arrays come without; record effective_weights, or give an environment"
            )
    return names


class Truth(NamedTuple):
    """What an environment says of the recorded samples of a block."""

    contexts: Integers
    covariances: Floats | None  # (record, n, n), where known and asked for


class Recording:
    """The recorded variables of a run, filled block by block by any number of threads.

    Truth has no circuit and, where replicates share their path, no replicate: it is then written
    by replicate 0 alone.
    """

    def __init__(
        self, plan: Plan, n_circuits: int, n_replicates: int, n_neurons: int, *, shared_path: bool
    ) -> None:
        self.plan = plan
        self.shared_path = shared_path
        self._n_neurons = n_neurons
        n_records = len(plan.all_samples)
        self.arrays: dict[str, Floats | Integers] = {}
        for name in (*plan.variables, "context"):
            entry = VARIABLES[name]
            lengths = {
                "circuit": n_circuits,
                "replicate": n_replicates,
                "sample": n_records,
                "neuron": n_neurons,
                "neuron_2": n_neurons,
            }
            shape = tuple(lengths[d] for d in self.dims(name))
            fill = np.nan if entry.dtype == "f8" else 0
            self.arrays[name] = np.full(shape, fill, dtype=entry.dtype)
        nothing = np.empty((3, 0), np.int64)
        self.changes: list[Integers] = [nothing] * n_replicates  # sample, context left, entered
        self.diverged = np.full((n_circuits, n_replicates), -1, dtype=np.int64)

    def dims(self, name: str) -> tuple[str, ...]:
        """Return the dimensions that variable `name` has in this run."""
        dims = VARIABLES[name].dims
        of_path = "circuit" not in dims or name in FLOORS
        return tuple(d for d in dims if not (of_path and self.shared_path and d == "replicate"))

    def buffers(self, n_records: int) -> Records:
        """Return fresh buffers for the records of a block."""
        n = self._n_neurons
        return Records(np.empty((n_records, n, n)), np.zeros(n_records, dtype=np.int64))

    def write_truth(self, replicate: int, first: int, truth: Truth) -> None:
        """Store the truth of a block's records as rows `first` and on."""
        if self.shared_path and replicate > 0:
            return
        lead = () if self.shared_path else (replicate,)
        rows = (*lead, slice(first, first + len(truth.contexts)))
        self.arrays["context"][rows] = truth.contexts
        if "covariance" in self.arrays and truth.covariances is not None:
            self.arrays["covariance"][rows] = truth.covariances

    def write(
        self, circuit: int, replicate: int, first: int, records: Records, truth: Truth
    ) -> None:
        """Store a circuit's records as rows `first` and on."""
        n_records = len(records.fast_steps)
        rows = (circuit, replicate, slice(first, first + n_records))
        values = dict(zip(("effective_weights", "fast_steps"), records, strict=True))
        if truth.covariances is not None:
            errors = whitening_errors(records.effective_weights, truth.covariances[:n_records])
            values |= zip(_ERRORS, errors, strict=True)
        for name in values.keys() & self.arrays.keys():
            self.arrays[name][rows] = values[name]
