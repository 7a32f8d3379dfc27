"""Scenarios of many short simulations, whose results are a table."""

from __future__ import annotations

import functools
import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import xarray as xr

import adaptnet
from adaptnet import Circuit
from adaptnet.files.paths import resolved
from adaptnet.files.provenance import provenance
from adaptnet.files.results import results
from adaptnet.files.storage import load, save
from adaptnet.seeding import Rng, child_seed, root_seed
from adaptnet.simulation.progress import progress_display
from adaptnet.simulation.sinks.existing import is_finished
from adaptnet.sweeps.kept import Kept, kept_beside
from environments import Environment
from scenarios.base import Scenario

_SEED = ("seed_entropy", "seed_spawn_key")


class Replicates(NamedTuple):
    """How each simulation of a table is repeated."""

    number: int
    seed: np.random.SeedSequence
    n_threads: int | None
    kept: Kept = Kept()

    def simulate(
        self,
        circuits: Mapping[str, Circuit],
        environment: Environment,
        n_samples: int,
        *,
        key: tuple[int, ...],
        n_records: int,
    ) -> xr.Dataset:
        """Return the whitening errors of one simulation; `key` is its place in the table."""
        simulated = functools.partial(
            adaptnet.simulate,
            circuits,
            environment,
            n_samples,
            n_replicates=self.number,
            rng=child_seed(self.seed, *key),
            record_every=max(1, n_samples // n_records),
            record=["whitening_error"],
            n_threads=self.n_threads,
            progress=False,
        )
        parameters = {name: circuit.parameters() for name, circuit in circuits.items()}
        what = [list(key), parameters, environment.parameters(), n_samples]
        return self.kept.run(what, simulated)


class Table(NamedTuple):
    """Results over any dimensions: values and a long name per coordinate and variable."""

    coordinates: dict[str, tuple[Any, str]]
    variables: dict[str, tuple[tuple[str, ...], Any, str]]


@dataclass(frozen=True, kw_only=True)
class TableScenario(Scenario):
    """A scenario of many short simulations, of each of which a few numbers are kept."""

    table_title: ClassVar[str]

    @property
    @abstractmethod
    def n_points(self) -> int:
        """Steps that :meth:`table` reports as they are done."""

    @abstractmethod
    def table(self, replicates: Replicates, advance: Callable[[int], object]) -> Table:
        """Return the results; the replicates are a coordinate of them already."""

    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: Rng = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
        path: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> xr.Dataset:
        """Return the table, with the scenario and its parameters in the attributes.

        With a `path` it is in that file too. Simulations that are done are kept beside it until
        then, so that the same call goes on after an interruption.
        """
        number = self.default_replicates if n_replicates is None else n_replicates
        seed = root_seed(rng)
        if path is None:
            return self._results(Replicates(number, seed, n_threads), progress)
        target = resolved(path)
        wanted = {**self.attributes(number), **provenance(seed)}
        if is_finished(target, wanted, overwrite=overwrite):
            return load(target)
        described = {name: wanted[name] for name in (*self.attributes(number), *_SEED)}
        with kept_beside(target, described, overwrite=overwrite) as kept:
            dataset = self._results(Replicates(number, seed, n_threads, kept), progress)
            save(dataset, target, overwrite=overwrite)
        return dataset

    def _results(self, replicates: Replicates, progress: bool | None) -> xr.Dataset:
        with progress_display(self.n_points, progress, "points") as advance:
            table = self.table(replicates, advance)
        number, seed = replicates.number, replicates.seed
        return results(
            self.table_title,
            {**table.coordinates, "replicate": (np.arange(number), "replicate")},
            table.variables,
            {**self.attributes(number), **provenance(seed)},
        )
