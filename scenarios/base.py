"""What a scenario is: typed parameters with defaults that mean something, and their use."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import xarray as xr

import adaptnet
from adaptnet import Circuit
from adaptnet.seeding import Rng
from adaptnet.simulation.threads import single_threaded_blas
from environments import Environment
from scenarios.parameters import checked, parameter, require_known
from scenarios.text import readaptation_table

if TYPE_CHECKING:  # Matplotlib is loaded by those who draw
    from matplotlib.figure import Figure, SubFigure


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario(ABC):
    """A question, the runs that answer it, and how the answer is drawn, under one name.

    A subclass is a frozen dataclass whose fields, made by :func:`scenarios.parameter`, are the
    scenario's parameters; the first line of its docstring is its title, and its name in small
    letters with dashes (``MatchedNoise``: ``matched-noise``) that on the command line.
    """

    default_replicates: ClassVar[int] = 20
    preview: ClassVar[Mapping[str, Any]] = {}
    """Parameters of a run of a second or so, for a first look."""

    threshold: float = parameter(0.1, "error below which a circuit counts as readapted", above=0)

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = checked(field, getattr(self, field.name), kinds[field.name])
            object.__setattr__(self, field.name, value)

    @classmethod
    def name(cls) -> str:
        """Return the name of the scenario on the command line and in files."""
        return snake_case(cls.__name__).replace("_", "-")

    @classmethod
    def title(cls) -> str:
        """Return the scenario in a line."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Return the scenario with some parameters set.

        Raises
        ------
        TypeError, ValueError
            If there is no such parameter (the nearest is suggested) or a value does not fit.
        """
        require_known(values, cls)
        return cls(**values)

    @abstractmethod
    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: Rng = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
    ) -> xr.Dataset:
        """Return the results, with the scenario and its parameters in the attributes."""

    @abstractmethod
    def plot(self, dataset: xr.Dataset) -> Figure | SubFigure:
        """Return the scenario's figure of its results."""

    @abstractmethod
    def report(self, dataset: xr.Dataset) -> str:
        """Return the scenario's results in a few lines or a table."""

    def attributes(self, n_replicates: int) -> dict[str, Any]:
        """Return what a file of results must say for the scenario to be run again."""
        return {
            "scenario": self.name(),
            "scenario_parameters": json.dumps(dataclasses.asdict(self)),
            "n_replicates": n_replicates,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimulationScenario(Scenario):
    """A scenario that is one simulation: an environment, circuits, and how readaptation went."""

    records: int = parameter(800, "records of the error per replicate", above=0)

    @abstractmethod
    def environment(self) -> Environment:
        """Return where the inputs come from."""

    @abstractmethod
    def compared(self) -> dict[str, Circuit]:
        """Return the circuits that are compared, by name."""

    @property
    @abstractmethod
    def n_samples(self) -> int:
        """Samples per replicate."""

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.n_samples // self.records)

    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: Rng = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
        **recording: Any,
    ) -> xr.Dataset:
        """Simulate, and return the run with the scenario and its parameters in the attributes.

        With a `path`, and what else :func:`adaptnet.simulate` takes beside it, the run is recorded
        there and survives interruptions.
        """
        replicates = self.default_replicates if n_replicates is None else n_replicates
        with single_threaded_blas():  # as everything that a run depends on
            environment, circuits = self.environment(), self.compared()
        attributes = self.attributes(replicates)
        del attributes["n_replicates"]  # the run itself says so
        return adaptnet.simulate(
            circuits,
            environment,
            self.n_samples,
            n_replicates=replicates,
            rng=rng,
            record_every=self.record_every,
            n_threads=n_threads,
            progress=progress,
            attributes=attributes,
            **recording,
        )

    def plot(self, dataset: xr.Dataset) -> Figure | SubFigure:
        """Return a figure of the errors of a run."""
        return adaptnet.plot_readaptation(dataset, self.threshold)[0]

    def report(self, dataset: xr.Dataset) -> str:
        """Return the readaptation times of a run as a table.

        If the context never changes, these are the times from the initial weights.
        """
        return self.readaptation(dataset, from_start=True)

    def readaptation(self, dataset: xr.Dataset, **options: Any) -> str:
        """Return the readaptation times of a run as a table.

        `options` are the keywords of :func:`scenarios.text.readaptation_table`.
        """
        return readaptation_table(dataset, self.threshold, **options)


def snake_case(name: str) -> str:
    """Return the name of a class in small letters.

    Examples
    --------
    >>> snake_case("MatchedNoise"), snake_case("OnAPath")
    ('matched_noise', 'on_a_path')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
