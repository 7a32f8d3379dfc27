"""The simulation: its arguments checked, run, and handed back as a Dataset."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import positive_number, whole_number
from adaptnet.circuits.base import Circuit
from adaptnet.files import interrupts
from adaptnet.files.attributes import further
from adaptnet.files.on_demand import opened
from adaptnet.files.paths import resolved
from adaptnet.protocols import Environment
from adaptnet.seeding import Rng, root_seed
from adaptnet.simulation.array_environment import given, refuse_copies, refuse_length
from adaptnet.simulation.distributed import distribute
from adaptnet.simulation.executors import checked_executor, require_portable
from adaptnet.simulation.experiment import Experiment, experiment, window_around
from adaptnet.simulation.label import description, labelled, synaptic_times, warn_of_divergence
from adaptnet.simulation.loop import Loop
from adaptnet.simulation.observed import checked_timescale
from adaptnet.simulation.plan import Plan, checked_variables, run_layout
from adaptnet.simulation.sinks import disk, existing
from adaptnet.simulation.sinks.memory import MemorySink, require_memory_for
from adaptnet.simulation.states import digest, starting_states
from adaptnet.simulation.threads import n_cores, single_threaded_blas


@single_threaded_blas()
def simulate(
    circuits: Circuit | Mapping[str, Circuit],
    environment: Environment | npt.ArrayLike,
    n_samples: int | None = None,
    *,
    n_replicates: int = 1,
    rng: Rng = None,
    record_every: int = 1,
    record: Sequence[str] | None = None,
    record_changes: bool = True,
    record_around: tuple[int, int] | None = None,
    output_timescale: float | None = None,
    block_size: int | None = None,
    n_threads: int | None = None,
    progress: bool | None = None,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    checkpoint_seconds: float = 30.0,
    attributes: Mapping[str, str] | None = None,
    start: xr.Dataset | None = None,
    executor: Executor | int | None = None,
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
        Variables to record: whitening_error, frobenius_error, empirical_whitening_error,
        empirical_frobenius_error, covariance, inputs, and what the circuits declare, such as
        outputs, effective_weights or fast_steps. By default both true errors, and fast_steps if
        dynamics are integrated; for an array the effective weights.
    record_changes : bool
        Whether the samples at which a covariance begins or ends to change, in any replicate, are
        recorded too. Without them an error may rise and fall unseen between two records.
    record_around : (int, int), optional
        Numbers of samples before and after each change of context, in any replicate, all of which
        are recorded.
    output_timescale : float, optional
        Samples over which outputs fade from the second moments that empirical errors are of. It
        has to be given if these are recorded, which looks at every output: a run then takes
        several times as long.
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
        arguments resumes it, however the last one ended, to the same result bit for bit. If the
        file is complete, nothing is run. If `rng` is None, the seed of an earlier call is used
        again.
    overwrite : bool
        Whether a file at `path`, or an unfinished run, of other parameters may be replaced.
    checkpoint_seconds : float
        At most so much time of each replicate is lost when the process is killed.
    attributes : mapping of str to str, optional
        Further attributes for the Dataset.
    start : Dataset, optional
        A run with circuits of the same names, kinds and sizes, which go on from the states that
        they ended in: replicate by replicate or, if it has one replicate, all from that. Samples,
        and with them decaying learning rates, count from 0 again; `environment` is any.
    executor : int or Executor, optional
        A number of processes on this machine, or any executor of ``concurrent.futures``, which run
        groups of replicates, one thread each; `n_threads` and `checkpoint_seconds` are then not
        used: a group that is interrupted begins again. Never changes a result.

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
        raise TypeError("n_samples must be given if inputs come from an environment, got None")
    refuse_copies(environment, n_replicates)
    plan = Plan(
        n_samples,
        whole_number("record_every", record_every),
        checked_variables(record, environment.truth, named),
    )
    timescale = checked_timescale(output_timescale, plan.variables, named)
    seconds = positive_number("checkpoint_seconds", checkpoint_seconds, zero=True)
    n_threads = n_cores() if n_threads is None else whole_number("n_threads", n_threads)
    block_size = None if block_size is None else whole_number("block_size", block_size)
    target = None if path is None else resolved(path)
    if target is not None and rng is None and not overwrite:
        rng = existing.stored_seed(target)
    # Refuse what does not fit before files appear and work is done.
    refuse_length(environment, n_samples)
    for circuit in named.values():
        circuit.initial_state(environment.n_neurons)
    starting, origin = None, {}
    if start is not None:
        starting = starting_states(start, named, environment.n_neurons, n_replicates)
        origin = {"start_sha256": digest(starting)}
    layout = run_layout(
        plan, named, environment.n_neurons, n_replicates, shared=environment.shared_path
    )
    require_memory_for(layout) if target is None else disk.require_disk(target, layout)
    described = experiment(
        named,
        environment,
        root_seed(rng),
        plan,
        n_replicates,
        record_changes=record_changes,
        record_around=window_around(record_around),
        block_size=block_size,
        output_timescale=timescale,
        attributes={**further(attributes), **origin},
        starting=starting,
    )
    executor = checked_executor(executor)
    if executor is not None:
        require_portable(circuits=named, environment=environment)
    if target is None:
        return _in_memory(described, n_threads, executor, progress)
    return _on_disk(described, target, n_threads, executor, progress, seconds, overwrite=overwrite)


def _in_memory(
    described: Experiment, n_threads: int, executor: Executor | int | None, progress: bool | None
) -> xr.Dataset:
    sink, samples = MemorySink(described.layout), described.layout.plan.all_samples
    if executor is None:
        loop = Loop(described, sink)
        reached, states = loop.run(_all(described), n_threads, progress), loop.ended()
    else:
        ends = distribute(described, sink, executor, progress)
        reached = [ends[number].reached for number in _all(described)]
        states = [ends[number].states for number in _all(described)]
    dataset = labelled(described, sink.arrays, reached, samples, states)
    warn_of_divergence(described, reached)
    return dataset


def _on_disk(
    described: Experiment,
    target: Path,
    n_threads: int,
    executor: Executor | int | None,
    progress: bool | None,
    seconds: float,
    *,
    overwrite: bool,
) -> xr.Dataset:
    attributes = description(described)
    if not existing.is_finished(target, attributes, overwrite=overwrite):
        layout = described.layout
        with disk.DiskSink(
            target, layout, attributes, overwrite=overwrite, seconds=seconds
        ) as sink:
            if executor is not None:
                distribute(described, sink, executor, progress)
                progress = False  # what is left are replicates that were begun without
            loop = Loop(described, sink)
            reached = loop.run(_all(described), n_threads, progress)
            nothing = {name: np.zeros(layout.shape(name, 0)) for name in layout.names}
            samples = np.empty(0, np.int64)
            with interrupts.allowed():  # noise floors of many neurons take minutes
                dataset = labelled(described, nothing, reached, samples, loop.ended())
            sink.publish(dataset, functools.partial(synaptic_times, described))
        warn_of_divergence(described, reached)
    return opened(target)


def _all(described: Experiment) -> range:
    return range(described.layout.n_replicates)


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
