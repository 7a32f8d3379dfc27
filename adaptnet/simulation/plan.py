"""What a run records and when, and the shape of its records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import Records
from adaptnet.files.schema import FLOORS, NEEDS_TRUTH, RECORDABLE, VARIABLES
from adaptnet.metrics import whitening_errors

Rows: TypeAlias = npt.NDArray[np.void]  # structured: a field a variable, a row a recorded sample

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

    @property
    def n_records(self) -> int:
        """Number of recorded samples."""
        return self.n_samples // self.every + 1

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


@dataclass
class Reached:
    """How far a replicate is: samples processed, and for each circuit how and where it diverged."""

    processed: int
    diverged: list[int]  # -1 where it did not
    failures: list[int]  # keys of FAILURES, 0 where it did not


@dataclass(frozen=True)
class Layout:
    """The shape of a run's records.

    Truth has no circuit and, where replicates share their path, no replicate: it is then recorded
    by replicate 0 alone.
    """

    plan: Plan
    n_circuits: int
    n_replicates: int
    n_neurons: int
    shared_path: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that have a row a recorded sample."""
        return (*dict.fromkeys((*self.plan.variables, "context")),)

    def dims(self, name: str) -> tuple[str, ...]:
        """Return the dimensions that variable `name` has in this run."""
        dims = VARIABLES[name].dims
        of_path = "circuit" not in dims or name in FLOORS
        return tuple(d for d in dims if not (of_path and self.shared_path and d == "replicate"))

    def shape(self, name: str, n_records: int) -> tuple[int, ...]:
        """Return the shape of variable `name` with so many records."""
        lengths = {
            "circuit": self.n_circuits,
            "replicate": self.n_replicates,
            "sample": n_records,
            "neuron": self.n_neurons,
            "neuron_2": self.n_neurons,
        }
        return tuple(lengths[d] for d in self.dims(name))

    def row(self, replicate: int) -> np.dtype[np.void]:
        """Return the type of a row: what `replicate` records of one sample."""
        fields = []
        for name in self.names:
            dims = VARIABLES[name].dims
            if "circuit" in dims or not self.shared_path or replicate == 0:
                shape = [self.n_circuits] if "circuit" in dims else []
                shape += [self.n_neurons] * ("neuron" in dims) * 2
                fields.append((name, f"<{VARIABLES[name].dtype}", tuple(shape)))
        return np.dtype(fields)

    @property
    def n_bytes(self) -> int:
        """Bytes that all records take, uncompressed."""
        n_rows, others = self.plan.n_records, max(self.n_replicates - 1, 0)
        return n_rows * (self.row(0).itemsize + others * self.row(1).itemsize)

    def buffers(self, n_replicates: int, n_records: int) -> Records:
        """Return fresh buffers for what a circuit records in a block of some replicates."""
        n, both = self.n_neurons, (n_replicates, n_records)
        return Records(np.empty((*both, n, n)), np.zeros(both, dtype=np.int64))


def blank(row: np.dtype[np.void], truth: Truth) -> Rows:
    """Return the rows of a block's recorded samples, with their truth and no circuit's records."""
    rows = np.zeros(len(truth.contexts), row)
    for name in row.names or ():
        if VARIABLES[name].dtype == "f8":
            rows[name] = np.nan
        if name in ("context", "covariance"):
            rows[name] = truth.contexts if name == "context" else truth.covariances
    return rows


def fill(rows: Rows, circuit: int, records: Records, truth: Truth) -> None:
    """Write a circuit's records into the first of `rows`."""
    n_records = len(records.fast_steps)
    values = dict(zip(("effective_weights", "fast_steps"), records, strict=True))
    if truth.covariances is not None:
        errors = whitening_errors(records.effective_weights, truth.covariances[:n_records])
        values |= zip(_ERRORS, errors, strict=True)
    for name in values.keys() & set(rows.dtype.names or ()):
        rows[name][:n_records, circuit] = values[name]
