"""Which circuit readapts first, and by how much: a map over the old and the new scale of inputs."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adaptnet import DirectCircuit, InterneuronCircuit, readaptation_times, theory
from environments import SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.parameters import parameter
from scenarios.tables import Replicates, Table, TableScenario
from scenarios.text import text_table

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

_CIRCUITS = ("direct", "interneuron")
_FLOORS_BELOW = 4.0  # simulated circuits learn so slowly that their floor is threshold / this


@dataclass(frozen=True, kw_only=True)
class ReadaptationMap(TableScenario):
    """Readaptation times over the scales of the old and the new spectrum: who wins where.

    Contexts share the shape of their spectrum; its scale, the geometric mean of the standard
    deviations along the eigenvectors, goes from `lowest` to `highest` before and after a switch.
    Theory covers the whole map, simulations a grid of points in it. The learning rate of a point,
    the same for both circuits, is such that the threshold is well above the noise.
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

    def _contexts(self, old: float, new: float) -> "tuple[Any, Any]":
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
        predicted = np.full((2, len(fine), len(fine)), np.nan)
        points = np.full((2, len(coarse), len(coarse)), np.nan)
        simulated = np.full((2, replicates.number, len(coarse), len(coarse)), np.nan)
        rates = np.full((len(coarse), len(coarse)), np.nan)
        for i, j in itertools.product(range(len(fine)), repeat=2):
            predicted[:, i, j] = self._predicted(*self._contexts(fine[i], fine[j]))
        for i, j in itertools.product(range(len(coarse)), repeat=2):
            contexts = self._contexts(coarse[i], coarse[j])
            points[:, i, j] = self._predicted(*contexts)
            if points[:, i, j].all():  # else there is nothing to readapt to
                rates[i, j] = self._learning_rate(contexts[1])
                simulated[:, :, i, j] = self._simulated(
                    contexts, float(points[:, i, j].max()), rates[i, j], replicates, (i, j)
                )
            advance(1)
        scales = "scale (geometric mean standard deviation) of the inputs"
        at_points = ("old_simulated", "new_simulated")
        return Table(
            {
                "circuit": (list(_CIRCUITS), "name of the circuit"),
                "old": (fine, f"old {scales}"),
                "new": (fine, f"new {scales}"),
                "old_simulated": (coarse, f"old {scales}, simulated"),
                "new_simulated": (coarse, f"new {scales}, simulated"),
            },
            {
                "theory": (("circuit", "old", "new"), predicted, "predicted synaptic time"),
                "theory_at_points": (
                    ("circuit", *at_points),
                    points,
                    "predicted synaptic time where circuits are simulated",
                ),
                "simulated": (
                    ("circuit", "replicate", *at_points),
                    simulated,
                    "simulated synaptic time, NaN where the threshold was not reached",
                ),
                "learning_rate": (at_points, rates, "learning rate of the simulations"),
            },
        )

    def _predicted(self, left: "npt.ArrayLike", entered: "npt.ArrayLike") -> list[float]:
        return [theory.readaptation_time(c, left, entered, self.threshold) for c in _CIRCUITS]

    def _learning_rate(self, entered: "npt.ArrayLike") -> float:
        """Return the rate at which the noisier circuit's floor is well below the threshold."""
        floor = max(theory.noise_floor(c, entered, 1.0).whitening_error for c in _CIRCUITS)
        return min(self.learning_rate, (self.threshold / _FLOORS_BELOW / floor) ** 2)

    def _simulated(
        self,
        contexts: "tuple[Any, Any]",
        longest: float,
        learning_rate: float,
        replicates: Replicates,
        key: tuple[int, int],
    ) -> "npt.NDArray[np.float64]":
        """Return the times (circuit, replicate) from simulations that begin adapted."""
        variances, basis = np.linalg.eigh(contexts[0])
        root = with_spectrum(np.sqrt(variances), basis)
        circuits = {
            "direct": DirectCircuit(initial_weights=root, learning_rate=learning_rate),
            "interneuron": InterneuronCircuit(
                initial_weights=basis * variances**0.25, learning_rate=learning_rate
            ),
        }
        settling = round(1 / learning_rate)
        horizon = round((1.5 * longest + 1) / learning_rate)
        run = replicates.simulate(
            circuits,
            SwitchingEnvironment(contexts, block_length=settling, order=[0, 1]),
            settling + horizon,
            key=key,
            n_records=4000 * (settling + horizon) // horizon,
        )
        times = readaptation_times(run, self.threshold).isel(change=0)
        reached = times["samples"].where(times["observed"]).transpose("circuit", "replicate")
        return learning_rate * np.asarray(reached.values, dtype=np.float64)

    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return the map of the ratio of times, the simulated points in the same colours."""
        import matplotlib as mpl
        from matplotlib.colors import LogNorm
        from matplotlib.figure import Figure

        direct, interneuron = dataset["theory"].transpose("circuit", "old", "new").values
        # Where a switch does no harm there is no ratio of times.
        ratio = np.divide(
            direct, interneuron, out=np.full_like(direct, np.nan), where=interneuron > 0
        )
        old, new = dataset["old"].values, dataset["new"].values
        span = float(np.nanmax(np.abs(np.log10(ratio[ratio > 0]))))
        norm = LogNorm(10**-span, 10**span)
        width = mpl.rcParams["figure.figsize"][0]
        figure = Figure(figsize=(width, 0.8 * width), layout="constrained")
        ax = figure.subplots()
        # Purple for interneurons, orange for direct connections; white where they tie.
        colours: dict[str, Any] = {"norm": norm, "cmap": "PuOr"}
        picture = ax.pcolormesh(old, new, ratio.T, shading="nearest", **colours)
        ax.contour(old, new, ratio.T, levels=[1.0], colors="0.15", linewidths=1.2)
        ax.text(0.4, 0.79, "interneurons faster", transform=ax.transAxes, ha="center",
                color="white")  # fmt: skip
        if np.isnan(ratio).any():
            # As wide as the cells along the diagonal, which are as many points wide by about this.
            ax.plot(old, old, color="white", linewidth=65 * width / self.n_theory)
            ax.text(0.7, 0.6, "no change", transform=ax.transAxes, color="white")
        if np.nanmin(ratio) < 1:
            ax.text(0.13, 0.025, "direct faster", transform=ax.transAxes)
        simulated = self._medians(dataset)
        i, j = np.nonzero(np.isfinite(simulated))
        ax.scatter(
            dataset["old_simulated"].values[i],
            dataset["new_simulated"].values[j],
            c=simulated[i, j],
            s=90,
            edgecolors="0.15",
            linewidths=0.8,
            zorder=3,
            **colours,
        )
        ax.set(xscale="log", yscale="log", xlabel="old scale of the inputs (their units)")
        ax.set_ylabel("new scale of the inputs (their units)")
        ax.set_title("Time to readapt, direct / interneuron; circles: simulated", fontsize="medium")
        bar = figure.colorbar(picture, ax=ax)
        bar.set_label("ratio of times: below 1 the direct circuit is faster")
        return figure

    def _medians(self, dataset: "xr.Dataset") -> "npt.NDArray[np.float64]":
        """Return the medians of the simulated ratios, paired by replicate; NaN if not reached."""
        times = dataset["simulated"].transpose("circuit", "replicate", ...).values
        medians: npt.NDArray[np.float64] = np.median(times[0] / times[1], axis=0)
        return medians

    def report(self, dataset: "xr.Dataset") -> str:
        """Return predicted and simulated ratios, one line per simulated point."""
        predicted = dataset["theory_at_points"].transpose("circuit", ...).values
        simulated = self._medians(dataset)
        rows, agree = [], []
        for i, j in zip(*np.nonzero(np.isfinite(simulated)), strict=True):
            expected = predicted[0, i, j] / predicted[1, i, j]
            agree.append((expected > 1) == (simulated[i, j] > 1))
            rows.append(
                (
                    f"{dataset['old_simulated'].values[i]:.3g}",
                    f"{dataset['new_simulated'].values[j]:.3g}",
                    f"{expected:.3f}",
                    f"{simulated[i, j]:.3f}",
                    "direct" if simulated[i, j] < 1 else "interneuron",
                )
            )
        share = f"theory names the faster circuit in {sum(agree)} of {len(agree)} points"
        return text_table(
            f"time to an error below {self.threshold:g}, direct / interneuron; {share}",
            ("old scale", "new scale", "theory", "simulated", "faster"),
            rows,
        )
