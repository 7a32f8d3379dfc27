"""A run that is recorded to disk, with checkpoints from which it is resumed.

While a run is unfinished, everything is in a folder beside its file. docs/durability.md says what
is in there and what is guaranteed.
"""

import contextlib
import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import State
from adaptnet.files import interrupts, seals
from adaptnet.files.atomic import empty
from adaptnet.files.attributes import require_attributes
from adaptnet.files.locks import Lock
from adaptnet.files.paths import require_folder, require_replaceable
from adaptnet.files.provenance import differences
from adaptnet.files.sizes import readable
from adaptnet.simulation.plan import Layout
from adaptnet.simulation.rows import Rows
from adaptnet.simulation.sinks.base import Reached, Sink
from adaptnet.simulation.sinks.checkpoint import Checkpoint, as_bytes, n_bytes
from adaptnet.simulation.sinks.existing import refusal
from adaptnet.simulation.sinks.folder import Folder
from adaptnet.simulation.sinks.publication import publish, rehearse
from adaptnet.simulation.sinks.rows import RowsFile, digest_of

_log = logging.getLogger(__name__)

_RESUME = "the same command, or call, resumes it"
_HEAD = 2**24  # bytes that the first line of a checkpoint may have


def require_disk(target: Path, layout: Layout) -> None:
    """Raise unless there is a folder for the file, and room for what is still to be recorded."""
    require_folder(target)
    needed = max(layout.n_bytes - Folder(target).rows_bytes(), 0) + 8192 * layout.n_replicates
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise OSError(
            f"the records would take {readable(needed)} and {readable(free)} are free at "
            f"{target.parent}; raise record_every or record fewer variables"
        )
    if needed + layout.n_bytes > free:
        _log.warning(
            "the disk may get full: the file takes up to %s more before the records are "
            "removed, and %s are free at %s",
            readable(needed + layout.n_bytes),
            readable(free),
            target.parent,
        )


class DiskSink(Sink):
    """A run that is recorded to disk.

    Until it is left, exceptions of signals are raised only between blocks, so that nothing is
    closed or unlocked that a thread still uses.

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
        self._folder = Folder(target)
        self._description = description
        self._overwrite = overwrite
        self._seconds = seconds
        self._open: dict[int, RowsFile] = {}
        self._held = interrupts.held()

    def __enter__(self) -> Self:
        require_attributes(self._description, "the run")
        require_replaceable(self._target)
        with contextlib.ExitStack() as undone:
            undone.enter_context(self._held)
            require_disk(self._target, self.layout)
            self._lock = Lock(self._folder.path)
            undone.callback(self._lock.release)
            if self._target.exists() and not self._overwrite:
                raise FileExistsError(f"{self._target} was finished by another process just now")
            self._resume_or_begin()
            rehearse(self._folder, self._description)
            undone.pop_all()
        _log.debug("recording to %s", self._folder.path)
        return self

    def _resume_or_begin(self) -> None:
        """Make the folder this run's, or see that it is."""
        try:
            stored = self._folder.description()
            differing = [
                line
                for software in (False, True)
                for line in differences(stored, self._description, software=software)
            ]
            if not differing:
                _log.info("resuming the unfinished run in %s", self._folder.path)
                return
            problem = f"{self._folder.path} holds an unfinished run that cannot be resumed"
        except FileNotFoundError:
            problem = ""
        except ValueError as error:
            differing, problem = [str(error)], f"{self._folder.path} is damaged"
        if problem and not self._overwrite:
            raise FileExistsError(refusal(problem, differing))
        self._folder.describe(self._description)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            for rows in self._open.values():
                rows.close()
            is_there = self._lock.is_held()
            self._lock.release()
            if isinstance(error, KeyboardInterrupt) and is_there:
                _log.warning(
                    "interrupted; all that was done is saved in %s: %s", self._folder.path, _RESUME
                )
            elif isinstance(error, OSError) and is_there:
                raise _resumable(error, self._folder.path) from error
        finally:
            self._held.__exit__(None, None, None)

    def restore(self, replicate: int, states: Sequence[State]) -> Reached | None:
        """Bring `states` to the last good checkpoint of `replicate`, or return None without one."""
        for path in (self._folder.state(replicate), self._folder.previous(replicate)):
            try:
                return self._restored(path, replicate, states)
            except FileNotFoundError:
                continue
            except ValueError as error:
                _log.warning("%s; it is ignored", error)
        rows = self._folder.rows(replicate)
        self._open[replicate] = RowsFile(rows, 0, 0, hashlib.sha256())
        return None

    def _restored(self, path: Path, replicate: int, states: Sequence[State]) -> Reached:
        checkpoint = Checkpoint.decoded(seals.content(path, _HEAD + n_bytes(states)), path)
        if not checkpoint.fits(self.layout.plan.n_samples, states):
            raise ValueError(f"{path} is damaged: it is of another run")
        rows = self._folder.rows(replicate)
        length = checkpoint.n_rows * self.layout.row(replicate).itemsize
        digest = digest_of(rows, length)
        if digest.hexdigest() != checkpoint.rows_sha256:
            raise ValueError(f"{rows} is damaged: it does not match the checksum in {path}")
        checkpoint.bring(states)
        processed = checkpoint.reached.processed
        if processed < self.layout.plan.n_samples:
            self._open[replicate] = RowsFile(rows, checkpoint.n_rows, length, digest)
        _log.debug("replicate %d is resumed after %d samples", replicate, processed)
        return checkpoint.reached

    def write(self, replicate: int, first: int, rows: Rows) -> None:
        """Append rows to those of a replicate."""
        if rows.size:
            self._open[replicate].append(rows)

    def keep(
        self, replicate: int, reached: Reached, states: Sequence[State], *, at_once: bool
    ) -> None:
        """Make rows and state durable, if the last time is long enough ago or it must be now."""
        rows = self._open[replicate]
        if not at_once and time.monotonic() - rows.saved < self._seconds:
            return
        if not self._lock.is_held():
            raise FileNotFoundError(
                f"{self._folder.path} was removed while the run was under way, and what it held "
                "is lost; begin again"
            )
        digest = rows.make_durable()
        path = self._folder.state(replicate)
        if path.exists():
            path.replace(self._folder.previous(replicate))
        checkpoint = Checkpoint(reached, rows.n_rows, digest, as_bytes(states))
        seals.replace(path, checkpoint.encoded())
        rows.saved = time.monotonic()
        if reached.processed == self.layout.plan.n_samples:
            self._open.pop(replicate).close()

    def publish(self, dataset: xr.Dataset, synaptic_times: Callable[[Integers], Floats]) -> None:
        """Put the run into its file, from `dataset`, which holds all but records and their times.

        The file appears under its name when it is complete; then the folder is removed.
        """
        try:
            publish(
                self._target,
                self._folder,
                self.layout,
                dataset,
                synaptic_times,
                overwrite=self._overwrite,
            )
        except BaseException:
            empty(self._folder.part)
            raise
        self._folder.discard()


def _resumable(error: OSError, folder: Path) -> OSError:
    """Return an error that says what is saved."""
    cause = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    sentence = (
        f"{cause or error}; what was done until the last checkpoint is in {folder}: when the "
        f"cause is removed, {_RESUME}"
    )
    if error.errno:
        return OSError(error.errno, sentence)
    return FileExistsError(sentence) if isinstance(error, FileExistsError) else OSError(sentence)
