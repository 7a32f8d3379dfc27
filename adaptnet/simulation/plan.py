"""What a run records, and when: its samples, its variables, and the shape of a record."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adaptnet._checks import Integers
from adaptnet.circuits.base import Circuit, Records
from adaptnet.files.schema import (
    ALWAYS,
    COORDINATES,
    COVARIANCE,
    EMPIRICAL,
    ERRORS,
    FLOORS,
    INPUTS,
    NEEDS_TRUTH,
    VARIABLES,
    Variable,
)

ACTIVITIES = ("outputs", "interneuron_activity")
_BLOCK_BYTES = 2**24  # of effective weights in flight per circuit and thread
_BLOCK_SAMPLES = 4096


@dataclass(frozen=True, eq=False)
class Plan:
    """Which samples are recorded: 0, every multiple of `every` up to `n_samples`, and `between`.

    `between` holds further samples in ascending order, none of which is such a multiple: those at
    which the covariance begins or ends to change, so that no jump falls between two records.
    """

    n_samples: int
    every: int
    variables: tuple[str, ...]
    between: Integers = field(default_factory=lambda: np.empty(0, np.int64))

    def samples(self, start: int, stop: int) -> Integers:
        """Return the recorded samples in (start, stop]."""
        multiples = np.arange((start // self.every + 1) * self.every, stop + 1, self.every)
        first, last = np.searchsorted(self.between, (start, stop), side="right")
        return np.sort(np.concatenate([multiples, self.between[first:last]]))

    def n_records_until(self, sample: int) -> int:
        """Return the number of records up to and including `sample`."""
        return sample // self.every + 1 + int(np.searchsorted(self.between, sample, side="right"))

    @property
    def n_records(self) -> int:
        """Number of recorded samples."""
        return self.n_records_until(self.n_samples)

    @property
    def all_samples(self) -> Integers:
        """All recorded samples, in order."""
        return np.concatenate([[0], self.samples(0, self.n_samples)])

    def pieces(self, n_records: int) -> Iterator[tuple[int, Integers]]:
        """Yield all recorded samples in pieces of about `n_records`, with their first record."""
        first, span = 0, n_records * self.every
        for start in range(-1, self.n_samples, span):
            samples = self.samples(start, min(start + span, self.n_samples))
            yield first, samples
            first += len(samples)

    def block_size(self, n_neurons: int) -> int:
        """Return a number of samples per block such that a block's records stay small."""
        records = max(1, _BLOCK_BYTES // (8 * n_neurons**2))
        return max(1, min(_BLOCK_SAMPLES, records * self.every))


@dataclass(frozen=True, eq=False)
class Layout:
    """The shape of a run's records.

    Truth has no circuit and, if replicates share their path, no replicate: it is then recorded by
    replicate 0 alone.
    """

    plan: Plan
    records: Mapping[str, Variable]
    """Variables that have one row per recorded sample."""
    sizes: Mapping[str, int]
    """Of every dimension but sample and change."""
    shared_path: bool

    @property
    def n_circuits(self) -> int:
        """Number of circuits."""
        return self.sizes["circuit"]

    @property
    def n_replicates(self) -> int:
        """Number of replicates."""
        return self.sizes["replicate"]

    @property
    def n_neurons(self) -> int:
        """Number of primary neurons."""
        return self.sizes["neuron"]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables that have one row per recorded sample."""
        return tuple(self.records)

    @property
    def needs_inputs(self) -> bool:
        """Whether any variable is computed from the inputs at the recorded samples."""
        return not {"inputs", *ACTIVITIES}.isdisjoint(self.records)

    @property
    def needs_covariances(self) -> bool:
        """Whether any variable is computed from the true covariance."""
        return any(name in NEEDS_TRUTH for name in self.records)

    def dims(self, name: str) -> tuple[str, ...]:
        """Return the dimensions that variable `name` has in this run."""
        dims = {**VARIABLES, **self.records}[name].dims
        follows_path = ("circuit" not in dims and name != "inputs") or name in FLOORS
        return tuple(
            d for d in dims if not (follows_path and self.shared_path and d == "replicate")
        )

    def shape(self, name: str, n_records: int) -> tuple[int, ...]:
        """Return the shape of variable `name` if so many samples are recorded."""
        return tuple({**self.sizes, "sample": n_records}[dim] for dim in self.dims(name))

    def row(self, replicate: int) -> np.dtype[np.void]:
        """Return the type of a row: what `replicate` records of one sample."""
        fields = []
        for name, variable in self.records.items():
            if "replicate" in self.dims(name) or replicate == 0:
                inner = [dim for dim in variable.dims if dim not in ("replicate", "sample")]
                shape = tuple(self.sizes[dim] for dim in inner)
                fields.append((name, f"<{variable.dtype}", shape))
        return np.dtype(fields)

    @property
    def n_bytes(self) -> int:
        """Bytes that all records take, uncompressed."""
        n_rows, further = self.plan.n_records, max(self.n_replicates - 1, 0)
        return n_rows * (self.row(0).itemsize + further * self.row(1).itemsize)

    def buffers(self, circuit: Circuit, n_replicates: int, n_records: int) -> Records:
        """Return fresh buffers for what a circuit records in a block of some replicates.

        They hold what is recorded of the circuit, its effective weights, and what its errors follow
        from.
        """
        needed = {*self.records, "effective_weights", circuit.response}
        needed |= {source for name in self.records for source in circuit.sources(name)}
        sizes = {**self.sizes, **circuit.sizes(self.n_neurons)}
        return {
            name: np.zeros(
                (n_replicates, n_records, *(sizes[dim] for dim in variable.dims[3:])),
                variable.dtype,
            )
            for name, variable in circuit.recordable().items()
            if name in needed
        }


def run_layout(
    plan: Plan, circuits: Mapping[str, Circuit], n_neurons: int, n_replicates: int, *, shared: bool
) -> Layout:
    """Return the shape of the records of a run.

    Raises
    ------
    ValueError
        If circuits declare different records under one name.
    """
    known = {
        **ERRORS,
        **EMPIRICAL,
        "covariance": COVARIANCE,
        "inputs": INPUTS,
        **_declared(circuits),
        "context": ALWAYS["context"],
    }
    sizes = {
        "circuit": len(circuits),
        "replicate": n_replicates,
        "neuron": n_neurons,
        "neuron_2": n_neurons,
    }
    for circuit in circuits.values():
        for dim, size in circuit.sizes(n_neurons).items():
            sizes[dim] = max(size, sizes.get(dim, 0))
    names = dict.fromkeys((*plan.variables, "context"))
    return Layout(plan, {name: known[name] for name in names}, sizes, shared)


def _declared(circuits: Mapping[str, Circuit]) -> dict[str, Variable]:
    """Return what the circuits can record, by name."""
    declared: dict[str, Variable] = {}
    for label, circuit in circuits.items():
        for name, variable in circuit.recordable().items():
            if variable.dims[:3] != ("circuit", "replicate", "sample"):
                raise ValueError(
                    f"circuit {label!r} declares {name} with dimensions {variable.dims}; they must "
                    "begin with circuit, replicate, sample"
                )
            if name in {*COORDINATES, *ERRORS, *EMPIRICAL, *ALWAYS, "covariance", "inputs"} or (
                declared.setdefault(name, variable) != variable
            ):
                raise ValueError(
                    f"circuit {label!r} declares a record {name!r}, a name that another circuit or "
                    "the run itself uses for something else; rename it"
                )
    return declared


def checked_variables(
    record: Sequence[str] | None, truth: str, circuits: Mapping[str, Circuit]
) -> tuple[str, ...]:
    """Return the variables to record: those named, or all that cost little and are known."""
    declared = _declared(circuits)
    if record is None:
        known = ("effective_weights",) if truth == "absent" else tuple(ERRORS)
        own = (circuit.recorded_by_default() for circuit in circuits.values())
        return tuple(dict.fromkeys((*known, *itertools.chain(*own))))
    names = (record,) if isinstance(record, str) else tuple(record)
    recordable = (*ERRORS, *EMPIRICAL, *declared, "covariance", "inputs")
    for name in names:
        if name not in recordable:
            raise ValueError(
                f"record must name variables among {', '.join(recordable)}, got {name!r}"
            )
        if truth == "absent" and name in NEEDS_TRUTH:
            raise ValueError(
                f"record names {name!r}, which needs the true covariance of the inputs, but plain "
                "arrays come without; record effective_weights, or give an environment"
            )
    return names


def groups_of(replicates: Sequence[int], size: int, n_threads: int) -> list[Sequence[int]]:
    """Share replicates out into groups of at most `size`, as many groups for each thread.

    Examples
    --------
    >>> [list(group) for group in groups_of(range(5), 4, n_threads=1)]
    [[0, 2, 4], [1, 3]]
    """
    rounds = math.ceil(len(replicates) / (size * n_threads))
    n_groups = min(rounds * n_threads, len(replicates))
    return [replicates[g::n_groups] for g in range(n_groups)]
