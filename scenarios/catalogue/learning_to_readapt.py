"""Whether a circuit with slow synapses readapts faster, the more contexts it has seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adaptnet import GainPlasticCircuit, Rates, frames
from adaptnet.plotting.figures import new_figure
from adaptnet.plotting.style import in_style
from environments import SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.parameters import parameter
from scenarios.tables import Replicates, Table, TableScenario
from scenarios.text import text_table

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

_N, _K = 3, 4
_PROBES = 10  # contexts before, and the same again after, in which synapses are frozen
_RECORDS = 25  # per context: a readaptation time is known to a 25th of a context's duration
_CONDITIONS = {
    "shared": "contexts share an eigenbasis",
    "control": "each context has its own",
    "frozen": "shared, synapses frozen",
}


@dataclass(frozen=True, kw_only=True)
class LearningToReadapt(TableScenario):
    """Readaptation time against the number of contexts seen: synapses learn what contexts share.

    Gains adapt fast, synapses slowly. Contexts of random spectra share an eigenbasis (`shared`); in
    a control each has the same spectra in an eigenbasis of its own; and a third circuit goes
    through the shared contexts with synapses frozen as they began. Gains restart at each switch.
    With few different contexts the control learns each of them by heart. Before and after, the same
    contexts are met with synapses frozen in every condition: what these probes differ by is what
    the synapses have learned.
    """

    table_title: ClassVar[str] = "Readaptation time against the number of contexts seen"
    default_replicates: ClassVar[int] = 4

    threshold: float = parameter(0.5, "error below which a circuit counts as readapted", above=0)
    n_contexts: int = parameter(
        4000, "contexts that follow one another", above=9, at_most=1_000_000
    )
    n_distinct: int = parameter(50, "different contexts, in cyclic order", above=1, at_most=100)
    duration: int = parameter(1000, "samples that a context lasts", above=_RECORDS - 1)
    learning_rate: float = parameter(4e-3, "learning rate of the gains", above=0)
    synaptic_rate: float = parameter(8e-5, "learning rate of the synapses", above=-1e-300)
    leak: float = parameter(0.5, "leak of the primary neurons", above=0)
    contexts_seed: int = parameter(1, "seed of spectra, eigenbases and the first frame", above=-1)

    preview: ClassVar[Mapping[str, Any]] = {"n_contexts": 60, "duration": 200}

    @property
    def n_points(self) -> int:
        """Simulations, one per condition."""
        return len(_CONDITIONS)

    def table(self, replicates: Replicates, advance: Callable[[int], object]) -> Table:
        """Return the time to readapt in each context, averaged over bins of contexts seen."""
        edges = np.unique(np.geomspace(1, self.n_contexts, 16).round().astype(int)) - 1
        times = np.zeros((len(_CONDITIONS), len(edges) - 1, replicates.number))
        probes = np.zeros((len(_CONDITIONS), 2, replicates.number))
        for c, name in enumerate(_CONDITIONS):
            found = self._times(name, replicates)
            probes[c] = found[:, :_PROBES].mean(axis=1), found[:, -_PROBES:].mean(axis=1)
            for b, (first, last) in enumerate(pairwise(edges + _PROBES)):
                times[c, b] = found[:, first:last].mean(axis=1)
            advance(1)
        seen = (edges[:-1] + edges[1:] + 1) / 2
        return Table(
            {
                "condition": (list(_CONDITIONS), "contexts and synapses"),
                "contexts_seen": (seen, "contexts seen, this one included: middle of a bin"),
                "probe": (["before", "after"], "learning, before or after the probes"),
            },
            {
                "readaptation_time": (
                    ("condition", "contexts_seen", "replicate"),
                    times,
                    "mean samples to readapt in a context; its duration if it ends before",
                ),
                "probe_time": (
                    ("condition", "probe", "replicate"),
                    probes,
                    f"mean samples to readapt in {_PROBES} contexts, with synapses frozen",
                ),
            },
        )

    def _times(self, name: str, replicates: Replicates) -> "np.ndarray[Any, Any]":
        """Return the samples to readapt (replicate, context), a context's duration at most.

        Contexts of probes come first, and again last.
        """
        probes = np.arange(_PROBES) % self.n_distinct
        order = np.concatenate([probes, np.arange(self.n_contexts) % self.n_distinct, probes])
        run = replicates.simulate(
            {name: self._circuit(name)},
            SwitchingEnvironment(
                self._contexts(name), block_length=self.duration, order=order.tolist()
            ),
            len(order) * self.duration,
            key=(0,),  # the same samples, but for their contexts
            n_records=len(order) * _RECORDS,
        )
        every = self.duration // _RECORDS
        sample = run["sample"].values
        keep = (sample > 0) & (sample % self.duration % every == 0)
        # A record at a switch holds the covariance of the context entered.
        sample, errors = sample[keep], run["whitening_error"].values[0][:, keep]
        times = np.full((len(errors), len(order)), float(self.duration))
        for context in range(len(order)):
            first, last = np.searchsorted(
                sample, [context * self.duration, (context + 1) * self.duration]
            )
            below = errors[:, first:last] < self.threshold
            passed = sample[first:last][below.argmax(axis=1)] - context * self.duration
            times[:, context] = np.where(below.any(axis=1), passed, self.duration)
        return times

    def _circuit(self, name: str) -> GainPlasticCircuit:
        return GainPlasticCircuit(
            frame=frames.random(_N, _K, rng=self.contexts_seed),
            leak=self.leak,
            clip=True,
            learning_rate=self.learning_rate,
            synaptic_rate=Rates.from_samples(
                {
                    0: 0.0,
                    _PROBES * self.duration: 0.0 if name == "frozen" else self.synaptic_rate,
                    (_PROBES + self.n_contexts) * self.duration: 0.0,
                }
            ),
            restart_every=self.duration,
        )

    def _contexts(self, name: str) -> list[Any]:
        """Return covariances: the same spectra in one eigenbasis, or in one each."""
        rng = np.random.default_rng(self.contexts_seed)
        spectra = rng.uniform(1.0, 4.0, (self.n_distinct, _N)) ** 2
        bases = [random_eigenbasis(_N, rng) for _ in range(self.n_distinct)]
        if name != "control":
            bases = bases[:1] * self.n_distinct
        return [with_spectrum(s, basis) for s, basis in zip(spectra, bases, strict=True)]

    @in_style
    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return the readaptation time over the number of contexts seen."""
        figure = new_figure(1.3)
        ax = figure.subplots()
        seen = dataset["contexts_seen"].values
        at = [seen[0] / 1.6, seen[-1] * 1.6]  # beside the curves
        for name, label in _CONDITIONS.items():
            times = dataset["readaptation_time"].sel(condition=name)
            middle = times.mean("replicate").values
            (line,) = ax.plot(seen, middle, "o-", markersize=3, label=label)
            low, high = times.min("replicate").values, times.max("replicate").values
            ax.fill_between(seen, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
            probes = dataset["probe_time"].sel(condition=name).mean("replicate").values
            ax.plot(at, probes, "D", color=line.get_color(), mec="k", ms=6, clip_on=False)
        ax.plot([], [], "D", color="w", mec="k", ms=6, label="probes, synapses frozen")
        ax.set(
            xscale="log",
            xlabel="contexts seen",
            ylabel=f"samples to an error below {self.threshold:g}",
        )
        ax.set_ylim(bottom=0)
        figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize="small")
        return figure

    def report(self, dataset: "xr.Dataset") -> str:
        """Return readaptation times at the beginning and at the end."""
        times, probes = (
            dataset[name].mean("replicate") for name in ("readaptation_time", "probe_time")
        )
        rows = []
        for name, label in _CONDITIONS.items():
            first, last = times.sel(condition=name).values[[0, -1]].tolist()
            before, after = probes.sel(condition=name).values.tolist()
            ratios = f"{first / last:.1f}", f"{before / after:.1f}"
            rows.append((label, f"{first:.0f}", f"{last:.0f}", ratios[0], f"{before:.0f}",
                         f"{after:.0f}", ratios[1]))  # fmt: skip
        return text_table(
            f"mean samples until the whitening error is below {self.threshold:g}",
            ("contexts", "first", "last", "ratio", "probes before", "after", "ratio"),
            rows,
        )
