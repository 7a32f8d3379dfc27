"""What several scenarios have in common: circuits that race, and contexts that rotate."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet import Circuit, frames, plot_readaptation
from adaptnet._words import suggestion
from adaptnet.circuits.base import concrete_subclasses
from adaptnet.plotting.figures import new_grid
from adaptnet.plotting.style import in_style
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.base import SimulationScenario, snake_case
from scenarios.equal_floors import at_equal_floors, circuit_names, matched_rates
from scenarios.parameters import parameter
from scenarios.text import readaptation_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


@dataclass(frozen=True, kw_only=True)
class Race(SimulationScenario):
    """One simulation of circuits that are alike in all but their kind, by default of two.

    Circuits with gains have a frame that can whiten and start from the same effective weights.

    With `equal_floors`, further circuits with interneurons have the learning rates at which they
    are as precise as the direct circuit in the contexts entered: see
    :mod:`scenarios.equal_floors`.
    """

    n_interneurons: int = parameter(
        10,
        "interneurons, at least as many as primary neurons; more change nothing",
        above=0,
        at_most=10_000,
    )
    learning_rate: float = parameter(2e-5, "learning rate of all circuits", above=0)
    initial_weights: float = parameter(
        1.0, "initial effective weights: this number times the identity", above=0
    )
    leak: float = parameter(0.0, "leak of circuits that have one", above=-1e-300)
    circuits: tuple[str, ...] = parameter(
        ("direct", "interneuron"),
        "kinds of circuits, such as direct, interneuron, leaky_interneuron, gain",
    )
    batch_size: int = parameter(1, "samples per update of the weights", above=0)
    equal_floors: bool = parameter(
        True, "whether direct and interneuron are compared at equal floors as well"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        known = circuit_kinds()
        for name in self.circuits:
            if name not in known:
                raise ValueError(f"there is no circuit {name!r}; {suggestion(name, known)}")
        if len(set(self.circuits)) != len(self.circuits):
            raise ValueError(f"circuits must name each circuit once, got {self.circuits!r}")

    def compared(self) -> dict[str, Circuit]:
        """Return the circuits at one learning rate, and those of equal floors."""
        matched = self._matched()
        names = circuit_names(list(matched))
        return {
            **{name: self._circuit(name, self.learning_rate) for name in self.circuits},
            **{
                names[contexts[0]]: self._circuit("interneuron", rate)
                for contexts, rate in matched.items()
            },
        }

    def matched_names(self) -> dict[str, str]:
        """Return the name of the circuit of equal floors for each context entered."""
        return circuit_names(list(self._matched()))

    @in_style
    def plot(self, dataset: xr.Dataset) -> Figure | SubFigure:
        """Return the errors at equal learning rates, and beside them at equal floors."""
        if not self.matched_names() or not self._is_whole(dataset):
            return super().plot(dataset)
        figure, grid = new_grid(1, 2, sharey=True)
        panels = {
            "equal learning rates": dataset.sel(circuit=list(self.circuits)),
            "equal noise floors": at_equal_floors(dataset, self.matched_names()),
        }
        for ax, (title, pair) in zip(grid[0], panels.items(), strict=True):
            plot_readaptation(pair, self.threshold, ax=ax)
            ax.set_title(title)
            ax.label_outer()
            ax.get_legend().remove()
        entries = grid[0, 0].get_legend_handles_labels()
        figure.legend(*entries, loc="outside lower center", ncols=len(entries[1]), frameon=False)
        return figure

    def readaptation(self, dataset: xr.Dataset, **options: Any) -> str:
        """Return the readaptation times of a run, at equal learning rates and equal floors."""
        if not self._is_whole(dataset):
            return readaptation_table(dataset, self.threshold, **options)
        pair = dataset.sel(circuit=list(self.circuits))
        names = self.matched_names()
        equal = at_equal_floors(dataset, names) if names else None
        table = readaptation_table(pair, self.threshold, equal, **options)
        if self.equal_floors and not names and set(self.circuits) >= {"direct", "interneuron"}:
            table += (
                "\nnot compared at equal floors: there, the circuit with interneurons would need a "
                "learning rate beyond its limit of stability"
            )
        return table

    def _is_whole(self, dataset: xr.Dataset) -> bool:
        """Return whether a run has every circuit that is compared, which a selection need not."""
        compared = {*self.circuits, *self.matched_names().values()}
        return compared <= {*dataset["circuit"].values.tolist()}

    def _circuit(self, name: str, learning_rate: float) -> Circuit:
        """Return a circuit of a kind, with what it has of the scenario's parameters."""
        kind = circuit_kinds()[name]
        shared: dict[str, Any] = {
            "learning_rate": learning_rate,
            "batch_size": self.batch_size,
            "initial_weights": self.initial_weights,
            "initial_outward_weights": self.initial_weights,
            "n_interneurons": self.n_interneurons,
            "leak": self.leak,
        }
        fields = {field.name: field for field in dataclasses.fields(kind)}
        if "frame" in fields:
            n_neurons = self.environment().n_neurons
            shared |= framed(n_neurons, self.initial_weights - self.leak)
        for field in fields.values():
            if field.name not in shared and field.default is dataclasses.MISSING:
                raise ValueError(
                    f"circuits names the circuit {name!r}, whose {field.name} this scenario does "
                    "not set; derive a scenario of your own that defines circuits"
                )
        return kind(**{key: value for key, value in shared.items() if key in fields})

    def _matched(self) -> dict[tuple[str, ...], float]:
        if not self.equal_floors or tuple(self.circuits[:2]) != ("direct", "interneuron"):
            return {}
        return matched_rates(self.environment(), self.n_samples, self.learning_rate)


