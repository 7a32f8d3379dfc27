"""Which circuit readapts first, and by how much: maps over the old and the new scale of inputs."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet import theory
from adaptnet.plotting.figures import new_grid
from adaptnet.plotting.style import in_style
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.parameters import parameter
from scenarios.single_change import matched_rate, simulated_times
from scenarios.tables import Replicates, Table, TableScenario
from scenarios.text import text_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure

_CIRCUITS = ("direct", "interneuron")
_FLOORS_BELOW = 4.0  # simulated circuits learn so slowly that their floor is threshold / this
_KINDS = {"rates": "equal learning rates", "floors": "equal noise floors"}

Floats = npt.NDArray[np.float64]


class _Simulated(NamedTuple):
    """Times over (circuit, replicate), in synaptic time of the direct circuit."""

    equal_rates: Floats
    equal_floors: Floats


@dataclass(frozen=True, kw_only=True)
class ReadaptationMap(TableScenario):
    """Readaptation times over the scales of the old and the new spectrum: who wins where.

    Contexts share the shape of their spectrum; its scale, the geometric mean of the standard
    deviations along the eigenvectors, goes from `lowest` to `highest` before and after a switch.
    Theory covers the whole map, simulations a grid of points in it. One map compares the circuits
    at equal learning rates, the other at equal noise floors in the context entered. The learning
    rates of a point are such that the threshold is well above the noise.
    """

    n_neurons: int = parameter(2, "primary neurons, interneurons and inputs", above=0, at_most=1000)
    condition: float = parameter(
        4.0, "ratio of the largest to the smallest variance of a context", above=0
    )
    lowest: float = parameter(0.1, "smallest scale of the inputs", above=0)
    highest: float = parameter(10.0, "largest scale of the inputs", above=0)
    rotated: bool = parameter(False, "whether the eigenbasis changes as well (slower)")
    n_theory: int = parameter(61, "scales in the map of theory", above=1, at_most=1000)
    n_simulated: int = parameter(5, "scales at which circuits are simulated", above=0, at_most=1000)
    learning_rate: float = parameter(5e-5, "largest eta of the simulations", above=0)
    eigenbasis_seed: int = parameter(1, "seed of the eigenbases", above=-1)

    default_replicates: ClassVar[int] = 10
    table_title: ClassVar[str] = (
        "Synaptic time of readaptation over the old and the new scale of the inputs"
    )
    preview: ClassVar[Mapping[str, Any]] = {
        "threshold": 0.3,
        "lowest": 0.3,
        "highest": 3.0,
        "n_theory": 9,
        "n_simulated": 2,
        "learning_rate": 1e-3,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lowest < self.highest:
            raise ValueError(f"highest must be above lowest, {self.lowest:g}, got {self.highest:g}")

    def _contexts(self, old: float, new: float) -> tuple[Floats, Floats]:
        """Return the covariances left and entered."""
        shape = np.geomspace(1.0, self.condition, self.n_neurons)
        shape /= np.exp(np.log(shape).mean())
        rng = np.random.default_rng(self.eigenbasis_seed)
        basis, other = (random_eigenbasis(self.n_neurons, rng) for _ in range(2))
        return (
            with_spectrum(old**2 * shape, basis),
            with_spectrum(new**2 * shape, other if self.rotated else basis),
        )

    @property
    def n_points(self) -> int:
        """Pairs of scales at which circuits are simulated."""
        return self.n_simulated**2

    def table(self, replicates: Replicates, advance: Callable[[int], object]) -> Table:
        """Return times over (circuit, old, new), by theory and, at some scales, by simulation."""
        fine = np.geomspace(self.lowest, self.highest, self.n_theory)
        edges = np.geomspace(self.lowest, self.highest, 2 * self.n_simulated + 1)
        coarse = edges[1::2]  # as far inside the map as from each other, at both ends half of it
        shape = (len(_CIRCUITS), replicates.number, len(coarse), len(coarse))
        simulated = {kind: np.full(shape, np.nan) for kind in _KINDS}
        points = self._theory(coarse)
        rates = np.full((len(coarse), len(coarse)), np.nan)
        for i, j in itertools.product(range(len(coarse)), repeat=2):
            if points[:, i, j].all():  # else there is nothing to readapt to
                contexts = self._contexts(coarse[i], coarse[j])
                rates[i, j] = self._learning_rate(contexts[1])
                times = self._simulated(contexts, points[:, i, j], rates[i, j], replicates, (i, j))
                simulated["rates"][..., i, j], simulated["floors"][..., i, j] = times
            advance(1)
        scales = "scale (geometric mean standard deviation) of the inputs"
        at_points = ("old_simulated", "new_simulated")
        by_replicate = ("circuit", "replicate", *at_points)
        rate_meaning = "learning rate of interneurons over that of the direct circuit, equal floors"
        return Table(
            {
                "circuit": (list(_CIRCUITS), "name of the circuit"),
                "old": (fine, f"old {scales}"),
                "new": (fine, f"new {scales}"),
                "old_simulated": (coarse, f"old {scales}, simulated"),
                "new_simulated": (coarse, f"new {scales}, simulated"),
            },
            {
                "theory": (
                    ("circuit", "old", "new"),
                    self._theory(fine),
                    "predicted synaptic time",
                ),
                "theory_at_points": (
                    ("circuit", *at_points),
                    points,
                    "predicted synaptic time where circuits are simulated",
                ),
                "matched_rate": (("new",), self._matched(fine), rate_meaning),
                "matched_rate_at_points": (("new_simulated",), self._matched(coarse), rate_meaning),
                "simulated": (
                    by_replicate,
                    simulated["rates"],
                    "simulated synaptic time, NaN where the threshold was not reached",
                ),
                "simulated_floors": (
                    by_replicate,
                    simulated["floors"],
                    "simulated time at equal floors, in synaptic time of the direct circuit, NaN "
                    "where the threshold was not reached",
                ),
                "learning_rate": (
                    at_points,
                    rates,
                    "learning rate of the direct circuit in the simulations",
                ),
            },
        )

    def _theory(self, scales: Floats) -> Floats:
        """Return predicted times over (circuit, old, new)."""
        pairs = itertools.product(scales, repeat=2)
        times = [
            [theory.readaptation_time(circuit, *contexts, self.threshold) for circuit in _CIRCUITS]
            for contexts in itertools.starmap(self._contexts, pairs)
        ]
        return np.reshape(times, (len(scales), len(scales), 2)).transpose(2, 0, 1)

    def _matched(self, scales: Floats) -> Floats:
        """Return the ratio of learning rates that leaves equal floors in each context entered."""
        return np.array([matched_rate(self._contexts(scale, scale)[1]) for scale in scales])

    def _learning_rate(self, entered: Floats) -> float:
        """Return the rate at which the noisier circuit's floor is well below the threshold."""
        floor = max(theory.noise_floor(c, entered, 1.0).whitening_error for c in _CIRCUITS)
        return min(self.learning_rate, (self.threshold / _FLOORS_BELOW / floor) ** 2)

    def _simulated(
        self,
        contexts: tuple[Floats, Floats],
        expected: Floats,
        learning_rate: float,
        replicates: Replicates,
        key: tuple[int, int],
    ) -> _Simulated:
        """Return the times from simulations that begin adapted."""
        matched = matched_rate(contexts[1])
        factors = {"direct": 1.0, "interneuron": 1.0, "matched": matched}
        longest = max(*expected, expected[1] / matched)
        samples = simulated_times(
            *contexts,
            {name: factor * learning_rate for name, factor in factors.items()},
            round((1.5 * longest + 1) / learning_rate),
            self.threshold,
            replicates,
            key,
        )
        return _Simulated(learning_rate * samples[[0, 1]], learning_rate * samples[[0, 2]])

    @in_style
    def plot(self, dataset: xr.Dataset) -> "Figure | SubFigure":
        """Return maps of the ratio of times, the simulated points in the same colours."""
        figure, grid = new_grid(1, 2, sharey=True, sharex=True)
        ratios = _ratios(dataset)
        known = np.concatenate([ratio[np.isfinite(ratio)] for ratio in ratios.values()])
        span = float(np.abs(np.log10(known)).max(initial=0.1))
        # Purple for interneurons, orange for direct connections; white where they tie.
        colours: dict[str, Any] = {
            "norm": "log",
            "cmap": "PuOr",
            "vmin": 10**-span,
            "vmax": 10**span,
        }
        for ax, (kind, title) in zip(grid[0], _KINDS.items(), strict=True):
            picture = self._map(ax, dataset, ratios[kind], _medians(dataset)[kind], colours)
            ax.set_title(title)
        grid[0, 0].set_ylabel("new scale of the inputs")
        figure.supxlabel("old scale of the inputs", fontsize="medium")
        bar = figure.colorbar(picture, ax=grid[0].tolist())
        _label_scales(bar.ax.yaxis)
        bar.set_label("time of direct / interneuron")
        # At the ends of the scale, whose sides are the signs, and not on the maps, where either
        # region may be small or missing.
        bar.ax.set_title("interneurons\nfaster", fontsize="small")
        bar.ax.set_xlabel("direct\nfaster", fontsize="small")
        return figure

    def _map(
        self, ax: "Axes", dataset: xr.Dataset, ratio: Floats, simulated: Floats, colours: Any
    ) -> Any:
        """Draw one map and its simulated points."""
        old, new = dataset["old"].values, dataset["new"].values
        # Rasterised: thousands of cells would make a slow vector graphic with gaps between them.
        picture = ax.pcolormesh(old, new, ratio.T, shading="nearest", rasterized=True, **colours)
        ax.contour(old, new, ratio.T, levels=[1.0], colors="0.15", linewidths=0.8)
        i, j = np.nonzero(np.isfinite(simulated))
        at_old, at_new = dataset["old_simulated"].values[i], dataset["new_simulated"].values[j]
        dots: dict[str, Any] = {"s": 22, "edgecolors": "0.15", "linewidths": 0.5, "zorder": 3}
        ax.scatter(at_old, at_new, c=simulated[i, j], **dots, **colours)
        ax.set(xscale="log", yscale="log")
        ax.set_box_aspect(1)
        for axis in (ax.xaxis, ax.yaxis):
            _label_scales(axis)
        return picture

    def report(self, dataset: xr.Dataset) -> str:
        """Return predicted and simulated ratios, one line per simulated point."""
        medians = _medians(dataset)
        predicted = _ratios(dataset, "_at_points")
        rows, agree = [], []
        for i, j in zip(*np.nonzero(np.isfinite(medians["rates"])), strict=True):
            pairs = [(predicted[kind][i, j], medians[kind][i, j]) for kind in _KINDS]
            agree += [(expected > 1) == (found > 1) for expected, found in pairs]
            scales = (dataset[f"{name}_simulated"].values for name in ("old", "new"))
            rows.append(
                (
                    *(f"{scale[k]:.3g}" for scale, k in zip(scales, (i, j), strict=True)),
                    *(f"{value:.3f}" for pair in pairs for value in pair),
                )
            )
        share = f"theory names the faster circuit in {sum(agree)} of {len(agree)} cases"
        return text_table(
            f"time to an error below {self.threshold:g}, direct / interneuron; {share}",
            (
                "old",
                "new",
                "equal rates",
                "simulated",
                "equal floors",
                "simulated",
            ),
            rows,
        )


