"""A sweep: many simulations, one labelled Dataset."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import xarray as xr

from adaptnet._checks import whole_number
from adaptnet.errors import SweepWarning
from adaptnet.files.attributes import further
from adaptnet.files.paths import resolved
from adaptnet.seeding import Rng
from adaptnet.simulation.executors import checked_executor, require_portable
from adaptnet.sweeps.collection import Collection
from adaptnet.sweeps.computing import compute
from adaptnet.sweeps.labels import labelled
from adaptnet.sweeps.on_disk import on_disk
from adaptnet.sweeps.plan import planned
from adaptnet.sweeps.points import Over
from adaptnet.sweeps.store import MemoryStore
from adaptnet.sweeps.tasks import FAILED, Job


def sweep(
    what: Any,
    over: Over,
    *,
    fixed: Mapping[str, Any] | None = None,
    keep: str | Callable[[xr.Dataset], Any] = "readaptation_times",
    keep_runs: str | os.PathLike[str] | None = None,
    n_replicates: int | None = None,
    rng: Rng = 0,
    independent: bool = False,
    with_flow: bool = False,
    path: str | os.PathLike[str] | None = None,
    executor: Executor | int | None = None,
    replicates_per_task: int | None = None,
    n_threads: int = 1,
    share: tuple[int, int] | None = None,
    progress: bool | None = None,
    overwrite: bool = False,
    attributes: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Simulate at many points of a space of parameters, and keep a measure of each run.

    Parameters
    ----------
    what : str, scenario or callable
        The name of a scenario, a scenario or its class; or a function of the swept parameters that
        returns an :class:`adaptnet.Simulation`.
    over : mapping of str to sequence, sequence of mapping, or DataFrame
        Values for each parameter, all combinations of which are simulated; or the points
        themselves, such as :func:`adaptnet.design` returns them. Parameters are those of the
        scenario or function and, beside them, of the circuits: ``"interneuron.n_interneurons"`` of
        one, ``"n_interneurons"`` of all that have it.
    fixed : mapping of str to value, optional
        Parameters that are the same at all points.
    keep : str or callable
        What is kept of each run: a measure of :mod:`adaptnet.readaptation` by name, at the
        scenario's threshold; or a function of a run that returns a Dataset. Points may be split by
        groups of replicates if it is a measure.
    keep_runs : path, optional
        Folder for the runs themselves, as netCDF.
    n_replicates : int, optional
        Replicates at each point; by default the scenario's, or 1.
    rng : None, int, SeedSequence or Generator
        Source of randomness. Replicate r has the same samples at every point, so that differences
        between points are paired.
    independent : bool
        Whether each point has samples of its own instead.
    with_flow : bool
        Whether what is kept of the synaptic flow, which is learning without its noise, stands
        beside as ``flow_...``, for circuits that theory covers; `keep` must be a measure.
    path : path, optional
        netCDF file for the results. Until it is complete, what is done is in the folder
        ``<path>.partial``, from which the same call goes on. With further values, points or
        replicates, the same call computes only those; no bit of what was there changes.
    executor : int or Executor, optional
        A number of processes on this machine, or any executor of ``concurrent.futures``, that of
        Dask or of mpi4py for example; by default this process. No bit depends on it.
    replicates_per_task : int, optional
        Replicates that are computed together; by default all of a point, or fewer if there are
        more workers than points.
    n_threads : int
        Replicates that a task runs at the same time.
    share : (int, int), optional
        ``(3, 64)``: compute the third of 64 shares of the points, and nothing else. Shares may run
        at once, on machines that share the folder of `path`; a call without gathers them.
    progress : bool, optional
        As for :func:`adaptnet.simulate`.
    overwrite : bool
        Whether results of other points or parameters at `path` may be replaced.
    attributes : mapping of str to str, optional
        Further attributes for the Dataset.

    Returns
    -------
    Dataset
        What was kept, over the swept parameters (of a list of points: over ``point``) and its own
        dimensions; and for each point ``status`` (done, diverged, failed, missing), ``message`` and
        ``seconds``. A point that fails does not stop the others.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown (the nearest is suggested) or a value does not fit, before anything
        runs; or something cannot be sent to another process.
    FileExistsError
        If `path` holds results of something else, or of more points.
    BlockingIOError
        If another process is at the sweep.

    Warns
    -----
    SweepWarning
        If points failed or diverged.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> def rotation(learning_rate, contrast):
    ...     environment = SwitchingEnvironment([np.eye(2), contrast * np.eye(2)], block_length=500)
    ...     return an.Simulation(an.DirectCircuit(learning_rate=learning_rate), environment, 1000)
    >>> times = sweep(rotation, {"learning_rate": [0.001, 0.002], "contrast": [4.0, 9.0]})
    >>> dict(times["samples"].sizes)
    {'learning_rate': 2, 'contrast': 2, 'circuit': 1, 'replicate': 1, 'change': 1}
    """
    wanted = planned(what, over, fixed, keep, n_replicates, rng, independent, with_flow)
    executor = checked_executor(executor)
    if executor is not None:
        require_portable(what=wanted.source.what, keep=wanted.keep.function)
    share = _checked_share(share, path)
    per_task = (
        None
        if replicates_per_task is None
        else whole_number("replicates_per_task", replicates_per_task)
    )
    runs = None if keep_runs is None else _folder_of_runs(keep_runs)
    job = Job(
        wanted.source,
        wanted.keep,
        wanted.seed,
        wanted.n_replicates,
        whole_number("n_threads", n_threads),
        runs,
        wanted.with_flow,
    )
    added = further(attributes)
    if path is None:
        parts = Collection(wanted, MemoryStore())
        compute(parts, job, executor, per_task, None, progress)
        dataset = labelled(parts, added)
    else:
        dataset = on_disk(wanted, job, resolved(path), executor, per_task, share, progress,
                          overwrite, added)  # fmt: skip
    _warn(dataset)
    return dataset


def _checked_share(share: Any, path: Any) -> tuple[int, int] | None:
    if share is None:
        return None
    expected = "share must be two whole numbers such as (3, 64), the third of 64 shares"
    if not (isinstance(share, tuple | list) and len(share) == 2):
        raise TypeError(f"{expected}, got {share!r:.100}")
    number, n_shares = (whole_number("share", value) for value in share)
    if number > n_shares:
        raise ValueError(f"{expected}, got {share!r}")
    if path is None:
        raise ValueError("share needs a path, in whose folder the shares meet")
    return number, n_shares


def _folder_of_runs(path: str | os.PathLike[str]) -> Path:
    folder = resolved(path)
    folder.mkdir(exist_ok=True)
    return folder


def _warn(dataset: xr.Dataset) -> None:
    status = dataset["status"].values.ravel()
    wrong = [
        f"{int((status == word).sum())} {word}"
        for word in (FAILED, "diverged")
        if (status == word).any()
    ]
    if wrong:
        first = next(m for m in dataset["message"].values.ravel().tolist() if m)
        warnings.warn(
            f"of {status.size} points, {' and '.join(wrong)}; the first: {first}; the variable "
            "message has all",
            SweepWarning,
            stacklevel=3,
        )
