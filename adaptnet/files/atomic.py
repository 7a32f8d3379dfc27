"""Bytes on disk: the only functions of the package that change files.

Each either does all it says or leaves what was there, whatever stops the process, and the disk has
been asked to keep the data before its name says that it is there.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

# The ways to change a disk, named so that tests can make each fail.
_write = os.write
_sync = os.fsync
_rename = os.replace
_link = getattr(os, "link", None)

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EMLINK, errno.EXDEV)


def open_regular(path: Path, flags: int) -> int:
    """Return a descriptor of a file of the package's own: no link, pipe or device in its place.

    Raises
    ------
    ValueError
        If something other than a file has the name.
    """
    try:
        file = os.open(path, flags | _NO_FOLLOW | _NO_WAIT, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise ValueError(f"{path} is a link or a pipe, expected a file; remove it") from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise ValueError(f"{path} is not a file; remove it")
    return file


def reading(path: Path) -> BinaryIO:
    """Open a file of the package's own for reading."""
    return os.fdopen(open_regular(path, os.O_RDONLY), "rb")


def append(file: int, data: bytes | memoryview) -> None:
    """Write all of `data` to a file descriptor."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[_write(file, rest) :]


def make_durable(file: int) -> None:
    """Return when what was written to a file descriptor outlives a power cut."""
    _sync(file)


def rename(part: Path, target: Path, *, replace: bool = True) -> None:
    """Give the durable file `part` the name `target`, durably.

    Raises
    ------
    FileExistsError
        If `replace` is false and a file has that name.
    """
    if replace:
        _rename(part, target)
    else:
        _rename_to_new(part, target)
    if sys.platform == "win32":  # has no way to sync a folder
        return
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        make_durable(folder)
    finally:
        os.close(folder)


def _rename_to_new(part: Path, target: Path) -> None:
    """Rename `part` unless a file has the name `target`, in one step if the file system can."""
    try:
        if _link is not None and sys.platform != "win32":
            _link(part, target)
            part.unlink()
            return
    except FileExistsError:
        raise FileExistsError(f"{target} appeared meanwhile and is not replaced") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    if target.exists():
        raise FileExistsError(f"{target} appeared meanwhile and is not replaced")
    _rename(part, target)


def remove(paths: Iterable[Path]) -> None:
    """Remove those of some files that are there."""
    for path in paths:
        path.unlink(missing_ok=True)


def empty(path: Path) -> None:
    """Free the space of a file, and remove it.

    The netCDF library keeps a file open that it failed to write, so that removing the name alone
    would leave a full disk full until the process ends.
    """
    with contextlib.suppress(OSError, ValueError):
        file = open_regular(path, os.O_WRONLY)
        if os.fstat(file).st_nlink == 1:  # else the content has got its final name already
            os.ftruncate(file, 0)
        os.close(file)
    path.unlink(missing_ok=True)