def _label_scales(axis: "Axis") -> None:
    """Label 1, 2 and 5 times powers of ten in plain numbers, or decades alone if there are many."""
    low, high = axis.get_view_interval()
    steps = (1.0, 2.0, 5.0) if high / low < 70 else (1.0,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set_ticks(shown, [f"{tick:g}" for tick in shown])
    axis.set_ticks([], minor=True)


def _ratios(dataset: xr.Dataset, where: str = "") -> dict[str, Floats]:
    """Return the predicted ratios of times (old, new); NaN where a switch does no harm."""
    direct, interneuron = dataset[f"theory{where}"].transpose("circuit", ...).values
    harmful = (direct > 0) & (interneuron > 0)
    ratio = np.divide(direct, interneuron, out=np.full_like(direct, np.nan), where=harmful)
    return {"rates": ratio, "floors": ratio * dataset[f"matched_rate{where}"].values}


def _medians(dataset: xr.Dataset) -> dict[str, Floats]:
    """Return the medians of the simulated ratios, paired by replicate; NaN if not reached."""
    medians = {}
    for kind, name in (("rates", "simulated"), ("floors", "simulated_floors")):
        times = dataset[name].transpose("circuit", "replicate", ...).values
        medians[kind] = np.median(times[0] / times[1], axis=0)
    return medians
