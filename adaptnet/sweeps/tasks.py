"""Some replicates of a point: simulated, measured, and kept as bytes."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from adaptnet import readaptation
from adaptnet._words import suggestion
from adaptnet.files.storage import save
from adaptnet.seeding import child_seed
from adaptnet.simulation.averaged import flow
from adaptnet.simulation.simulate import simulate
from adaptnet.simulation.threads import single_threaded_blas
from adaptnet.sweeps.identity import fingerprint
from adaptnet.sweeps.parts import Part, encoded, part_of
from adaptnet.sweeps.points import Value
from adaptnet.sweeps.simulations import Later, Simulation
from adaptnet.sweeps.sources import Source, require_dataset, shown

DONE, FAILED, DIVERGED, MISSING = "done", "failed", "diverged", "missing"


class Keep(NamedTuple):
    """What is kept of a run."""

    function: Callable[[xr.Dataset], Any]
    name: str
    is_per_replicate: bool
    """Whether what is kept of replicates does not depend on which others are there."""

    def describe(self) -> dict[str, Any]:
        """Return what determines what is kept."""
        return {"keep": self.name, "code": fingerprint(self.function)}


def keeping(keep: str | Callable[[xr.Dataset], Any]) -> Keep:
    """Return what to keep of each run: a measure by name, or a function of a run.

    Raises
    ------
    TypeError, ValueError
        If it is neither.
    """
    if callable(keep):
        inner = keep.func if isinstance(keep, functools.partial) else keep
        name = getattr(inner, "__qualname__", type(inner).__qualname__)
        return Keep(keep, name, any(inner is measure for measure in _measures().values()))
    measures = _measures()
    if not isinstance(keep, str) or keep not in measures:
        hint = suggestion(keep, measures) if isinstance(keep, str) else "it is no function"
        raise (ValueError if isinstance(keep, str) else TypeError)(
            f"keep must be a measure's name or a function of a run, got {keep!r:.100}; {hint}"
        )
    return Keep(measures[keep], keep, is_per_replicate=True)


def _measures() -> dict[str, Callable[..., xr.Dataset]]:
    """Return the measures by the name that `measure` takes, and by that of their function."""
    by_function = {measure.__name__: measure for measure in readaptation.MEASURES.values()}
    return {
        **readaptation.MEASURES,
        **by_function,
        "convergence_times": readaptation.convergence_times,
    }


@dataclass(frozen=True)
class Job:
    """What all points of a sweep share, and every worker must know."""

    source: Source
    keep: Keep
    seed: np.random.SeedSequence
    n_replicates: int
    n_threads: int
    keep_runs: Path | None = None
    with_flow: bool = False


@dataclass(frozen=True)
class Task:
    """Replicates `first` to `stop` of a point."""

    point: Mapping[str, Value]
    key: str
    first: int
    stop: int
    independent: bool

    @property
    def name(self) -> str:
        """A name for files: whose results, and which replicates."""
        return f"{self.key}-{self.first}-{self.stop}"

    def seed(self, root: np.random.SeedSequence) -> np.random.SeedSequence:
        """Return the seed whose children are the point's replicates."""
        if not self.independent:
            return root
        words = (int(self.key[start : start + 8], 16) for start in range(0, 32, 8))
        return child_seed(root, *words)


def run_task(job: Job, task: Task) -> bytes:
    """Return what is kept of some replicates of a point; an error in it is kept as such."""
    began = time.monotonic()
    try:
        with single_threaded_blas():
            part = _part(job, task)
    except Exception as error:  # a sweep goes on without the point
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        part = Part({}, {}, FAILED, message)
    return encoded(part._replace(seconds=time.monotonic() - began))


def _part(job: Job, task: Task) -> Part:
    seed, n_replicates = task.seed(job.seed), task.stop - task.first
    if job.source.is_table:
        table = job.source.scenario(task.point).run(
            n_replicates=n_replicates, rng=seed, n_threads=job.n_threads, progress=False
        )
        return part_of(require_dataset(table, job.keep.function), DONE, "", 0.0)
    simulation = job.source.simulation(task.point)
    environment = simulation.environment
    options: dict[str, Any] = {}
    if task.first or hasattr(environment, "shared_path"):
        environment = Later(environment, task.first)  # type: ignore[arg-type]
        # Records at the changes of other replicates would depend on how many there are.
        options["record_changes"] = environment.shared_path
    run = simulate(
        simulation.circuits,
        environment,
        simulation.n_samples,
        n_replicates=n_replicates,
        rng=seed,
        record_every=simulation.record_every,
        record=simulation.record,
        n_threads=job.n_threads,
        progress=False,
        attributes={"point": shown(task.point)},
        **options,
    )
    replicates = run["replicate"].variable.copy(data=np.arange(task.first, task.stop))
    run = run.assign_coords(replicate=replicates)
    if job.keep_runs is not None:
        save(run, job.keep_runs / f"{task.name}.nc", overwrite=True)
    diverged = run["diverged_sample"].values >= 0
    status, message = DONE, ""
    if diverged.any():
        status = DIVERGED
        c, r = (int(index[0]) for index in np.nonzero(diverged))
        message = (
            f"{int(diverged.sum())} of {diverged.size} circuits and replicates diverged, first "
            f"{run['circuit'].values[c]!s}, replicate {task.first + r}, at sample "
            f"{run['diverged_sample'].values[c, r]}"
        )
    kept = require_dataset(_kept(job, task, run), job.keep.function)
    if job.with_flow:
        kept = xr.merge([kept, _of_flow(job, task, simulation, environment, seed)],
                        combine_attrs="override", join="left")  # fmt: skip
    return part_of(kept.drop_attrs(deep=False) if kept is run else kept, status, message, 0.0)


def _of_flow(
    job: Job, task: Task, simulation: Simulation, environment: Any, seed: np.random.SeedSequence
) -> xr.Dataset:
    """Return what is kept of the circuits' flow, of those that theory covers, as ``flow_...``."""
    assert isinstance(simulation.circuits, Mapping)
    covered = {name: c for name, c in simulation.circuits.items() if c.theory is not None}
    shared = environment.shared_path
    if not covered or (shared and task.first):  # all replicates have the same flow
        return xr.Dataset()
    run = flow(
        covered,
        environment,
        simulation.n_samples or 0,
        n_replicates=1 if shared else task.stop - task.first,
        rng=seed,
        record_every=simulation.record_every,
    )
    kept = require_dataset(_kept(job, task, run), job.keep.function)
    if shared:
        kept = kept.isel(replicate=0, drop=True)
    else:
        kept = kept.assign_coords(replicate=np.arange(task.first, task.stop))
    named = {name: f"flow_{name}" for name in map(str, kept.data_vars)}
    for name, values in kept.data_vars.items():
        values.attrs["long_name"] = f"{values.attrs.get('long_name', name)}, of the flow"
    return kept.reset_coords(drop=True).rename(named)


def _kept(job: Job, task: Task, run: xr.Dataset) -> Any:
    """Return what is kept of a run: of a scenario's at its own threshold, if that is measured."""
    function = job.keep.function
    if job.source.is_scenario and function in _measures().values():
        threshold = getattr(job.source.scenario(task.point), "threshold", None)
        if threshold is not None and "threshold" in inspect.signature(function).parameters:
            return function(run, threshold=threshold)  # type: ignore[call-arg]
    return function(run)
