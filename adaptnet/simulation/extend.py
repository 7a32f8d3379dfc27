"""More samples for a finished run, to the same bits as if it had been run for all at once."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import whole_number
from adaptnet.circuits.base import State
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.files import interrupts
from adaptnet.files.on_demand import opened
from adaptnet.files.paths import resolved
from adaptnet.files.provenance import differences
from adaptnet.kernels.status import Status
from adaptnet.protocols import Environment
from adaptnet.simulation.experiment import Experiment
from adaptnet.simulation.label import description, labelled, synaptic_times, warn_of_divergence
from adaptnet.simulation.loop import Loop
from adaptnet.simulation.plan import ACTIVITIES
from adaptnet.simulation.rows import Rows, blank, fill, truth_at
from adaptnet.simulation.sinks import disk
from adaptnet.simulation.sinks.base import Reached, Sink, placed
from adaptnet.simulation.sinks.folder import Folder
from adaptnet.simulation.sinks.memory import MemorySink
from adaptnet.simulation.states import NAME, bring
from adaptnet.simulation.threads import n_cores, single_threaded_blas
from adaptnet.simulation.verify import stored_experiment

_RECORDS = 2**12  # of a replicate in memory at a time


@single_threaded_blas()
def extend(
    run: xr.Dataset | str | os.PathLike[str],
    environment: Environment,
    n_more: int,
    *,
    n_threads: int | None = None,
    progress: bool | None = None,
    checkpoint_seconds: float = 30.0,
) -> xr.Dataset:
    """Append samples to a finished run, which then equals the longer run bit for bit.

    Parameters
    ----------
    run : Dataset or path
        A simulation. A file is replaced by the longer run when that is complete; until then it
        stays as it is, and a call that was interrupted is resumed by the same call.
    environment : Environment
        The environment of its parameters.
    n_more : int
        Samples per replicate to append.
    n_threads, progress, checkpoint_seconds
        As for :func:`simulate`.

    Returns
    -------
    Dataset
        The longer run.

    Raises
    ------
    TypeError, ValueError
        If the run is not a simulation with the states it ended in, or is of another environment.
    FileExistsError
        If an unfinished run of other parameters is in the way.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> from adaptnet.simulation.array_environment import given
    >>> from adaptnet.simulation.simulate import simulate
    >>> inputs = np.random.default_rng(0).normal(size=(500, 3))
    >>> short = simulate(DirectCircuit(), inputs[:200], record_every=100)
    >>> longer = extend(short, given(inputs, 500), 300)
    >>> longer.equals(simulate(DirectCircuit(), inputs, record_every=100))
    True
    """
    threads = n_cores() if n_threads is None else whole_number("n_threads", n_threads)
    target = None if isinstance(run, xr.Dataset) else resolved(run)
    stored = run if isinstance(run, xr.Dataset) else opened(resolved(run))
    before = stored_experiment(stored, environment)
    if NAME not in stored:
        raise ValueError(
            f"the run must hold the states that its circuits ended in ({NAME}); run it again"
        )
    n_samples = before.layout.plan.n_samples + whole_number("n_more", n_more)
    after = stored_experiment(stored, environment, n_samples)
    earlier = Earlier(stored, before, after)
    earlier.refuse_what_is_unknown()
    if target is None:
        sink = _ExtendedInMemory(after, earlier)
        loop = Loop(after, sink)
        reached = loop.run(range(after.layout.n_replicates), threads, progress)
        samples = after.layout.plan.all_samples
        dataset = labelled(after, sink.arrays, reached, samples, loop.ended())
        warn_of_divergence(after, reached)
        return dataset
    return _on_disk(after, earlier, target, threads, progress, checkpoint_seconds)


def _on_disk(
    after: Experiment,
    earlier: Earlier,
    target: Path,
    n_threads: int,
    progress: bool | None,
    seconds: float,
) -> xr.Dataset:
    attributes, layout = description(after), after.layout
    _refuse_another(target, attributes)
    with _ExtendedOnDisk(target, attributes, after, earlier, seconds) as sink:
        loop = Loop(after, sink)
        reached = loop.run(range(layout.n_replicates), n_threads, progress)
        nothing = {name: np.zeros(layout.shape(name, 0)) for name in layout.names}
        with interrupts.allowed():  # noise floors of many neurons take minutes
            dataset = labelled(after, nothing, reached, np.empty(0, np.int64), loop.ended())
        sink.publish(dataset, functools.partial(synaptic_times, after))
    warn_of_divergence(after, reached)
    return opened(target)


def _refuse_another(target: Path, attributes: dict[str, Any]) -> None:
    """Raise if an unfinished run of other parameters is kept beside `target`."""
    try:
        kept = Folder(target).description()
    except FileNotFoundError:
        return
    differing = differences(kept, attributes, software=False)
    if differing:
        raise FileExistsError(
            f"{Folder(target).path} holds an unfinished run of other parameters; finish it by the "
            "call that began it, or remove it:\n    " + "\n    ".join(differing)
        )


@dataclass
class Earlier:
    """What a finished run holds of a longer one."""

    stored: xr.Dataset
    before: Experiment
    after: Experiment

    @property
    def n_samples(self) -> int:
        """Samples of the finished run."""
        return self.before.layout.plan.n_samples

    def begin(self, sink: Sink, replicate: int, states: Sequence[State]) -> Reached:
        """Write what is known of a replicate to a sink, and bring `states` to its end."""
        diverged, failures = self._divergence(replicate)
        for c, state in enumerate(states):
            if not failures[c]:
                bring(state, self.stored[NAME].values[c, replicate])
        plan = self.after.layout.plan
        n_known = plan.n_records_until(self.n_samples - 1)
        for first in range(0, n_known, _RECORDS):
            sink.write(
                replicate, first, self._rows(replicate, first, min(first + _RECORDS, n_known))
            )
        if plan.n_records_until(self.n_samples) > n_known:
            sink.write(replicate, n_known, self._last_row(replicate, n_known, states, failures))
        reached = Reached(self.n_samples, diverged, failures)
        sink.keep(replicate, reached, states, at_once=True)
        return reached

    def refuse_what_is_unknown(self) -> None:
        """Raise if the last sample becomes a record that cannot be known."""
        integrated = any(
            isinstance(getattr(circuit, "dynamics", None), IntegratedDynamics)
            for circuit in self.after.circuits.values()
        )
        if self.after.output_timescale is not None:
            raise ValueError(
                "the run has recorded empirical errors, and what they follow from was not stored; "
                "run it again for all samples"
            )
        layout = self.after.layout
        unknown = not {"response"} <= set(layout.names) and not set(ACTIVITIES).isdisjoint(
            layout.names
        )
        if integrated and (self._must_record_the_end() or unknown):
            raise ValueError(
                f"how many Euler steps sample {self.n_samples - 1}, the last, took was not "
                "recorded, and the longer run records what follows from it; run it again for all "
                "samples"
            )

    def _must_record_the_end(self) -> bool:
        """Return whether the longer run records the last sample and this one did not."""
        n = self.n_samples
        return self.after.layout.plan.n_records_until(n) > self.before.layout.plan.n_records

    def _divergence(self, replicate: int) -> tuple[list[int], list[int]]:
        diverged = self.stored["diverged_sample"].values[:, replicate].tolist()
        codes = self.stored[NAME].values[:, replicate, 0].tolist()
        failures = [
            int(Status(code)) if sample >= 0 else 0
            for sample, code in zip(diverged, codes, strict=True)
        ]
        return diverged, failures

    def _rows(self, replicate: int, first: int, last: int) -> Rows:
        """Return records of a replicate as they are stored."""
        layout = self.after.layout
        rows = np.zeros(last - first, layout.row(replicate))
        for name in rows.dtype.names or ():
            index, _ = placed(layout, name, replicate, first, rows)
            values = self.stored[name].variable[index].values
            rows[name] = np.moveaxis(values, 0, 1) if "circuit" in layout.dims(name) else values
        return rows

    def _last_row(
        self, replicate: int, record: int, states: Sequence[State], failures: Sequence[int]
    ) -> Rows:
        """Return the record at the end, with what only a longer run knows of it."""
        layout, sample = self.after.layout, np.array([self.n_samples])
        realization = self.after.realization(replicate)
        following = None
        if layout.needs_inputs:
            n_samples = layout.plan.n_samples
            following = next(realization.blocks(n_samples, 1, self.n_samples))
        truth = truth_at(realization, sample, layout, following)
        made = blank(layout, replicate, truth)
        must = self._must_record_the_end()
        known = made if must else self._rows(replicate, record, record + 1)
        for c, (circuit, state) in enumerate(
            zip(self.after.circuits.values(), states, strict=True)
        ):
            if not failures[c]:
                records = {n: v[None] for n, v in circuit.initial_records(state).items()}
                if "response" in records and "response" in (known.dtype.names or ()) and not must:
                    records["response"] = known["response"][:, c]
                fill(made, c, records, circuit.response, truth, circuit.activities)
        if must:
            return made
        for name in {"inputs", "outputs", "interneuron_activity"} & set(known.dtype.names or ()):
            known[name] = made[name]
        return known


class _ExtendedInMemory(MemorySink):
    def __init__(self, after: Experiment, earlier: Earlier) -> None:
        super().__init__(after.layout)
        self._earlier = earlier

    def restore(self, replicate: int, states: Sequence[State]) -> Reached | None:
        return self._earlier.begin(self, replicate, states)


class _ExtendedOnDisk(disk.DiskSink):
    def __init__(
        self,
        target: Path,
        attributes: dict[str, Any],
        after: Experiment,
        earlier: Earlier,
        seconds: float,
    ) -> None:
        super().__init__(target, after.layout, attributes, overwrite=True, seconds=seconds)
        self._earlier = earlier

    def restore(self, replicate: int, states: Sequence[State]) -> Reached | None:
        """Return to a checkpoint of the longer run or, without one, to the finished run."""
        reached = super().restore(replicate, states)
        return self._earlier.begin(self, replicate, states) if reached is None else reached
