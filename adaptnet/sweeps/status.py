"""How far an unfinished sweep is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adaptnet.files import reading
from adaptnet.files.locks import Lock
from adaptnet.files.paths import resolved
from adaptnet.files.schema import SWEEP
from adaptnet.files.storage import load
from adaptnet.sweeps.store import FolderStore
from adaptnet.sweeps.tasks import FAILED

_RECENT = 50  # parts from which the pace is judged


class Status(NamedTuple):
    """Points of a sweep by how they stand, and the time that is left at the pace of the last ones.

    A point counts as done when all its replicates are, and as missing if any is; parts that are
    being computed count as running.
    """

    done: int
    running: int
    missing: int
    failed: int
    seconds_left: float
    """NaN if nothing was done yet."""

    @property
    def n_points(self) -> int:
        """Number of points."""
        return self.done + self.missing + self.failed


def status(path: str | os.PathLike[str]) -> Status:
    """Return how far the sweep at `path` is.

    Raises
    ------
    FileNotFoundError
        If there is no sweep.
    ValueError
        If what is there is damaged, or no sweep.
    """
    target = resolved(path)
    store = FolderStore(target)
    try:
        described = store.description()
    except FileNotFoundError:
        return _of_finished(target)
    n_replicates, keys = int(described["n_replicates"]), list(described["keys"])
    there = dict.fromkeys(keys, 0)  # replicates that are done
    failed, times = set(), []
    for name, has_failed in store.entries():
        if name.key not in there:
            continue
        if has_failed:
            failed.add(name.key)
        else:
            there[name.key] += name.stop - name.first
            times.append((store.path / f"{name}.done").stat().st_mtime)
    begun = sum(n_done > 0 for n_done in there.values())
    for key, n_done in _of_extended(target).items():
        if key in there:
            there[key] += n_done
    done = sum(n_done >= n_replicates for n_done in there.values())
    left = sum(max(0, n_replicates - n_done) for n_done in there.values()) / n_replicates
    return Status(
        done,
        _running(store),
        len(keys) - done - len(failed),
        len(failed),
        _seconds_left(times, left, begun),
    )


def _of_finished(target: Path) -> Status:
    if not target.exists():
        raise FileNotFoundError(f"there is no sweep at {target}, finished or not")
    dataset = load(target)
    if dataset.attrs.get("kind") != SWEEP:
        raise ValueError(f"{target} is no sweep")
    words = dataset["status"].values.ravel()
    failed = int((words == FAILED).sum())
    return Status(words.size - failed, 0, 0, failed, 0.0)


def _of_extended(target: Path) -> dict[str, int]:
    """Return the replicates that a finished file, which is being extended, has of each point."""
    if not target.exists() or reading.attributes(target).get("kind") != SWEEP:
        return {}
    dataset = load(target)
    keys, words = (dataset[name].values.ravel().tolist() for name in ("point_key", "status"))
    n_replicates = int(dataset.attrs["n_replicates"])
    pairs = zip(keys, words, strict=True)
    return {key: n_replicates for key, word in pairs if word != FAILED}


def _running(store: FolderStore) -> int:
    """Return the number of parts being computed: none if no process has the folder."""
    try:
        lock = Lock(store.path)
    except BlockingIOError:
        return store.running()
    lock.release()
    return 0


def _seconds_left(times: list[float], left: float, n_begun: int) -> float:
    """Return how long what is left takes at the pace of the last parts."""
    if left <= 0:
        return 0.0
    if len(times) < 2:
        return float("nan")
    recent = np.sort(times)[-_RECENT:]
    per_part = (recent[-1] - recent[0]) / (len(recent) - 1)
    return float(left * len(times) / n_begun * per_part)
