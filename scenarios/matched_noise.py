"""Is the faster circuit merely the noisier one? The race again, at equal precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adaptnet import Circuit, DirectCircuit, InterneuronCircuit, theory
from environments import Environment, SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.base import SimulationScenario, parameter
from scenarios.tables import readaptation_table, text_table

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

_PAIRS = {"equal learning rates": "interneuron", "equal noise floors": "interneuron_matched"}


@dataclass(frozen=True, kw_only=True)
class MatchedNoise(SimulationScenario):
    """Switches at equal learning rates, and at learning rates that leave equal noise floors.

    Four blocks: a context; its spectrum in another eigenbasis; that context at a higher contrast;
    and back. At equal learning rates the circuit with interneurons is the noisier one; a second
    one learns so much slower that, at the low contrast, it is as precise as the direct circuit.
    """

    n_neurons: int = parameter(5, "primary neurons, interneurons and inputs", above=1, at_most=1000)
    condition: float = parameter(10.0, "largest by smallest variance of a context", above=1)
    contrast_step: float = parameter(10.0, "factor by which inputs grow, then shrink", above=1)
    floor: float = parameter(
        0.06, "root mean square Frobenius error of the circuits matched, once converged", above=0
    )
    block_length: int = parameter(400_000, "samples between switches", above=0)
    records_per_block: int = parameter(500, "records of the error in each block", above=0)
    eigenbasis_seed: int = parameter(1, "seed of the two eigenbases", above=-1)

    preview: ClassVar[Mapping[str, Any]] = {
        "floor": 0.3,
        "threshold": 0.4,
        "block_length": 8000,
        "records_per_block": 100,
    }

    def _contexts(self) -> "list[Any]":
        spectrum = np.geomspace(1.0, self.condition, self.n_neurons)
        spectrum /= spectrum.mean()
        rng = np.random.default_rng(self.eigenbasis_seed)
        first, rotated = (
            with_spectrum(spectrum, random_eigenbasis(self.n_neurons, rng)) for _ in range(2)
        )
        return [first, rotated, rotated * self.contrast_step**2]

    def environment(self) -> Environment:
        """Return the three contexts in four blocks."""
        return SwitchingEnvironment(
            self._contexts(),
            block_length=self.block_length,
            order=[0, 1, 2, 1],
            context_names=["first", "rotated", "rotated_high_contrast"],
        )

    def circuits(self) -> dict[str, Circuit]:
        """Return the direct circuit, and two with interneurons: as fast, and as precise."""
        rates = theory.matched_learning_rates(self._contexts()[0], self.floor)
        return {
            "direct": DirectCircuit(learning_rate=rates["direct"]),
            "interneuron": InterneuronCircuit(learning_rate=rates["direct"]),
            "interneuron_matched": InterneuronCircuit(learning_rate=rates["interneuron"]),
        }

    @property
    def n_samples(self) -> int:
        """Samples a replicate: four blocks."""
        return 4 * self.block_length

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.block_length // self.records_per_block)

    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return the errors at equal learning rates beside those at equal noise floors."""
        from matplotlib.figure import Figure

        from adaptnet import plot_readaptation

        figure = Figure(figsize=(11.0, 4.0), layout="constrained")
        for ax, (title, name) in zip(
            figure.subplots(1, 2, sharey=True), _PAIRS.items(), strict=True
        ):
            plot_readaptation(dataset.sel(circuit=["direct", name]), self.threshold, ax=ax)
            ax.set_title(title)
        return figure

    def report(self, dataset: "xr.Dataset") -> str:
        """Return readaptation times, how much of the lead remains, and how precise all were."""
        from adaptnet import readaptation_times
        from adaptnet.readaptation import summary

        medians = summary(readaptation_times(dataset, self.threshold))["median"]
        names = dataset["context"].attrs["flag_meanings"].split()
        leads, floors = [], []
        for i, at in enumerate(dataset["change_sample"].values):
            change = " -> ".join(
                names[int(dataset[key][i])] for key in ("context_left", "context_entered")
            )
            one = medians.isel(change=i)
            direct = float(one.sel(circuit="direct"))
            leads.append(
                (change, *(f"{direct / float(one.sel(circuit=c)):.2f}" for c in _PAIRS.values()))
            )
            end = slice(at + 3 * self.block_length // 4, at + self.block_length - 1)
            settled = (dataset["frobenius_error"].sel(sample=end) ** 2).mean(
                ("sample", "replicate")
            ) ** 0.5
            for name in dataset["circuit"].values:
                predicted = dataset["frobenius_error_floor"].sel(circuit=name).isel(change=i)
                floors.append(
                    (change, name, f"{float(predicted):.4f}", f"{settled.sel(circuit=name):.4f}")
                )
        return "\n\n".join(
            (
                readaptation_table(dataset, self.threshold),
                text_table(
                    "direct circuit's median time by that of the circuit with interneurons "
                    "(floors are equal at the low contrast)",
                    ("change", *_PAIRS),
                    leads,
                ),
                text_table(
                    "root mean square Frobenius error in the last quarter of a block",
                    ("change", "circuit", "predicted floor", "simulated"),
                    floors,
                ),
            )
        )
