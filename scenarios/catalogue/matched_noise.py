"""Is the faster circuit merely the noisier one? Changes at equal precision, over eigenbases."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet import theory
from adaptnet.plotting import circuit_colours
from adaptnet.plotting.figures import new_grid
from adaptnet.plotting.style import in_style
from scenarios.parameters import parameter
from scenarios.shared import rotated_contexts
from scenarios.single_change import simulated_times
from scenarios.tables import Replicates, Table, TableScenario
from scenarios.text import text_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_CIRCUITS = ("direct", "interneuron")
_CHANGES = ("rotation", "contrast rise", "contrast fall")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MatchedNoise(TableScenario):
    """Rotations, rises and falls of contrast, at learning rates that leave equal noise floors.

    At equal learning rates circuits differ in speed and in noise at once. Here each change is a
    comparison of its own: both circuits have the noise floor `floor` in the context entered. A
    rotation depends on the two eigenbases, so many are drawn; rises and falls do not. The condition
    of the covariances, the ratio of the largest to the smallest variance, is an axis.
    """

    n_neurons: int = parameter(5, "primary neurons, interneurons and inputs", above=1, at_most=1000)
    conditions: tuple[float, ...] = parameter(
        (10.0, 100.0, 1000.0), "ratios of the largest to the smallest variance"
    )
    contrast_step: float = parameter(10.0, "factor by which inputs grow or shrink", above=1)
    floor: float = parameter(
        0.06, "root mean square Frobenius error of both circuits, once converged", above=0
    )
    n_eigenbases: int = parameter(20, "pairs of eigenbases of rotations", above=0, at_most=1000)
    n_simulated: int = parameter(3, "pairs of eigenbases that are simulated", above=-1)
    eigenbasis_seed: int = parameter(1, "seed of the first pair of eigenbases", above=-1)

    default_replicates: ClassVar[int] = 10
    table_title: ClassVar[str] = "Readaptation at equal noise floors in the context entered"
    preview: ClassVar[Mapping[str, Any]] = {
        "floor": 0.25,
        "threshold": 0.5,
        "conditions": (10.0, 100.0),
        "n_eigenbases": 3,
        "n_simulated": 1,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.threshold < 1:
            raise ValueError(f"threshold must be below 1, got {self.threshold:g}")
        if not self.conditions or min(self.conditions) <= 1:
            raise ValueError(f"conditions must be greater than 1, got {self.conditions!r}")
        if self.n_simulated > self.n_eigenbases:
            raise ValueError(
                f"n_simulated must be at most n_eigenbases, {self.n_eigenbases}, "
                f"got {self.n_simulated}"
            )

    def contexts(self, change: str, condition: float, eigenbases: int) -> tuple[Floats, Floats]:
        """Return the covariances left and entered at a change, for a pair of eigenbases."""
        seed = self.eigenbasis_seed + eigenbases
        first, second = rotated_contexts(self.n_neurons, condition, seed, 2)
        low, high = second, self.contrast_step**2 * second
        return {
            "rotation": (first, second),
            "contrast rise": (low, high),
            "contrast fall": (high, low),
        }[change]

    def learning_rates(self, entered: npt.ArrayLike) -> dict[str, float]:
        """Return the learning rates that leave the floor asked for in the context entered."""
        return theory.matched_learning_rates(entered, self.floor)

    @property
    def n_points(self) -> int:
        """Changes, conditions and eigenbases."""
        return len(_CHANGES) * len(self.conditions) * self.n_eigenbases

    def table(self, replicates: Replicates, advance: Callable[[int], object]) -> Table:
        """Return times in samples over (circuit, change, condition, eigenbases)."""
        shape = (len(_CHANGES), len(self.conditions), self.n_eigenbases)
        predicted, rates = (np.full((2, *shape), np.nan) for _ in range(2))
        simulated = np.full((2, replicates.number, *shape[:2], self.n_simulated), np.nan)
        for at in np.ndindex(shape):
            change, condition, eigenbases = _CHANGES[at[0]], self.conditions[at[1]], at[2]
            left, entered = self.contexts(change, condition, eigenbases)
            known = self.learning_rates(entered)
            rates[:, *at] = [known[circuit] for circuit in _CIRCUITS]
            if change == "rotation" or not eigenbases:
                synaptic = [
                    theory.readaptation_time(circuit, left, entered, self.threshold)
                    for circuit in _CIRCUITS
                ]
                predicted[:, *at] = synaptic / rates[:, *at]
            else:  # rises and falls take the same time in any eigenbasis
                predicted[:, *at] = predicted[:, at[0], at[1], 0]
            if eigenbases < self.n_simulated:
                horizon = round(1.5 * predicted[:, *at].max() + 1 / rates[:, *at].min())
                simulated[:, :, *at] = simulated_times(
                    left, entered, known, horizon, self.threshold, replicates, at
                )
            advance(1)
        return _labelled(predicted, rates, simulated, self.conditions)

    @in_style
    def plot(self, dataset: xr.Dataset) -> "Figure | SubFigure":
        """Return the ratio of times over the condition, a panel per change."""
        figure, grid = new_grid(1, len(_CHANGES), sharex=True, sharey=True)
        for ax, change in zip(grid[0], _CHANGES, strict=True):
            self._panel(ax, dataset.sel(change=change))
            ax.set_title(change)
        grid[0, 0].set_ylabel("time of direct / interneuron")
        grid[0, 1].set_xlabel("largest / smallest variance of the inputs")
        entries = grid[0, 0].get_legend_handles_labels()
        figure.legend(*entries, loc="outside lower center", ncols=len(entries[1]))
        return figure

    def _panel(self, ax: "Axes", dataset: xr.Dataset) -> None:
        """Draw one kind of change: every pair of eigenbases, their median, and simulations."""
        colour = circuit_colours(list(_CIRCUITS))["interneuron"]
        conditions = dataset["condition"].values
        ratios = _ratio(dataset["predicted"])
        equal_rates = _ratio(dataset["predicted"] * dataset["learning_rate"])
        grey: dict[str, Any] = {"color": "0.55", "linestyle": "--"}
        ax.axhline(1.0, color="0.8", linewidth=0.8, zorder=0)
        ax.plot(conditions, equal_rates.median("eigenbases"), label="equal rates", **grey)
        ax.plot(conditions, ratios.median("eigenbases"), color=colour, label="equal floors")
        spread = np.broadcast_to(conditions[:, None], ratios.shape)
        ax.plot(spread, ratios, "_", color=colour, alpha=0.5)
        if self.n_simulated:
            medians = _ratio(dataset["simulated"]).median("replicate")
            spread = np.broadcast_to(conditions[:, None], medians.shape)
            dots = ax.plot(spread, medians, "o", color=colour, markerfacecolor="none")
            dots[0].set_label("simulated")
        ax.set(xscale="log", yscale="log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.set_xticks(conditions, [f"{condition:g}" for condition in conditions])
        ax.set_xticks([], minor=True)

    def report(self, dataset: xr.Dataset) -> str:
        """Return the ratios of times: median and range over eigenbases, and simulated."""
        rows = []
        for change, condition in itertools.product(_CHANGES, dataset["condition"].values):
            one = dataset.sel(change=change, condition=condition)
            rows.append((change, f"{condition:g}", *_cells(one)))
        return text_table(
            f"time to an error below {self.threshold:g}, direct / interneuron",
            ("change", "condition", "equal rates", "equal floors", "range", "simulated"),
            rows,
        )


def _labelled(
    predicted: Floats, rates: Floats, simulated: Floats, conditions: tuple[float, ...]
) -> Table:
    by = ("circuit", "change", "condition", "eigenbases")
    by_replicate = ("circuit", "replicate", "change", "condition", "eigenbases_simulated")
    pairs = "number of the pair of eigenbases"
    return Table(
        {
            "circuit": (list(_CIRCUITS), "name of the circuit"),
            "change": (list(_CHANGES), "kind of change"),
            "condition": (list(conditions), "ratio of the largest to the smallest variance"),
            "eigenbases": (np.arange(predicted.shape[-1]), pairs),
            "eigenbases_simulated": (np.arange(simulated.shape[-1]), f"{pairs}, simulated"),
        },
        {
            "predicted": (by, predicted, "predicted samples at equal noise floors"),
            "learning_rate": (by, rates, "learning rate that leaves the floor"),
            "simulated": (
                by_replicate,
                simulated,
                "simulated samples at equal noise floors, NaN where the threshold was not reached",
            ),
        },
    )


def _ratio(times: xr.DataArray) -> xr.DataArray:
    return times.sel(circuit="direct", drop=True) / times.sel(circuit="interneuron", drop=True)


def _cells(one: xr.Dataset) -> Iterator[str]:
    """Yield the numbers of a row: at equal rates, at equal floors, their range, simulated."""
    ratios = _ratio(one["predicted"])
    yield f"{float(_ratio(one['predicted'] * one['learning_rate']).median()):.2f}"
    yield f"{float(ratios.median()):.2f}"
    yield f"{float(ratios.min()):.2f} to {float(ratios.max()):.2f}"
    medians = _ratio(one["simulated"]).median("replicate").values
    yield f"{medians.min():.2f} to {medians.max():.2f}" if medians.size else "-"
