"""The loop over blocks of samples: environment, circuits, rows, sink."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from adaptnet._checks import Floats
from adaptnet.circuits.base import Circuit, State
from adaptnet.circuits.rates import Place
from adaptnet.files.interrupts import Flag
from adaptnet.protocols import Realization
from adaptnet.simulation.experiment import Experiment
from adaptnet.simulation.observed import Observed, nothing_observed, observe, with_observed
from adaptnet.simulation.plan import groups_of
from adaptnet.simulation.progress import progress_display
from adaptnet.simulation.rows import Rows, blank, fill, truth_at
from adaptnet.simulation.sinks.base import Reached, Sink
from adaptnet.simulation.threads import in_threads

T = TypeVar("T")

_MOST_THREADS = 1024  # beyond any machine's cores, below what a system refuses
_FIRST_BLOCK = 256  # samples; halved or doubled to what takes a moment
_MOMENT = 0.2  # seconds; an interrupt waits for the end of a block, which should take no longer


@dataclass
class Replicate:
    """One repetition, and how far it has come."""

    number: int
    realization: Realization
    states: list[State]  # one per circuit
    reached: Reached
    observed: list[Observed]  # one per circuit, or none

    @property
    def kept(self) -> list[State]:
        """What a checkpoint holds."""
        return with_observed(self.states, self.observed)


@dataclass
class Loop:
    """Runs the replicates of an experiment to their end."""

    experiment: Experiment
    sink: Sink
    stopped: Flag = field(default_factory=Flag)
    advance: Callable[[int], object] = lambda n_samples: None  # shows progress
    states: dict[int, list[State]] = field(default_factory=dict)  # at the end, by replicate

    def run(
        self, replicates: Sequence[int], n_threads: int, progress: bool | None
    ) -> list[Reached]:
        """Run `replicates` to their end, several at a time; return how each ended."""
        ended: dict[int, Reached] = {}
        n_threads = min(n_threads, len(replicates), _MOST_THREADS)
        waiting = iter(self._groups(replicates, n_threads))  # each thread takes the next group

        def work() -> None:
            for numbers in waiting:
                if self.stopped.is_set():
                    return
                group = [self._begin(r) for r in numbers]
                self.advance(sum(replicate.reached.processed for replicate in group))
                for processed in {replicate.reached.processed for replicate in group}:
                    self._finish([r for r in group if r.reached.processed == processed])
                ended.update((replicate.number, replicate.reached) for replicate in group)
                self.states.update((replicate.number, replicate.states) for replicate in group)

        total = self.experiment.layout.plan.n_samples * len(replicates)
        with progress_display(total, progress) as self.advance:
            in_threads(work, n_threads, self.stopped)  # all save, and stop, at their block's end
        return [ended[r] for r in replicates]

    def ended(self) -> list[list[State]]:
        """Return the states of all replicates, in order, once they have come to their end."""
        return [self.states[r] for r in sorted(self.states)]

    def _groups(self, replicates: Sequence[int], n_threads: int) -> list[Sequence[int]]:
        """Share replicates out into groups that are advanced together."""
        n = self.experiment.environment.n_neurons
        size = max(c.group_size(n) for c in self.experiment.circuits.values())
        return groups_of(replicates, size, n_threads)

    def _begin(self, number: int) -> Replicate:
        """Return a replicate as the sink has it or, recorded, before its first sample."""
        experiment, layout = self.experiment, self.experiment.layout
        circuits = experiment.circuits.values()
        realization = experiment.realization(number)
        states = experiment.initial_states(number)
        observed = nothing_observed(experiment)
        reached = self.sink.restore(number, with_observed(states, observed))
        if reached is None:
            reached = Reached(0, [-1] * len(states), [0] * len(states))
            first = next(realization.blocks(1, 1)) if layout.needs_inputs else None
            truth = truth_at(realization, np.zeros(1, np.int64), layout, first)
            rows = blank(layout, number, truth)
            for c, (circuit, state) in enumerate(zip(circuits, states, strict=True)):
                records = {n: v[None] for n, v in circuit.initial_records(state).items()}
                fill(rows, c, records, circuit.response, truth, circuit.activities)
            self.sink.write(number, 0, rows)
        return Replicate(number, realization, states, reached, observed)

    def _finish(self, group: Sequence[Replicate]) -> None:
        """Run replicates that have come equally far to their end, together."""
        plan = self.experiment.layout.plan
        for inputs, following in self._blocks(group):
            start = group[0].reached.processed
            stop = start + inputs.shape[1]
            rows = self._block(group, inputs, following, start)
            stopped = self.stopped.is_set()
            for replicate, replicate_rows in zip(group, rows, strict=True):
                number, reached = replicate.number, replicate.reached
                reached.processed = stop
                self.sink.write(number, plan.n_records_until(start), replicate_rows)
                at_once = stopped or stop == plan.n_samples
                self.sink.keep(number, reached, replicate.kept, at_once=at_once)
            self.advance((stop - start) * len(group))
            if stopped:
                break

    def _block(
        self, group: Sequence[Replicate], inputs: Floats, following: Floats, start: int
    ) -> list[Rows]:
        """Advance every circuit of a group by a block of inputs; return each replicate's rows.

        `following` (replicate, n) are the inputs after the block.
        """
        layout, timescale = self.experiment.layout, self.experiment.output_timescale
        samples = layout.plan.samples(start, start + inputs.shape[1])
        recorded = np.zeros(inputs.shape[1], dtype=bool)
        recorded[samples - start - 1] = True
        truths, rows = [], []
        for replicate, block, after in zip(group, inputs, following, strict=True):
            _refuse_non_finite(block, start, replicate.number)
            met = np.concatenate([block, after[None]])[samples - start]
            truths.append(truth_at(replicate.realization, samples, layout, met))
            rows.append(blank(layout, replicate.number, truths[-1]))
        for c, circuit in enumerate(self.experiment.circuits.values()):
            alive = [i for i, replicate in enumerate(group) if not replicate.reached.failures[c]]
            n_records = len(samples) if timescale is None else inputs.shape[1]
            records = layout.buffers(circuit, len(alive), n_records)
            before = self._responses(circuit, [group[i].states[c] for i in alive])
            path = {}
            if circuit.follows_path:
                path = {"place": self._place([group[i] for i in alive], inputs.shape[1], start)}
            outcomes = circuit.advance(
                [group[i].states[c] for i in alive],
                inputs if len(alive) == len(group) else inputs[alive],
                start,
                recorded if timescale is None else np.ones_like(recorded),
                records,
                **path,
            )
            for place, (i, outcome) in enumerate(zip(alive, outcomes, strict=True)):
                length = outcome.n_samples
                wanted = recorded[:length]
                n_records = int(wanted.sum()) if timescale is None else length
                kept = {name: values[place, :n_records] for name, values in records.items()}
                seen = None
                if timescale is not None:
                    block = inputs[i, :length], wanted, timescale
                    seen = observe(group[i].observed[c], circuit, before[place], kept, *block)
                    kept = {name: values[wanted] for name, values in kept.items()}
                fill(rows[i], c, kept, circuit.response, truths[i], circuit.activities, seen)
                if outcome.status:
                    group[i].reached.failures[c] = int(outcome.status)
                    group[i].reached.diverged[c] = start + outcome.n_samples
        return rows

    def _responses(self, circuit: Circuit, states: Sequence[State]) -> list[Floats]:
        """Return what the next outputs follow from, for each state, if outputs are followed."""
        if self.experiment.output_timescale is None:
            return []
        return [circuit.initial_records(state)[circuit.response] for state in states]

    def _place(self, group: Sequence[Replicate], length: int, start: int) -> Place:
        """Return the contexts and segments of a block's samples, for each replicate."""
        samples, paths = np.arange(start, start + length), self.experiment.paths
        shape = len(group), length
        contexts, segments = np.empty(shape, np.int64), np.empty(shape, np.int64)
        for r, replicate in enumerate(group):
            path = paths[replicate.number if len(paths) > 1 else 0]
            contexts[r] = replicate.realization.contexts(samples)
            segments[r] = np.searchsorted(path.begin, samples, side="right")
        return Place(samples, contexts, segments)

    def _blocks(self, group: Sequence[Replicate]) -> Iterator[tuple[Floats, Floats]]:
        """Yield the next samples (replicate, sample, neuron), as many as take about `_MOMENT`.

        And the one that follows them (replicate, neuron), NaN at the end of the run.
        """
        experiment, plan = self.experiment, self.experiment.layout.plan
        start = group[0].reached.processed
        if experiment.output_timescale is not None:
            plan = dataclasses.replace(plan, every=1)  # kernels record every sample
        largest = experiment.block_size or plan.block_size(experiment.environment.n_neurons)
        size = largest if experiment.block_size else min(largest, _FIRST_BLOCK)
        drawn = [r.realization.blocks(plan.n_samples, largest, start) for r in group]
        for blocks, later in with_next(zip(*drawn, strict=True)):
            taken = 0
            while taken < len(blocks[0]):
                began = time.monotonic()
                inputs = np.stack([block[taken : taken + size] for block in blocks])
                end = taken + inputs.shape[1]
                if end < len(blocks[0]):
                    yield inputs, np.stack([block[end] for block in blocks])
                elif later is not None:
                    yield inputs, np.stack([block[0] for block in later])
                else:
                    yield inputs, np.full(inputs[:, 0].shape, np.nan)
                taken += inputs.shape[1]
                if not experiment.block_size:
                    late = time.monotonic() - began > _MOMENT
                    size = max(1, size // 2) if late else min(largest, size * 2)


def with_next(items: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Yield each item with the one after it, the last with None.

    Examples
    --------
    >>> list(with_next("abc"))
    [('a', 'b'), ('b', 'c'), ('c', None)]
    """
    iterator = iter(items)
    for item in iterator:
        for following in iterator:
            yield item, following
            item = following
        yield item, None


def _refuse_non_finite(inputs: Floats, processed: int, replicate: int) -> None:
    if not np.isfinite(inputs).all():
        row, neuron = np.argwhere(~np.isfinite(inputs))[0]
        raise ValueError(
            f"inputs must be finite, got {inputs[row, neuron]} at sample {processed + row}, "
            f"neuron {neuron} (replicate {replicate}); remove or interpolate such samples first"
        )