@dataclass(frozen=True, kw_only=True)
class Rotated(SimulationScenario):
    """One simulation through contexts of one spectrum, each with an eigenbasis of its own."""

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    condition: float = parameter(
        10.0, "ratio of the largest to the smallest variance of a context", above=1
    )
    eigenbasis_seed: int = parameter(1, "seed of the contexts' eigenbases", above=-1)

    @property
    def spectrum(self) -> npt.NDArray[np.float64]:
        """Variances along the eigenvectors of each context; their mean is 1."""
        return _spectrum(self.n_neurons, self.condition)

    def rotations(self, n_contexts: int) -> list[npt.NDArray[np.float64]]:
        """Return the covariance of each context."""
        return rotated_contexts(self.n_neurons, self.condition, self.eigenbasis_seed, n_contexts)


def circuit_kinds() -> dict[str, type[Circuit]]:
    """Return the kinds of circuits that are known, those of imported modules included, by name.

    Examples
    --------
    >>> circuit_kinds()["leaky_interneuron"].__name__
    'LeakyInterneuronCircuit'
    """
    return {
        snake_case(kind.__name__.removesuffix("Circuit")): kind
        for kind in concrete_subclasses(Circuit)
    }


def framed(n_neurons: int, weights: float) -> dict[str, Any]:
    """Return a frame that can whiten, and the gains at which W diag(g) W' = `weights` I.

    Equiangular for 2, 3 and 7 neurons, else random and tight, of n (n + 1) / 2 interneurons.

    Examples
    --------
    >>> framed(2, 3.0)["initial_gains"]
    2.0
    """
    equiangular = n_neurons in (2, 3, 7)
    frame = frames.equiangular(n_neurons) if equiangular else frames.random_tight(n_neurons)
    # Of unit columns and tight: W W' = (k / n) I.
    return {"frame": frame, "initial_gains": weights * n_neurons / np.shape(frame)[1]}


def rotated_contexts(
    n_neurons: int, condition: float, eigenbasis_seed: int, n_contexts: int
) -> list[npt.NDArray[np.float64]]:
    """Return covariances of one spectrum of mean 1, each with an eigenbasis of its own."""
    rng = np.random.default_rng(eigenbasis_seed)
    bases = (random_eigenbasis(n_neurons, rng) for _ in range(n_contexts))
    return [with_spectrum(_spectrum(n_neurons, condition), basis) for basis in bases]


def _spectrum(n_neurons: int, condition: float) -> npt.NDArray[np.float64]:
    spectrum: npt.NDArray[np.float64] = np.geomspace(1.0, condition, n_neurons)
    spectrum /= spectrum.mean()
    return spectrum
