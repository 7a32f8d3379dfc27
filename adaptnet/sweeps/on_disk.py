"""A sweep that is kept on disk: resumed, extended, shared between processes."""

import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import xarray as xr

from adaptnet.files import storage
from adaptnet.files.paths import require_folder
from adaptnet.files.schema import SWEEP
from adaptnet.sweeps.collection import Collection
from adaptnet.sweeps.computing import compute
from adaptnet.sweeps.labels import labelled
from adaptnet.sweeps.plan import Sweep
from adaptnet.sweeps.store import FolderStore, lock
from adaptnet.sweeps.tasks import Job

_log = logging.getLogger(__name__)


def on_disk(
    planned: Sweep,
    job: Job,
    target: Path,
    executor: Executor | int | None,
    per_task: int | None,
    share: tuple[int, int] | None,
    progress: bool | None,
    overwrite: bool,
    added: Mapping[str, Any],
) -> xr.Dataset:
    """Return the sweep at `target`, computing what is missing of it, or of a share of it.

    Raises
    ------
    FileExistsError
        If something else is there, and `overwrite` is false.
    BlockingIOError
        If another process is at it.
    """
    require_folder(target)
    before = _before(planned, target, overwrite=overwrite)
    if before is not None and set(planned.keys()) <= _finished_keys(before, planned):
        _log.info("%s is finished and is not run again", target)
        return before
    store = FolderStore(target)
    locks = lock(store, share)
    try:
        _claim(store, planned, overwrite=overwrite)
        if share is None:
            store.clear_marks()
        parts = Collection(planned, store, before)
        with store.resumable():
            compute(parts, job, executor, per_task, share, progress)
        dataset = labelled(parts, added)
        if share is None:
            storage.save(dataset, target, overwrite=overwrite or before is not None)
            store.discard()
    finally:
        for held in reversed(locks):
            held.release()
    return dataset


def _before(planned: Sweep, target: Path, *, overwrite: bool) -> xr.Dataset | None:
    """Return the finished sweep at `target` if the one that is planned contains it.

    Raises
    ------
    FileExistsError
        If something else is there, which would be lost, and `overwrite` is false.
    """
    if not target.exists():
        return None
    refusal = "choose another name, or replace it on purpose with overwrite=True"
    try:
        before = storage.load(target)
    except ValueError:
        if overwrite:
            return None
        raise
    if before.attrs.get("kind") != SWEEP:
        if overwrite:
            return None
        raise FileExistsError(f"{target} exists and is no sweep; {refusal}")
    keys = before["point_key"].values.ravel().tolist()
    lost = len(set(keys) - set(planned.keys()))
    if lost and not overwrite:
        raise FileExistsError(
            f"{target} holds {lost} of {len(keys)} points that are not among those asked for "
            "(other values, parameters, seed, code or version); give them as well, to have them "
            f"extended, {refusal}"
        )
    if int(before.attrs["n_replicates"]) > planned.n_replicates and not overwrite:
        raise FileExistsError(
            f"{target} holds {before.attrs['n_replicates']} replicates of each point, more than "
            f"{planned.n_replicates}; {refusal}"
        )
    return None if overwrite else before


def _finished_keys(before: xr.Dataset, planned: Sweep) -> set[str]:
    if int(before.attrs["n_replicates"]) < planned.n_replicates:
        return set()
    return set(before["point_key"].values.ravel().tolist())


def _claim(store: FolderStore, planned: Sweep, *, overwrite: bool) -> None:
    """Make the folder that of the planned sweep, unless it holds another's results.

    Raises
    ------
    FileExistsError
        If it does, and `overwrite` is false.
    """
    description = {
        "sweep": planned.describe(),
        "keys": planned.keys(),
        "n_replicates": planned.n_replicates,
        "swept": list(planned.points.names),
    }
    try:
        found = store.description()
    except FileNotFoundError:
        store.describe(description)
        return
    if found == description:
        return
    there = {name.key for name, _ in store.entries()}
    lost = there - set(planned.keys())
    if lost and not overwrite:
        raise FileExistsError(
            f"{store.path} holds {len(lost)} points of another sweep (other values, parameters, "
            "seed, code or version); choose another name, finish it, or replace it on purpose with "
            "overwrite=True"
        )
    if lost:
        store.remove(lost)
    store.describe(description)
