"""Is the faster circuit merely the noisier one? The race again, at equal precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from adaptnet import Circuit, DirectCircuit, InterneuronCircuit, theory
from environments import Environment, SwitchingEnvironment
from scenarios.parameters import parameter
from scenarios.shared import Rotated
from scenarios.text import readaptation_table, text_table

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

_KINDS = ("direct", "interneuron")
_PAIRS = {"equal learning rates": "interneuron", "equal noise floors": "interneuron_matched"}


@dataclass(frozen=True, kw_only=True)
class MatchedNoise(Rotated):
    """Switches at equal learning rates, and at learning rates that leave equal noise floors.

    Four blocks: a context; its spectrum in another eigenbasis; that context at a higher contrast;
    and back. At equal learning rates the circuit with interneurons is the noisier one; a second
    one learns so much slower that, at the low contrast, it is as precise as the direct circuit.
    """

    contrast_step: float = parameter(10.0, "factor by which inputs grow, then shrink", above=1)
    floor: float = parameter(
        0.06, "root mean square Frobenius error of the circuits matched, once converged", above=0
    )
    block_length: int = parameter(400_000, "samples between switches", above=0)
    records: int = parameter(2000, "records of the error per replicate", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "floor": 0.3,
        "threshold": 0.4,
        "block_length": 8000,
        "records": 400,
    }

    def _contexts(self) -> "list[Any]":
        first, rotated = self.rotations(2)
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
        """Samples per replicate: four blocks."""
        return 4 * self.block_length

    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return the errors at equal learning rates beside those at equal noise floors."""
        from adaptnet import plot_readaptation
        from adaptnet.plotting.figures import new_grid

        figure, grid = new_grid(1, 2, sharey=True)
        for ax, (title, name) in zip(grid[0], _PAIRS.items(), strict=True):
            # The title says which learning rate: one name and colour for interneurons will do.
            pair = dataset.sel(circuit=["direct", name]).assign_coords(circuit=list(_KINDS))
            plot_readaptation(pair, self.threshold, ax=ax)
            ax.set_title(title)
            ax.label_outer()
            ax.get_legend().remove()
        entries = ax.get_legend_handles_labels()
        figure.legend(*entries, loc="outside lower center", ncols=len(entries[1]), frameon=False)
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
