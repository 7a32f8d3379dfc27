"""What several scenarios have in common: parameters, contexts, and tables over many runs."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

import adaptnet
from adaptnet import Circuit, DirectCircuit, InterneuronCircuit
from adaptnet.files.provenance import provenance
from adaptnet.files.results import results
from adaptnet.seeding import child_seed, root_seed
from adaptnet.simulation.progress import progress_display
from environments import Environment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.base import Scenario, SimulationScenario, parameter

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

    from adaptnet.seeding import Rng


@dataclass(frozen=True, kw_only=True)
class Race(SimulationScenario):
    """One simulation of the direct circuit and the one with interneurons, alike in all else."""

    n_interneurons: int = parameter(
        10, "interneurons, at least as many as primary neurons", above=0, at_most=10_000
    )
    learning_rate: float = parameter(2e-5, "eta, of both circuits", above=0)
    initial_weights: float = parameter(1.0, "a of the initial effective weights a I", above=0)

    def circuits(self) -> dict[str, Circuit]:
        """Return both circuits, at one learning rate."""
        alike: dict[str, Any] = {
            "initial_weights": self.initial_weights,
            "learning_rate": self.learning_rate,
        }
        return {
            "direct": DirectCircuit(**alike),
            "interneuron": InterneuronCircuit(n_interneurons=self.n_interneurons, **alike),
        }


@dataclass(frozen=True, kw_only=True)
class Rotated(SimulationScenario):
    """One simulation through contexts of one spectrum, each with an eigenbasis of its own."""

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    condition: float = parameter(10.0, "largest by smallest variance of a context", above=1)
    eigenbasis_seed: int = parameter(1, "seed of the contexts' eigenbases", above=-1)

    @property
    def spectrum(self) -> "npt.NDArray[np.float64]":
        """Variances along the eigenvectors of each context; their mean is 1."""
        spectrum: npt.NDArray[np.float64] = np.geomspace(1.0, self.condition, self.n_neurons)
        spectrum /= spectrum.mean()
        return spectrum

    def rotations(self, n_contexts: int) -> "list[npt.NDArray[np.float64]]":
        """Return the covariance of each context."""
        rng = np.random.default_rng(self.eigenbasis_seed)
        bases = (random_eigenbasis(self.n_neurons, rng) for _ in range(n_contexts))
        return [with_spectrum(self.spectrum, basis) for basis in bases]


class Replicates(NamedTuple):
    """How each of a table's simulations is repeated."""

    number: int
    seed: np.random.SeedSequence
    n_threads: int | None

    def simulate(
        self,
        circuits: Mapping[str, Circuit],
        environment: Environment,
        n_samples: int,
        *,
        key: tuple[int, ...],
        n_records: int,
    ) -> "xr.Dataset":
        """Return the whitening errors of the simulation that goes by `key` in the table."""
        return adaptnet.simulate(
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


class Table(NamedTuple):
    """What a scenario found, as :func:`adaptnet.files.results.results` takes it."""

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
        rng: "Rng" = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
    ) -> "xr.Dataset":
        """Return the table, with the scenario and its parameters in the attributes."""
        number = self.default_replicates if n_replicates is None else n_replicates
        seed = root_seed(rng)
        with progress_display(self.n_points, progress, "points") as advance:
            table = self.table(Replicates(number, seed, n_threads), advance)
        return results(
            self.table_title,
            {**table.coordinates, "replicate": (np.arange(number), "replicate")},
            table.variables,
            {**self.attributes(number), **provenance(seed)},
        )
