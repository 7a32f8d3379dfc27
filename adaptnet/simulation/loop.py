"""A run: environment -> blocks of samples -> circuits -> sink -> Dataset."""

import functools
import hashlib
import json
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import FAILURES, Circuit, Records, State
from adaptnet.errors import DivergenceWarning
from adaptnet.files import schema
from adaptnet.files.provenance import provenance
from adaptnet.protocols import Environment, Realization
from adaptnet.seeding import child_seed
from adaptnet.simulation.changes import described_changes
from adaptnet.simulation.plan import Layout, Plan, Reached, Truth, blank, fill
from adaptnet.simulation.progress import progress_display
from adaptnet.simulation.sinks.base import Sink
from adaptnet.simulation.threads import in_threads, single_threaded_blas

_MOST_THREADS = 1024  # beyond any machine's cores, below what a system refuses
_FIRST_BLOCK = 256  # samples; halved or doubled to what takes a moment
_MOMENT = 0.2  # seconds; an interrupt waits for the end of a block, which should take no longer


@dataclass
class Replicate:
    """One repetition, as far as it has got."""

    number: int
    row: np.dtype[np.void]  # of what is recorded of one sample
    realization: Realization
    states: list[State]  # a circuit each
    reached: Reached


@dataclass(frozen=True)
class Run:
    """What the replicates of a run share."""

    circuits: list[tuple[str, Circuit]]
    environment: Environment
    seed: np.random.SeedSequence
    layout: Layout
    kind: str = "simulation"
    block_size: int | None = None  # None: as many as take a moment
    attributes: dict[str, str] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def carry_out(
        self,
        sink: Sink,
        replicates: Sequence[int],
        n_threads: int,
        progress: bool | None,
    ) -> list[Reached]:
        """Run `replicates` to their end, several at a time; return how each ended."""
        ended: dict[int, Reached] = {}
        n_threads = min(n_threads, len(replicates), _MOST_THREADS)
        waiting = iter(self._groups(replicates, n_threads))  # each thread takes the next of them

        def work() -> None:
            for members in waiting:
                if self.stopped.is_set():
                    return
                begun = [self._begin(r, sink) for r in members]
                advance(sum(replicate.reached.processed for replicate in begun))
                for processed in {replicate.reached.processed for replicate in begun}:
                    equal = [of for of in begun if of.reached.processed == processed]
                    self._finish(equal, sink, advance)
                ended.update((of.number, of.reached) for of in begun)

        total = self.layout.plan.n_samples * len(replicates)
        with progress_display(total, progress) as advance, single_threaded_blas():
            in_threads(work, n_threads, self.stopped)  # all save, and stop, at their block's end
        return [ended[r] for r in replicates]

    def _groups(self, replicates: Sequence[int], n_threads: int) -> list[Sequence[int]]:
        """Share replicates out into groups to advance side by side, as many for each thread."""
        n = self.environment.n_neurons
        most = max(circuit.side_by_side(n) for _, circuit in self.circuits)
        rounds = math.ceil(len(replicates) / (most * n_threads))
        n_groups = min(rounds * n_threads, len(replicates))
        return [replicates[g::n_groups] for g in range(n_groups)]

    def _begin(self, r: int, sink: Sink) -> Replicate:
        """Return replicate `r` as `sink` has it, or before its first sample, recorded."""
        row, realization = self.layout.row(r), self.environment.realize(child_seed(self.seed, r))
        n = self.environment.n_neurons
        states = [circuit.initial_state(n) for _, circuit in self.circuits]
        reached = sink.restore(r, states)
        if reached is None:
            reached = Reached(0, [-1] * len(states), [0] * len(states))
            truth = _truth(realization, np.zeros(1, np.int64), self.layout.plan)
            rows = blank(row, truth)
            for c, (_, circuit) in enumerate(self.circuits):
                weights = circuit.effective_weights(states[c])
                fill(rows, c, Records(weights[None], np.zeros(1, np.int64)), truth)
            sink.write(r, 0, rows)
        return Replicate(r, row, realization, states, reached)

    def _finish(
        self, group: Sequence[Replicate], sink: Sink, advance: Callable[[int], object]
    ) -> None:
        """Run replicates that have got equally far to their end, side by side."""
        plan = self.layout.plan
        for inputs in self._blocks(group):
            start = group[0].reached.processed
            stop = start + inputs.shape[1]
            samples = plan.samples(start, stop)
            truths, rows = [], []
            for replicate, block in zip(group, inputs, strict=True):
                _refuse_non_finite(block, start, replicate.number)
                truths.append(_truth(replicate.realization, samples, plan))
                rows.append(blank(replicate.row, truths[-1]))
            for c, (_, circuit) in enumerate(self.circuits):
                sound = [i for i, of in enumerate(group) if not of.reached.failures[c]]
                records = self.layout.buffers(len(sound), len(samples))
                outcomes = circuit.advance_side_by_side(
                    [group[i].states[c] for i in sound],
                    inputs if len(sound) == len(group) else inputs[sound],
                    start,
                    plan.every,
                    records,
                )
                for of_one, i in enumerate(sound):
                    failure, n_rows = outcomes[of_one]
                    before = slice(len(plan.samples(start, start + n_rows)))
                    fill(rows[i], c, records.at((of_one, before)), truths[i])
                    if failure:
                        group[i].reached.failures[c] = failure
                        group[i].reached.diverged[c] = start + n_rows
            stopped = self.stopped.is_set()
            for replicate, of_block in zip(group, rows, strict=True):
                reached = replicate.reached
                reached.processed = stop
                sink.write(replicate.number, start // plan.every + 1, of_block)
                at_once = stopped or stop == plan.n_samples
                sink.keep(replicate.number, reached, replicate.states, at_once=at_once)
            advance((stop - start) * len(group))
            if stopped:
                break

    def _blocks(self, group: Sequence[Replicate]) -> Iterator[Floats]:
        """Yield the next samples (replicate, sample, neuron), as many as take about `_MOMENT`."""
        plan, n = self.layout.plan, self.environment.n_neurons
        start = group[0].reached.processed
        largest = self.block_size or plan.block_size(n)
        size = largest if self.block_size else min(largest, _FIRST_BLOCK)
        drawn = [of.realization.blocks(plan.n_samples, largest, start) for of in group]
        for blocks in zip(*drawn, strict=True):
            taken = 0
            while taken < len(blocks[0]):
                began = time.monotonic()
                inputs = np.stack([block[taken : taken + size] for block in blocks])
                yield inputs
                taken += inputs.shape[1]
                if not self.block_size:
                    late = time.monotonic() - began > _MOMENT
                    size = max(1, size // 2) if late else min(largest, size * 2)

    @functools.cached_property
    def description(self) -> dict[str, Any]:
        """The attributes of the run's Dataset: what it is of, and where it comes from."""
        plan, environment = self.layout.plan, self.environment
        sampled = {}
        if self.kind == "simulation":
            first = environment.realize(child_seed(self.seed, 0))
            with single_threaded_blas():
                inputs = next(first.blocks(min(plan.n_samples, 256), 256))
            sampled["first_inputs_sha256"] = hashlib.sha256(inputs.tobytes()).hexdigest()
        return {
            "Conventions": schema.CONVENTIONS,
            "adaptnet_schema": schema.SCHEMA,
            "kind": self.kind,
            "title": "Adaptation of recurrent circuits to changing input statistics",
            "truth": environment.truth,
            "circuits": json.dumps({name: c.parameters() for name, c in self.circuits}),
            "environment": json.dumps(environment.parameters()),
            "n_samples": plan.n_samples,
            "n_replicates": self.layout.n_replicates,
            "record": json.dumps(plan.variables),
            "record_every": plan.every,
            **sampled,
            **provenance(self.seed),
            **self.attributes,
        }

    def labelled(
        self, arrays: Mapping[str, npt.NDArray[Any]], reached: Sequence[Reached], samples: Integers
    ) -> xr.Dataset:
        """Return what was recorded as a Dataset that says what everything is."""
        layout, environment = self.layout, self.environment
        changes = self.changes(range(1 if layout.shared_path else layout.n_replicates))
        if layout.shared_path:
            changes = {name: of[..., 0, :] for name, of in changes.items()}
        diverged = [of.diverged for of in reached]
        values = {
            **arrays,
            **changes,
            "diverged_sample": np.array(diverged, dtype=np.int64).T,
        }
        flags = {
            "context": schema.context_flags(environment.context_names),
            "change_direction": schema.context_flags(schema.DIRECTIONS),
        }
        indices = {
            "replicate": layout.n_replicates,
            "neuron": layout.n_neurons,
            "neuron_2": layout.n_neurons,
            "change": changes["change_sample"].shape[-1],
        }
        coordinates: dict[str, Any] = {
            "circuit": [name for name, _ in self.circuits],
            "sample": samples,
            **{name: np.arange(length) for name, length in indices.items()},
        }
        return xr.Dataset(
            {
                name: schema.variable(
                    name,
                    layout.dims(name),
                    array.astype(schema.VARIABLES[name].dtype, copy=False),
                    **flags.get(name.removesuffix("_left").removesuffix("_entered"), {}),
                )
                for name, array in values.items()
            },
            {
                **{name: schema.variable(name, (name,), of) for name, of in coordinates.items()},
                "synaptic_time": schema.variable(
                    "synaptic_time", ("circuit", "sample"), self.synaptic_times(samples)
                ),
            },
            self.description,
        )

    def synaptic_times(self, samples: Integers) -> Floats:
        """Return the synaptic time of each circuit after `samples`, (circuit, sample)."""
        return np.stack([circuit.synaptic_time(samples) for _, circuit in self.circuits])

    def changes(self, replicates: Sequence[int]) -> dict[str, npt.NDArray[Any]]:
        """Return the schema's variables of the changes that `replicates` go through."""
        noisy = [circuit for _, circuit in self.circuits] if self.kind == "simulation" else []
        return described_changes(
            self.environment, noisy, self.seed, replicates, self.layout.plan.n_samples
        )


def warn_of_divergence(run: Run, reached: Sequence[Reached]) -> None:
    """Warn with a sentence for each circuit that diverged."""
    sentences = [
        f"circuit {name!r}, replicate {r} diverged at sample {of.diverged[c]}: "
        f"{FAILURES[of.failures[c]]}"
        for r, of in enumerate(reached)
        for c, (name, _) in enumerate(run.circuits)
        if of.failures[c]
    ]
    if sentences:
        warnings.warn("; ".join(sentences), DivergenceWarning, stacklevel=3)


def _truth(realization: Realization, samples: Integers, plan: Plan) -> Truth:
    covariances = realization.covariances(samples) if plan.needs_covariances else None
    return Truth(realization.contexts(samples), covariances)


def _refuse_non_finite(inputs: Floats, processed: int, replicate: int) -> None:
    if not np.isfinite(inputs).all():
        row, neuron = np.argwhere(~np.isfinite(inputs))[0]
        raise ValueError(
            f"inputs must be finite, got {inputs[row, neuron]} at sample {processed + row}, "
            f"neuron {neuron} (replicate {replicate}); remove or interpolate such samples first"
        )
