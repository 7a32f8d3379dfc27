"""Files that appear under their name when they are complete."""

import contextlib
import glob
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from adaptnet.files import atomic, interrupts
from adaptnet.files.locks import Lock
from adaptnet.files.paths import resolved

_log = logging.getLogger(__name__)
_NAME = 40  # characters of a target's name in that of its folder, which must not get too long


@contextlib.contextmanager
def whole(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a name to write to; it becomes `target`, durably, if the block ends well.

    It lies in a new folder beside `target` that this process holds a lock of, so that any number of
    threads and processes may write to one target: each file is whole, and the last one stays.

    Raises
    ------
    FileExistsError
        If `overwrite` is false and a file has appeared under the name meanwhile.
    """
    target = resolved(target)
    with interrupts.held():
        _remove_leftovers(target)
        folder, lock = _new_folder(target)
    part = folder / f"file{target.suffix}"
    try:
        yield part
        with interrupts.held():
            publish(part, target, overwrite=overwrite)
    finally:
        with interrupts.held():
            _remove(folder)
            lock.release()


def publish(part: Path, target: Path, *, overwrite: bool) -> None:
    """Make a file that other software has written durable, and give it its name.

    Raises
    ------
    FileExistsError
        If `overwrite` is false and a file has appeared under the name meanwhile.
    """
    file = atomic.open_regular(part, os.O_RDWR)
    try:
        atomic.make_durable(file)
    finally:
        os.close(file)
    atomic.rename(part, target, replace=overwrite)


def _prefix(target: Path) -> str:
    return f".{target.name[:_NAME]}."


def _new_folder(target: Path) -> tuple[Path, Lock]:
    while True:
        folder = Path(tempfile.mkdtemp(".part", _prefix(target), target.parent))
        try:
            return folder, Lock(folder)
        except BlockingIOError:  # another process takes it for a leftover
            continue


def _remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed have left; a lock tells which are alive."""
    for folder in target.parent.glob(f"{glob.escape(_prefix(target))}*.part"):
        try:
            lock = Lock(folder)
        except (OSError, ValueError):
            continue
        _remove(folder)
        lock.release()
        _log.info("removed %s, which a process that was killed had left", folder)


def _remove(folder: Path) -> None:
    """Remove a folder of this module's, and nothing in it that this module did not put there."""
    for part in folder.glob("file*"):
        atomic.empty(part)
    (folder / "lock").unlink(missing_ok=True)  # last: until then nobody else can take the folder
    with contextlib.suppress(OSError):
        folder.rmdir()
