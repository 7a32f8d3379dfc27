"""Runs that survive: records on disk as they are made, and checkpoints to go on from.

While a run is unfinished, everything is in a folder beside its file. docs/durability.md says what
is in there and what is guaranteed.
"""

import hashlib
import itertools
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, Integers, json_object
from adaptnet.circuits.base import FAILURES, State
from adaptnet.files import atomic, storage
from adaptnet.files.provenance import differences
from adaptnet.files.sizes import readable
from adaptnet.files.storage import working_folder
from adaptnet.simulation.plan import Layout, Reached, Rows
from adaptnet.simulation.sinks.base import Sink, placed

_log = logging.getLogger(__name__)

_MOST = 2**26  # bytes that a folder's description and a checkpoint's first line may have
_PIECE = 2**20  # bytes of rows in memory at a time
_SMALL = 2**14  # records of a single number in a chunk of the netCDF file


def stored_seed(target: Path) -> np.random.SeedSequence | None:
    """Return the seed of the finished or unfinished run at `target`, None where there is none."""
    if target.is_file():
        stored: Mapping[str, Any] = storage.attributes(target)
    else:
        try:
            stored = _description(working_folder(target))
        except FileNotFoundError:
            return None
    return storage.seed(stored, str(target))


def is_finished(target: Path, wanted: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Return whether the run `wanted` is at `target`, whole.

    Raises
    ------
    FileExistsError
        If something else is there and `overwrite` is false.
    ValueError
        If a damaged file is there and `overwrite` is false.
    """
    storage.require_folder(target)
    if overwrite or not target.exists():
        return False
    differing = differences(storage.attributes(target), wanted, software=False)
    if differing:
        raise FileExistsError(_refusal(f"{target} holds a run of other parameters", differing))
    _log.info("%s is finished and is not run again", target)
    folder = working_folder(target)
    if folder.is_dir():  # stopped between the last two steps
        lock = atomic.Lock(folder)
        _discard(folder)
        lock.release()
    return True


def progress_made(target: Path) -> tuple[dict[str, Any], dict[int, int]] | None:
    """Return what an unfinished run is, and samples processed by replicates that have begun.

    None if there is no unfinished run at `target`.
    """
    folder = working_folder(target)
    try:
        description = _description(folder)
    except FileNotFoundError:
        return None
    processed: dict[int, int] = {}
    for path in [*folder.glob("[0-9]*.state"), *folder.glob("[0-9]*.previous")]:
        try:
            reached, _, _ = _reached(_sealed(path))
            processed.setdefault(int(path.stem), reached.processed)
        except (FileNotFoundError, ValueError) as error:
            _log.warning("%s; it is passed over", error)
    return description, processed


@dataclass
class _Open:
    """A replicate that is being recorded."""

    file: int
    digest: "hashlib._Hash"  # of all rows so far
    saved: float  # when


class DiskSink(Sink):
    """A run that is recorded to disk.

    Parameters
    ----------
    target : Path
        The file that the run will be in.
    layout : Layout
    description : mapping
        The attributes of the run; one made under another description is refused.
    overwrite : bool
        Whether an unfinished run of another description is thrown away.
    seconds : float
        Time between checkpoints of a replicate.
    """

    def __init__(
        self,
        target: Path,
        layout: Layout,
        description: Mapping[str, Any],
        *,
        overwrite: bool,
        seconds: float,
    ) -> None:
        self.layout = layout
        self._target = target
        self._folder = working_folder(target)
        self._description = description
        self._overwrite = overwrite
        self._seconds = seconds
        self._open: dict[int, _Open] = {}

    def __enter__(self) -> Self:
        self._require_disk()
        self._lock = atomic.Lock(self._folder)
        try:
            if self._target.exists() and not self._overwrite:
                raise FileExistsError(f"{self._target} was finished by another process just now")
            self._take_up()
        except BaseException:
            self._lock.release()
            raise
        _log.debug("recording to %s", self._folder)
        return self

    def _require_disk(self) -> None:
        """Raise unless what is still to be recorded fits on the disk."""
        there = sum(path.stat().st_size for path in self._folder.glob("[0-9]*.rows"))
        needed = max(self.layout.n_bytes - there, 0) + 8192 * self.layout.n_replicates
        free = shutil.disk_usage(self._target.parent).free
        if needed > free:
            raise OSError(
                f"the records would take {readable(needed)} and {readable(free)} are free at "
                f"{self._target.parent}; raise record_every or record fewer variables"
            )
        if needed + self.layout.n_bytes > free:
            _log.warning(
                "the disk may get full: the file takes up to %s more before the records are "
                "removed, and %s are free at %s",
                readable(needed + self.layout.n_bytes),
                readable(free),
                self._target.parent,
            )

    def _take_up(self) -> None:
        """Make the folder this run's, or see that it is."""
        try:
            stored = _description(self._folder)
            differing = [
                line
                for software in (False, True)
                for line in differences(stored, self._description, software=software)
            ]
            if not differing:
                _log.info("going on with the unfinished run in %s", self._folder)
                return
            problem = f"{self._folder} holds an unfinished run that cannot be gone on with"
        except FileNotFoundError:
            problem = ""
        except ValueError as error:
            differing, problem = [str(error)], f"{self._folder} is damaged"
        if problem and not self._overwrite:
            raise FileExistsError(_refusal(problem, differing))
        atomic.remove(_replicate_files(self._folder))
        atomic.replace(self._folder / "run", json.dumps(dict(self._description)).encode())

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for replicate in self._open.values():
            os.close(replicate.file)
        self._lock.release()
        if isinstance(error, KeyboardInterrupt):
            _log.warning(
                "interrupted; all that was done is saved in %s: the same command, or call, goes "
                "on from there",
                self._folder,
            )
        elif isinstance(error, OSError):
            cause = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
            sentence = (
                f"{cause or error}; what was done until the last checkpoint is in {self._folder}: "
                "when the cause is removed, the same command, or call, goes on from there"
            )
            code = [error.errno] if error.errno else []
            raise OSError(*code, sentence) from error

    def restore(self, replicate: int, states: Sequence[State]) -> Reached | None:
        """Return how far `replicate` was at its last good checkpoint, its `states` brought there.

        None where there is none: then it begins anew.
        """
        for path in (_state(self._folder, replicate), _previous(self._folder, replicate)):
            try:
                return self._restored(path, replicate, states)
            except FileNotFoundError:
                continue
            except ValueError as error:
                _log.warning("%s; it is passed over", error)
        rows = _rows(self._folder, replicate)
        file = os.open(rows, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        self._open[replicate] = _Open(file, hashlib.sha256(), time.monotonic())
        return None

    def _restored(self, path: Path, replicate: int, states: Sequence[State]) -> Reached:
        arrays = [array for state in states for array in state]
        content = atomic.sealed_content(path, _MOST + sum(array.nbytes for array in arrays))
        reached, digest, body = _reached(content)
        plan = self.layout.plan
        if not (
            0 < reached.processed <= plan.n_samples
            and len(reached.diverged) == len(reached.failures) == len(states)
            and all(failure in (0, *FAILURES) for failure in reached.failures)
            and len(body) == sum(array.nbytes for array in arrays)
        ):
            raise ValueError(f"{path} is damaged: it is of another run")
        rows = _rows(self._folder, replicate)
        length = (reached.processed // plan.every + 1) * self.layout.row(replicate).itemsize
        found = hashlib.sha256()
        with rows.open("rb") as file:
            for size in _pieces(length, _PIECE):
                found.update(file.read(size))
        if found.hexdigest() != digest:
            raise ValueError(f"{rows} is damaged: it does not match the checksum in {path}")
        for array in arrays:
            array[...] = np.frombuffer(body[: array.nbytes], array.dtype).reshape(array.shape)
            body = body[array.nbytes :]
        if reached.processed < plan.n_samples:
            os.truncate(rows, length)
            open_ = os.open(rows, os.O_WRONLY | os.O_APPEND)
            self._open[replicate] = _Open(open_, found, time.monotonic())
        _log.debug("replicate %d goes on after %d samples", replicate, reached.processed)
        return reached

    def write(self, replicate: int, first: int, rows: Rows) -> None:
        """Append rows to those of a replicate."""
        if rows.size:
            data = rows.tobytes()
            self._open[replicate].digest.update(data)
            atomic.append(self._open[replicate].file, data)

    def keep(
        self, replicate: int, reached: Reached, states: Sequence[State], *, at_once: bool
    ) -> None:
        """Make rows and state durable, if the last time is long enough ago or it must be now."""
        recorded = self._open[replicate]
        if not at_once and time.monotonic() - recorded.saved < self._seconds:
            return
        if not self._lock.is_held():
            raise FileNotFoundError(f"{self._folder} was removed while the run was under way")
        atomic.make_durable(recorded.file)
        path = _state(self._folder, replicate)
        if path.exists():
            path.replace(_previous(self._folder, replicate))
        head = {**vars(reached), "rows_sha256": recorded.digest.hexdigest()}
        body = [np.ascontiguousarray(array).tobytes() for state in states for array in state]
        atomic.replace(path, b"".join([json.dumps(head).encode(), b"\n", *body]))
        recorded.saved = time.monotonic()
        if reached.processed == self.layout.plan.n_samples:
            os.close(self._open.pop(replicate).file)

    def publish(self, dataset: xr.Dataset, synaptic_times: Callable[[Integers], Floats]) -> None:
        """Put the run into its file, from `dataset`, which holds all but records and their times.

        The file appears under its name when it is complete; then the folder is removed.
        """
        layout = self.layout
        n_records = layout.plan.n_records
        at_once = max(1, _PIECE // layout.row(0).itemsize)
        rows_in_chunk = {
            name: min(n_records, at_once * (1 if "neuron" in layout.dims(name) else many))
            for many in [max(1, _SMALL // at_once)]
            for name in layout.names
        }
        with atomic.whole(self._target, self._folder) as part:
            with storage.appending(part, dataset, rows_in_chunk) as variables:
                for r in range(layout.n_replicates):
                    for first, rows in self._recorded(r, at_once):
                        for name in rows.dtype.names or ():
                            index, values = placed(layout, name, r, first, rows)
                            variables[name][index] = values
                for first in range(0, n_records, _SMALL):
                    last = min(first + _SMALL, n_records)
                    samples = np.arange(first, last) * layout.plan.every
                    variables["sample"][first:last] = samples
                    variables["synaptic_time"][:, first:last] = synaptic_times(samples)
            atomic.seal(part)
        _discard(self._folder)

    def _recorded(self, replicate: int, at_once: int) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of a finished replicate, and the number of the first of them.

        Raises
        ------
        OSError
            If they are not what was written.
        """
        row = self.layout.row(replicate)
        n_records = self.layout.plan.n_records
        path = _rows(self._folder, replicate)
        _, digest, _ = _reached(_sealed(_state(self._folder, replicate)))
        found = hashlib.sha256()
        with path.open("rb") as file:
            for first in range(0, n_records, at_once):
                data = file.read(min(at_once, n_records - first) * row.itemsize)
                found.update(data)
                if len(data) % row.itemsize == 0:
                    yield first, np.frombuffer(data, row)
        if found.hexdigest() != digest:
            raise OSError(f"{path} was damaged after it was written; it will be made again")


def _description(folder: Path) -> dict[str, Any]:
    """Return what the run in a working folder is."""
    content = atomic.sealed_content(folder / "run", _MOST)
    description = json_object(content.decode(errors="replace"), f"{folder / 'run'}")
    if not isinstance(description.get("n_replicates"), int):
        raise ValueError(f"{folder / 'run'} is damaged: it does not say how many replicates")
    return description


def _sealed(path: Path) -> bytes:
    return atomic.sealed_content(path, path.stat().st_size)


def _reached(content: bytes) -> tuple[Reached, str, bytes]:
    """Return what a checkpoint holds: how far it is, the rows' checksum, the states' bytes."""
    line, _, body = content.partition(b"\n")
    head = json_object(line.decode(errors="replace"), "a checkpoint")
    try:
        digest = str(head.pop("rows_sha256"))
        reached = Reached(**head)
        numbers = [reached.processed, *reached.diverged, *reached.failures]
    except (KeyError, TypeError) as error:
        raise ValueError(f"a checkpoint is damaged: {error}") from error
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError("a checkpoint is damaged: it holds no numbers where it should")
    return reached, digest, body


def _pieces(length: int, most: int) -> Iterator[int]:
    while length > 0:
        yield min(length, most)
        length -= most


def _rows(folder: Path, replicate: int) -> Path:
    return folder / f"{replicate}.rows"


def _state(folder: Path, replicate: int) -> Path:
    return folder / f"{replicate}.state"


def _previous(folder: Path, replicate: int) -> Path:
    return folder / f"{replicate}.previous"


def _replicate_files(folder: Path) -> Iterator[Path]:
    patterns = ("[0-9]*.rows", "[0-9]*.state", "[0-9]*.previous", "*.part")
    return itertools.chain.from_iterable(folder.glob(pattern) for pattern in patterns)


def _discard(folder: Path) -> None:
    """Remove a working folder, and nothing in it that this module did not put there."""
    last = [folder / "lock"]  # until then nobody else can take the folder
    atomic.remove(itertools.chain([folder / "run"], _replicate_files(folder), last))
    try:
        folder.rmdir()
    except OSError as error:
        _log.warning("%s is no longer needed but could not be removed: %s", folder, error)


def _refusal(problem: str, differing: Sequence[str]) -> str:
    return "\n    ".join(
        [
            f"{problem}; choose another name, give the same parameters, or replace it on purpose "
            "(overwrite=True, --overwrite):",
            *differing,
        ]
    )
