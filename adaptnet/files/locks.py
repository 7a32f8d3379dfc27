"""Folders that one process at a time may use."""

import errno
import os
import sys
import weakref
from pathlib import Path

from adaptnet.files import atomic

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_IN_USE = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
_held: "weakref.WeakSet[Lock]" = weakref.WeakSet()


class Lock:
    """A folder held by this process alone, for as long as it lives; made if it is missing.

    Parameters
    ----------
    folder : Path
    shared : bool
        Whether others may hold it too, as long as all of them share it.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    OSError
        If its file system has no locks, or something other than a folder has its name.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._path = folder / "lock"
        while True:
            folder.mkdir(exist_ok=True)
            if folder.is_symlink():
                raise NotADirectoryError(f"{folder} is a link, expected a folder; remove it")
            try:
                self._file = atomic.open_regular(self._path, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                continue  # its holder finished and removed the folder in between
            try:
                _lock(self._file, folder, shared=shared)
            except OSError:
                os.close(self._file)
                raise
            if self.is_held():
                _held.add(self)
                return
            os.close(self._file)

    def is_held(self) -> bool:
        """Return whether the folder is still the one that was locked."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others have the folder."""
        _held.discard(self)
        if sys.platform != "win32":  # a child process may still hold a copy of the descriptor
            fcntl.flock(self._file, fcntl.LOCK_UN)
        os.close(self._file)

    def forget(self) -> None:
        """Close a child's copy of the descriptor, which would keep the lock beyond its owner."""
        os.close(self._file)


def _lock(file: int, folder: Path, *, shared: bool) -> None:
    try:
        if sys.platform == "win32":
            if not shared:  # Windows has no locks that are shared
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _IN_USE:
            raise BlockingIOError(f"{folder} is in use by another process") from None
        raise OSError(
            error.errno,
            f"{folder} cannot be locked ({error.strerror}), so that a second process could not be "
            "kept out of it; record to a disk that has locks, a local one for example",
        ) from None


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
