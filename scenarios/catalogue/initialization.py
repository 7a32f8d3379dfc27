"""How long convergence takes from initial weights of any scale: linear or logarithmic."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adaptnet import Circuit, DirectCircuit, InterneuronCircuit, theory
from adaptnet.plotting import circuit_colours
from adaptnet.plotting.figures import new_grid
from adaptnet.plotting.style import in_style
from environments import StationaryEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.parameters import parameter
from scenarios.tables import Replicates, Table, TableScenario
from scenarios.text import text_table

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_CIRCUITS = ("direct", "interneuron")
_TITLES = {"spectral": "the inputs'", "random": "a random"}  # eigenbases of the initial weights
_LARGE = 10.0  # scales from which on coefficients are fitted: before, they are not yet constant


@dataclass(frozen=True, kw_only=True)
class Initialization(TableScenario):
    """Convergence from initial weights over six decades of scale: closed form, flow, simulation.

    The initial effective weights have the spectrum of the target C^(1/2) times a scale, either in
    its eigenbasis ("spectral", where they commute with C) or in a random one. The largest standard
    deviation of the inputs is 1, so that the scale is the largest initial weight. Simulations from
    tiny weights leave the flow: one sample changes the weights by learning_rate / scale^2.
    """

    n_neurons: int = parameter(3, "primary neurons, interneurons and inputs", above=0, at_most=1000)
    condition: float = parameter(
        4.0, "ratio of the largest to the smallest variance of the inputs", above=0
    )
    decades: float = parameter(6.0, "range of scales, around 1", above=0, at_most=24.0)
    n_scales: int = parameter(12, "scales of the initial weights", above=2, at_most=1000)
    learning_rate: float = parameter(2e-4, "largest eta of the simulations", above=0)
    n_samples: int = parameter(
        300_000, "least samples of a simulation: a smaller eta makes it as long", above=0
    )
    eigenbasis_seed: int = parameter(1, "seed of the eigenbases", above=-1)

    default_replicates: ClassVar[int] = 4
    table_title: ClassVar[str] = "Synaptic time of convergence over the scale of initial weights"
    preview: ClassVar[Mapping[str, Any]] = {
        "decades": 4.0,
        "n_scales": 6,
        "learning_rate": 1e-3,
        "n_samples": 5000,
        "threshold": 0.3,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.threshold < 1:
            raise ValueError(f"threshold must be below 1, got {self.threshold:g}")

    @property
    def _targets(self) -> "npt.NDArray[np.float64]":
        """Standard deviations of the inputs along the eigenvectors, the largest of them 1."""
        return np.sqrt(np.geomspace(1 / self.condition, 1, self.n_neurons))

    @property
    def n_points(self) -> int:
        """Circuits times scales."""
        return len(_CIRCUITS) * self.n_scales

    def table(self, replicates: Replicates, advance: Callable[[int], object]) -> Table:
        """Return times over (circuit, eigenbasis, scale), by closed form, flow and simulation."""
        half, s = self.decades / 2, self._targets
        scales = np.logspace(-half, half, self.n_scales)
        fine = np.logspace(-half, half, 50 * self.n_scales)
        rng = np.random.default_rng(self.eigenbasis_seed)
        bases = [random_eigenbasis(self.n_neurons, rng) for _ in _TITLES]
        covariance = with_spectrum(s**2, bases[0])
        starts = [with_spectrum(s, basis) for basis in bases]
        flows = np.full((len(_CIRCUITS), len(_TITLES), len(scales)), np.nan)
        online = np.full((*flows.shape, replicates.number), np.nan)
        rates, ends = (np.full((len(_CIRCUITS), len(scales)), np.nan) for _ in range(2))
        for c, name in enumerate(_CIRCUITS):
            for i, scale in enumerate(scales):
                scaled = [scale * start for start in starts]
                flows[c, :, i] = [
                    theory.convergence_time(
                        name, covariance, start, self.threshold, closed_form=False
                    )
                    for start in scaled
                ]
                expected = float(flows[c, :, i].max())
                rates[c, i] = min(self.learning_rate, max(expected, 0.1) / self.n_samples)
                overshoot = rates[c, i] / scale**2  # of a first sample's yy', y = x / scale
                if name == "interneuron":
                    overshoot = np.log1p(overshoot)
                ends[c, i] = 1.05 * expected + 3 * overshoot + 0.3
                # Both starts see the same samples: half the work, and compared in pairs.
                run = replicates.simulate(
                    {
                        basis: _circuit(name, start, rates[c, i])
                        for basis, start in zip(_TITLES, scaled, strict=True)
                    },
                    StationaryEnvironment(covariance),
                    round(ends[c, i] / rates[c, i]),
                    key=(c, i),
                    n_records=4000,
                )
                below = run["whitening_error"].values < self.threshold
                times = rates[c, i] * run["sample"].values[below.argmax(axis=2)]
                online[c, :, i] = np.where(below.any(axis=2), times, np.nan)
                advance(1)
        closed = [
            theory.mode_law_of(name).mode_time(s, fine[:, None] * s, self.threshold).max(axis=1)
            for name in _CIRCUITS
        ]
        by = ("circuit", "eigenbasis", "scale")
        return Table(
            {
                "circuit": (list(_CIRCUITS), "name of the circuit"),
                "eigenbasis": (list(_TITLES), "eigenbasis of the initial weights"),
                "scale": (
                    scales,
                    "ratio of the scale of the initial weights to that of their target",
                ),
                "fine_scale": (
                    fine,
                    "ratio of the scale of the initial weights to that of their target",
                ),
            },
            {
                "closed_form": (
                    ("circuit", "fine_scale"),
                    closed,
                    "synaptic time by the closed form, spectral eigenbasis",
                ),
                "flow": (by, flows, "synaptic time by integration of the flow"),
                "online": (
                    (*by, "replicate"),
                    online,
                    "simulated synaptic time, NaN where the threshold was not reached",
                ),
                "followed": (
                    ("circuit", "scale"),
                    ends,
                    "synaptic time at which simulations ended",
                ),
                "learning_rate": (("circuit", "scale"), rates, "learning rate of the simulations"),
            },
        )

    @in_style
    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return convergence times over scales, a panel for each kind of start."""
        figure, grid = new_grid(1, 2, sharey=True)
        for ax, (basis, title) in zip(grid[0], _TITLES.items(), strict=True):
            self._panel(ax, dataset.sel(eigenbasis=basis))
            ax.set_title(f"start in {title} eigenbasis", fontsize="medium")
            ax.legend(loc="upper left", fontsize="small", frameon=False)
        figure.supxlabel("scale of the initial weights, by that of their target", fontsize="medium")
        grid[0, 0].set_ylabel(f"synaptic time to an error below {self.threshold:g}")
        return figure

    def _panel(self, ax: "Axes", dataset: "xr.Dataset") -> None:
        """Draw one kind of start; colours are explained in its panel, markers in the other."""
        scale = dataset["scale"].values
        spectral = dataset["eigenbasis"].item() == "spectral"
        for name, colour in circuit_colours(list(_CIRCUITS)).items():
            one = dataset.sel(circuit=name)
            closed = one["closed_form"].values
            ax.plot(dataset["fine_scale"].values, np.where(closed > 0, closed, np.nan),
                    color=colour, label=name if spectral else None)  # fmt: skip
            ax.plot(scale, one["flow"], "o", color=colour, markerfacecolor="none")
            online = one["online"].transpose("scale", "replicate").values
            at, _ = np.nonzero(np.isfinite(online))
            ax.plot(scale[at], online[np.isfinite(online)], ".", color=colour)
            missing = np.isnan(online).any(axis=1)
            ax.plot(scale[missing], one["followed"].values[missing], "^", color=colour)
        if not spectral:
            grey: dict[str, Any] = {"color": "0.3", "linestyle": "none"}
            ax.plot([], [], color="0.3", label="closed form (left panel)")
            ax.plot([], [], marker="o", markerfacecolor="none", label="flow", **grey)
            ax.plot([], [], marker=".", label="simulated", **grey)
            ax.plot([], [], marker="^", label="some not reached", **grey)
        ax.set(xscale="log", yscale="log")

    def report(self, dataset: "xr.Dataset") -> str:
        """Return the fitted coefficients of large scales beside those of theory."""
        title = f"synaptic time until the whitening error is below {self.threshold:g}"
        large = dataset.isel(scale=np.flatnonzero(dataset["scale"].values >= _LARGE))
        if large.sizes["scale"] < 2:
            return f"{title}: coefficients need at least two scales from {_LARGE:g} on to be fitted"
        return text_table(
            f"{title}: coefficients fitted to scales from {_LARGE:g} on",
            ("eigenbasis", "source", "circuit", "of", "fitted", "theory"),
            list(_coefficients(large)),
        )


def _coefficients(dataset: "xr.Dataset") -> Iterator[tuple[str, ...]]:
    """Yield a row per eigenbasis, source and circuit: what its times grow with, and how fast."""
    scale = dataset["scale"].values
    sources = {"flow": dataset["flow"], "simulated": dataset["online"].median("replicate")}
    growth = {"direct": ("scale", scale, 1.0), "interneuron": ("ln(scale)", np.log(scale), 0.5)}
    for basis, (source, times) in itertools.product(_TITLES, sources.items()):
        for name, (grows_with, values, theirs) in growth.items():
            slope = np.polyfit(values, times.sel(circuit=name, eigenbasis=basis).values, 1)[0]
            yield basis, source, name, grows_with, f"{slope:.4f}", f"{theirs:g}"


def _circuit(name: str, start: "npt.NDArray[np.float64]", learning_rate: float) -> Circuit:
    if name == "direct":
        return DirectCircuit(initial_weights=start, learning_rate=learning_rate)
    return InterneuronCircuit(
        initial_weights=np.linalg.cholesky(start), learning_rate=learning_rate
    )
