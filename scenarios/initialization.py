"""How long convergence takes from weights of any scale: linear here, logarithmic there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import adaptnet
from adaptnet import DirectCircuit, InterneuronCircuit, theory
from adaptnet.dataset import results
from adaptnet.progress import progress_display
from adaptnet.provenance import provenance
from adaptnet.seeding import child_seed, root_seed
from environments import StationaryEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.base import Scenario, parameter
from scenarios.tables import text_table

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from adaptnet.seeding import Rng

_CIRCUITS = ("direct", "interneuron")
_BASES = ("spectral", "random")
_LARGE = (
    10.0  # scales from which on coefficients are fitted: before them, they are not yet constant
)


@dataclass(frozen=True, kw_only=True)
class Initialization(Scenario):
    """Convergence from initial weights over six decades of scale: closed form, flow, simulation.

    The initial effective weights have the spectrum of the target C^(1/2) times a scale, either in
    its eigenbasis ("spectral", where they commute with C) or in a random one. The largest standard
    deviation of the inputs is 1, so that the scale is the largest initial weight. Simulations from
    tiny weights leave the flow: one sample changes the weights by learning_rate / scale^2.
    """

    n_neurons: int = parameter(3, "primary neurons, interneurons and inputs", above=0, at_most=1000)
    condition: float = parameter(4.0, "largest by smallest variance of the inputs", above=0)
    decades: float = parameter(6.0, "range of scales, around 1", above=0)
    n_scales: int = parameter(12, "scales of the initial weights", above=2, at_most=1000)
    learning_rate: float = parameter(1e-4, "largest eta of the simulations", above=0)
    n_samples: int = parameter(
        300_000, "samples that a simulation takes at least, by a smaller eta, to converge", above=0
    )
    eigenbasis_seed: int = parameter(1, "seed of the eigenbases", above=-1)

    default_replicates: ClassVar[int] = 4
    preview: ClassVar[Mapping[str, Any]] = {
        "decades": 4.0,
        "n_scales": 4,
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

    def _matrices(self) -> "Iterator[tuple[str, Any, Any]]":
        """Yield each kind of start: its name, the covariance, and the start of scale 1."""
        rng = np.random.default_rng(self.eigenbasis_seed)
        basis, other = (random_eigenbasis(self.n_neurons, rng) for _ in range(2))
        covariance = with_spectrum(self._targets**2, basis)
        for name, eigenvectors in zip(_BASES, (basis, other), strict=True):
            yield name, covariance, with_spectrum(self._targets, eigenvectors)

    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: "Rng" = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
    ) -> "xr.Dataset":
        """Return times over (circuit, eigenbasis, scale), by closed form, flow and simulation."""
        n_replicates = self.default_replicates if n_replicates is None else n_replicates
        seed = root_seed(rng)
        half = self.decades / 2
        scales = np.logspace(-half, half, self.n_scales)
        fine = np.logspace(-half, half, 50 * self.n_scales)
        shape = (len(_CIRCUITS), len(_BASES), len(scales))
        flows, rates, ends = (np.full(shape, np.nan) for _ in range(3))
        online = np.full((*shape, n_replicates), np.nan)
        with progress_display(flows.size, progress) as advance:
            for b, (_, covariance, start) in enumerate(self._matrices()):
                for (c, name), (i, scale) in (
                    (circuit, one) for circuit in enumerate(_CIRCUITS) for one in enumerate(scales)
                ):
                    at = (c, b, i)
                    flows[at] = theory.convergence_time(
                        name, covariance, scale * start, self.threshold, closed_form=False
                    )
                    rates[at] = min(self.learning_rate, max(flows[at], 0.1) / self.n_samples)
                    online[at], ends[at] = self._online(
                        name, covariance, scale * start, flows[at], scale, rates[at],
                        n_replicates, child_seed(seed, b, i), n_threads,
                    )  # fmt: skip
                    advance(1)
        s = self._targets
        closed = [
            theory.law_of(name).mode_time(s, fine[:, None] * s, self.threshold).max(axis=1)
            for name in _CIRCUITS
        ]
        by = ("circuit", "eigenbasis", "scale")
        return results(
            "Synaptic time of convergence over the scale of the initial weights",
            {
                "circuit": (list(_CIRCUITS), "name of the circuit"),
                "eigenbasis": (list(_BASES), "eigenbasis of the initial weights"),
                "scale": (scales, "scale of the initial weights by that of their target"),
                "fine_scale": (fine, "scale of the initial weights by that of their target"),
                "replicate": (np.arange(n_replicates), "replicate"),
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
                "followed": (by, ends, "synaptic time that simulations were followed for"),
                "learning_rate": (by, rates, "learning rate of the simulations"),
            },
            {**self.attributes(n_replicates), **provenance(seed)},
        )

    def _online(
        self,
        name: str,
        covariance: "npt.NDArray[np.float64]",
        start: "npt.NDArray[np.float64]",
        expected: float,
        scale: float,
        learning_rate: float,
        n_replicates: int,
        seed: np.random.SeedSequence,
        n_threads: int | None,
    ) -> "tuple[npt.NDArray[np.float64], float]":
        """Return the times to the first error below the threshold, NaN if none is, and the last."""
        circuit: DirectCircuit | InterneuronCircuit
        overshoot = learning_rate / scale**2  # of a first sample's yy', y = x / scale
        if name == "direct":
            circuit = DirectCircuit(initial_weights=start, learning_rate=learning_rate)
        else:
            circuit = InterneuronCircuit(
                initial_weights=np.linalg.cholesky(start), learning_rate=learning_rate
            )
            overshoot = np.log1p(overshoot)
        n_samples = round((1.2 * expected + 5 * overshoot + 0.5) / learning_rate)
        run = adaptnet.simulate(
            {name: circuit},
            StationaryEnvironment(covariance),
            n_samples,
            n_replicates=n_replicates,
            rng=seed,
            record_every=max(1, n_samples // 4000),
            record=["whitening_error"],
            n_threads=n_threads,
            progress=False,
        )
        below = run["whitening_error"].values[0] < self.threshold
        times = run["synaptic_time"].values[0][below.argmax(axis=1)]
        end = float(run["synaptic_time"].values[0, -1])
        return np.where(below.any(axis=1), times, np.nan), end

    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return convergence times over scales, a panel for each kind of start."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10.0, 4.4), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for ax, basis in zip(panels, _BASES, strict=True):
            self._panel(ax, dataset.sel(eigenbasis=basis))
            ax.set_title(f"initial weights in {_TITLES[basis]} eigenbasis", fontsize="medium")
            ax.set_xlabel("scale of the initial weights by that of their target")
        panels[0].set_ylabel(f"synaptic time until the whitening error is below {self.threshold:g}")
        handles, labels = panels[0].get_legend_handles_labels()
        panels[0].legend(handles, labels, loc="upper left", fontsize="small", frameon=False)
        return figure

    def _panel(self, ax: "Axes", dataset: "xr.Dataset") -> None:
        from adaptnet.plotting import circuit_colours

        scale = dataset["scale"].values
        for name, colour in circuit_colours(list(_CIRCUITS)).items():
            one = dataset.sel(circuit=name)
            closed = one["closed_form"].values
            ax.plot(
                dataset["fine_scale"].values,
                np.where(closed > 0, closed, np.nan),
                color=colour,
                linewidth=1.3,
                label=f"{name}, closed form (spectral)",
            )
            ax.plot(scale, one["flow"], "o", color=colour, markerfacecolor="none", markersize=9,
                    label=f"{name}, flow integrated")  # fmt: skip
            online = one["online"].transpose("scale", "replicate").values
            at, _ = np.nonzero(np.isfinite(online))
            ax.plot(scale[at], online[np.isfinite(online)], ".", color=colour, markersize=6,
                    label=f"{name}, simulated, each replicate")  # fmt: skip
            missing = np.isnan(online).any(axis=1)
            if missing.any():
                ax.plot(scale[missing], one["followed"].values[missing], "^", color=colour,
                        label=f"{name}, simulated, some not there yet")  # fmt: skip
        ax.set(xscale="log", yscale="log")

    def report(self, dataset: "xr.Dataset") -> str:
        """Return the fitted coefficients of large scales beside those of theory."""
        scale = dataset["scale"].values
        large = scale >= _LARGE
        rows = []
        if large.sum() > 1:
            sources = {"flow": dataset["flow"], "simulated": dataset["online"].median("replicate")}
            for basis in _BASES:
                for source, times in sources.items():
                    for name, of, theirs in (
                        ("direct", scale, 1.0),
                        ("interneuron", np.log(scale), 0.5),
                    ):
                        values = times.sel(circuit=name, eigenbasis=basis).values[large]
                        slope = np.polyfit(of[large], values, 1)[0]
                        of_what = "scale" if name == "direct" else "ln(scale)"
                        rows.append((basis, source, name, of_what, f"{slope:.4f}", f"{theirs:g}"))
        return text_table(
            f"synaptic time until the whitening error is below {self.threshold:g}: "
            f"coefficients fitted to scales from {_LARGE:g} on",
            ("eigenbasis", "source", "circuit", "of", "fitted", "theory"),
            rows,
        )


_TITLES = {"spectral": "the inputs'", "random": "a random"}
