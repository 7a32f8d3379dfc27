"""The simulation: environment -> blocks of samples -> circuits -> recording -> Dataset."""

import functools
import hashlib
import json
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet import dataset as schema
from adaptnet import durable
from adaptnet._checks import Floats, Integers, positive_number, whole_number
from adaptnet.changes import described_changes
from adaptnet.circuits.base import FAILURES, Circuit, IntegratedDynamics, Records
from adaptnet.errors import DivergenceWarning
from adaptnet.inputs import given, refuse_copies, refuse_length
from adaptnet.progress import progress_display
from adaptnet.protocols import Environment, Realization
from adaptnet.provenance import provenance
from adaptnet.recording import (
    InMemory,
    Layout,
    Plan,
    Reached,
    Recording,
    Truth,
    blank,
    checked_variables,
    fill,
)
from adaptnet.seeding import Rng, child_seed, root_seed
from adaptnet.storage import opened
from adaptnet.threads import n_cores, single_threaded_blas

_MOST_THREADS = 1024  # beyond any machine's cores, below what a system refuses
_FIRST_BLOCK = 256  # samples; halved or doubled to what takes a moment
_MOMENT = 0.2  # seconds; an interrupt waits for the end of a block, which should take no longer


def simulate(
    circuits: Circuit | Mapping[str, Circuit],
    environment: Environment | npt.ArrayLike,
    n_samples: int | None = None,
    *,
    n_replicates: int = 1,
    rng: Rng = None,
    record_every: int = 1,
    record: Sequence[str] | None = None,
    block_size: int | None = None,
    n_threads: int | None = None,
    progress: bool | None = None,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    checkpoint_seconds: float = 30.0,
    attributes: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Run circuits, sample by sample, on the inputs of an environment.

    For each sample the neural activity goes to its fixed point, then the synapses change. Every
    circuit gets the same samples, so that circuits are compared in pairs.

    Parameters
    ----------
    circuits : Circuit or mapping of str to Circuit
        One circuit, or several by name.
    environment : Environment or array (sample, neuron)
        Where inputs come from. A plain array comes without truth, so without whitening errors.
    n_samples : int, optional
        Samples a replicate; may be left out where `environment` is an array.
    n_replicates : int
        Independent repetitions, each with samples (and, where the environment has one, a random
        path of contexts) of its own. All circuits start each replicate from the same state.
    rng : None, int, SeedSequence or Generator
        Source of randomness; replicate r uses child r of one SeedSequence, which is stored.
    record_every : int
        Samples between records. Sample 0, before any input, is always recorded.
    record : sequence of str, optional
        Variables to record: whitening_error, frobenius_error, effective_weights, fast_steps,
        covariance. By default both errors, and fast_steps where dynamics are integrated; for an
        array the effective weights.
    block_size : int, optional
        Samples handed to a kernel at a time; by default as many as take a moment. Changes memory
        and speed, never a result.
    n_threads : int, optional
        Replicates run at the same time; by default as many as there are cores. Never changes a
        result.
    progress : bool, optional
        Whether to show progress: by default a bar where standard error is a terminal, elsewhere
        lines in the log ``adaptnet`` (level INFO).
    path : path, optional
        netCDF file to record to instead of into memory, which then does not grow with `n_samples`.
        Until it is complete, everything is in the folder ``<path>.partial``; a call with the same
        arguments goes on from there, however the last one ended, to the same result bit for bit.
        Where the file is complete already nothing is run. With `rng` None the seed of an earlier
        call is taken up.
    overwrite : bool
        Whether a file at `path`, or an unfinished run, of other parameters may be replaced.
    checkpoint_seconds : float
        At most so much time of each replicate is lost when the process is killed.
    attributes : mapping of str to str, optional
        Further attributes for the Dataset.

    Returns
    -------
    Dataset
        Dimensions circuit, replicate, sample, neuron, neuron_2 and change; see the documentation
        of the schema. A circuit that diverges keeps what was recorded until then, has its sample
        in ``diverged_sample``, and a `DivergenceWarning` says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, sizes do not fit together, or an
        input is not finite.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> inputs = np.random.default_rng(0).normal(size=(500, 3))
    >>> run = simulate(DirectCircuit(learning_rate=0.01), inputs, record_every=100)
    >>> dict(run.effective_weights.sizes)
    {'circuit': 1, 'replicate': 1, 'sample': 6, 'neuron': 3, 'neuron_2': 3}
    """
    named = named_circuits(circuits)
    n_replicates = whole_number("n_replicates", n_replicates)
    if n_samples is not None:
        n_samples = whole_number("n_samples", n_samples)
    if not isinstance(environment, Environment):
        environment = given(environment, n_samples)
        n_samples = n_samples or environment.length
    elif n_samples is None:
        raise TypeError("n_samples must be given where inputs come from an environment, got None")
    refuse_copies(environment, n_replicates)
    integrated = any(isinstance(c.dynamics, IntegratedDynamics) for c in named.values())
    plan = Plan(
        n_samples,
        whole_number("record_every", record_every),
        checked_variables(record, environment.truth, integrated=integrated),
    )
    seconds = positive_number("checkpoint_seconds", checkpoint_seconds, zero=True)
    n_threads = n_cores() if n_threads is None else whole_number("n_threads", n_threads)
    target = None if path is None else Path(path)
    if target is not None:
        rng = durable.stored_seed(target) if rng is None else rng
    run = Run(
        circuits=list(named.items()),
        environment=environment,
        seed=root_seed(rng),
        block_size=None if block_size is None else whole_number("block_size", block_size),
        layout=Layout(
            plan, len(named), n_replicates, environment.n_neurons, environment.shared_path
        ),
        attributes=dict(attributes or {}),
    )
    # Refuse what does not fit before files appear and work is done.
    refuse_length(environment, plan.n_samples)
    for circuit in named.values():
        circuit.initial_state(environment.n_neurons)
    if target is None:
        recording = InMemory(run.layout)
        reached = run.carry_out(recording, range(n_replicates), n_threads, progress)
        dataset = run.labelled(recording.arrays, reached, plan.all_samples)
        warn_of_divergence(run, reached)
    elif not durable.is_finished(target, run.description, overwrite=overwrite):
        with durable.WorkingFolder(
            target, run.layout, run.description, overwrite=overwrite, seconds=seconds
        ) as folder:
            reached = run.carry_out(folder, range(n_replicates), n_threads, progress)
            nothing = {name: np.zeros(run.layout.shape(name, 0)) for name in run.layout.names}
            folder.publish(
                run.labelled(nothing, reached, np.empty(0, np.int64)), run.synaptic_times
            )
        warn_of_divergence(run, reached)
    if target is not None:
        dataset = opened(target)
    return dataset


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
        recording: Recording,
        replicates: Sequence[int],
        n_threads: int,
        progress: bool | None,
    ) -> list[Reached]:
        """Run `replicates` to their end, several at a time; return how each ended."""
        ended: dict[int, Reached] = {}
        waiting = iter(replicates)  # shared: each thread takes the next that nobody has taken

        def work() -> None:
            for r in waiting:
                if self.stopped.is_set():
                    return
                ended[r] = self.replicate(r, recording, advance)

        n_threads = min(n_threads, len(replicates), _MOST_THREADS)
        with (
            progress_display(self.layout.plan.n_samples * len(replicates), progress) as advance,
            single_threaded_blas(),
            ThreadPoolExecutor(n_threads) as pool,
        ):
            tasks = [pool.submit(work) for _ in range(n_threads)]
            try:
                for task in as_completed(tasks):
                    task.result()
            except BaseException:  # an interrupt too: all stop, and save, at their block's end
                self.stopped.set()
                raise
        return [ended[r] for r in replicates]

    def replicate(self, r: int, recording: Recording, advance: Callable[[int], object]) -> Reached:
        """Run replicate `r` from where `recording` has it to its end."""
        plan, row = self.layout.plan, self.layout.row(r)
        n = self.environment.n_neurons
        realization = self.environment.realize(child_seed(self.seed, r))
        states = [circuit.initial_state(n) for _, circuit in self.circuits]
        reached = recording.restore(r, states)
        if reached is None:
            reached = Reached(0, [-1] * len(states), [0] * len(states))
            truth = _truth(realization, np.zeros(1, np.int64), plan)
            rows = blank(row, truth)
            for c, (_, circuit) in enumerate(self.circuits):
                records = self.layout.buffers(1)
                records.effective_weights[0] = circuit.effective_weights(states[c])
                fill(rows, c, records, truth)
            recording.write(r, 0, rows)
        advance(reached.processed)
        for inputs in self._blocks(realization, reached.processed):
            start = reached.processed
            _refuse_non_finite(inputs, start, r)
            samples = plan.samples(start, start + len(inputs))
            truth = _truth(realization, samples, plan)
            rows = blank(row, truth)
            for c, (_, circuit) in enumerate(self.circuits):
                if reached.failures[c]:
                    continue
                records = self.layout.buffers(len(samples))
                failure, n_rows = circuit.advance(states[c], inputs, start, plan.every, records)
                sound = len(plan.samples(start, start + n_rows))
                weights, steps = records
                fill(rows, c, Records(weights[:sound], steps[:sound]), truth)
                if failure:
                    reached.failures[c] = failure
                    reached.diverged[c] = start + n_rows
            reached.processed += len(inputs)
            recording.write(r, start // plan.every + 1, rows)
            stopped = self.stopped.is_set()
            ended = reached.processed == plan.n_samples
            recording.keep(r, reached, states, at_once=stopped or ended)
            advance(len(inputs))
            if stopped:
                break
        return reached

    def _blocks(self, realization: Realization, start: int) -> Iterator[Floats]:
        """Yield the samples from `start` on, as many at a time as take about `_MOMENT`."""
        plan, n = self.layout.plan, self.environment.n_neurons
        largest = self.block_size or plan.block_size(n)
        size = largest if self.block_size else min(largest, _FIRST_BLOCK)
        for block in realization.blocks(plan.n_samples, largest, start):
            taken = 0
            while taken < len(block):
                began = time.monotonic()
                piece = block[taken : taken + size]
                yield piece
                taken += len(piece)
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


def named_circuits(circuits: Circuit | Mapping[str, Circuit]) -> dict[str, Circuit]:
    """Return circuits by name; a lone one is called after its type."""
    expected = "circuits must be a circuit or a mapping of names to circuits"
    if isinstance(circuits, Circuit):
        return {type(circuits).__name__.removesuffix("Circuit").lower(): circuits}
    if not isinstance(circuits, Mapping):
        raise TypeError(f"{expected}, got {circuits!r}")
    if not circuits:
        raise ValueError(f"{expected}, got an empty one")
    for name, circuit in circuits.items():
        if not (isinstance(name, str) and isinstance(circuit, Circuit)):
            raise TypeError(f"{expected}, got {name!r}: {circuit!r}")
    return dict(circuits)
