"""Bytes on disk: the only functions of the package that change files.

Each either does all it says or leaves what was there, whatever stops the process, and the disk has
been told to keep the data before its name says that it is there.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_SEAL = b"adaptnet"
_SEAL_BYTES = len(_SEAL) + 8 + 32  # mark, length of the content, SHA-256 of the content
_PIECE = 2**20


# The three ways to change a disk, named so that tests can make each fail.
_write = os.write
_sync = os.fsync
_rename = os.replace


def append(file: int, data: bytes | memoryview) -> None:
    """Write all of `data` to a file descriptor."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[_write(file, rest) :]


def make_durable(file: int) -> None:
    """Return when what was written to a file descriptor outlives a power cut."""
    _sync(file)


def replace(path: Path, content: bytes) -> None:
    """Put sealed `content` in the place of the file `path`."""
    part = path.with_name(f"{path.name}.part")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        append(file, content)
        append(file, _seal(len(content), hashlib.sha256(content)))
        make_durable(file)
    finally:
        os.close(file)
    rename(part, path)


def rename(part: Path, target: Path) -> None:
    """Give the durable file `part` the name `target`, durably."""
    _rename(part, target)
    if sys.platform == "win32":  # has no way to sync a folder
        return
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        make_durable(folder)
    finally:
        os.close(folder)


def seal(path: Path) -> None:
    """Append to a file the length and the SHA-256 of what it holds, and make it durable."""
    mark = _seal(path.stat().st_size, _digest(path, path.stat().st_size))
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        append(file, mark)
        make_durable(file)
    finally:
        os.close(file)


def is_sealed(path: Path) -> bool:
    """Return whether a file ends in a seal.

    Raises
    ------
    ValueError
        If it does, and the content is not the one that was sealed.
    """
    length = path.stat().st_size - _SEAL_BYTES
    if length < 0:
        return False
    with path.open("rb") as file:
        file.seek(length)
        found = file.read()
    if not found.startswith(_SEAL):
        return False
    if found != _seal(length, _digest(path, length)):
        raise ValueError(f"{path} is damaged: its content does not match its checksum")
    return True


def sealed_content(path: Path, most: int) -> bytes:
    """Return what `replace` wrote.

    Raises
    ------
    ValueError
        If the file has no seal, does not match it, or holds more than `most` bytes.
    """
    size = path.stat().st_size
    if size > most + _SEAL_BYTES:
        raise ValueError(f"{path} is damaged: it holds {size} bytes, expected at most {most}")
    if not is_sealed(path):
        raise ValueError(f"{path} is damaged: it has no checksum")
    return path.read_bytes()[:-_SEAL_BYTES]


class Lock:
    """A folder held by this process alone, for as long as it lives; made where it is missing.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        while True:
            folder.mkdir(exist_ok=True)
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:
                continue  # its holder finished and removed the folder in between
            try:
                _lock(self._file)
            except OSError:
                os.close(self._file)
                raise BlockingIOError(f"{folder} is in use by another process") from None
            if self.is_held():
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
        os.close(self._file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove(paths: Iterator[Path]) -> None:
    """Remove files, those that are there."""
    for path in paths:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def whole(target: Path, folder: Path | None = None) -> Iterator[Path]:
    """Give a name to write to, in `folder`; it becomes `target`, durably, if the block ends well.

    The folder must be on the same disk as `target`; by default it is that of `target`.
    """
    part = (folder or target.parent) / f".{target.name}.{os.getpid()}.part"
    try:
        yield part
        with part.open("rb+") as written:
            make_durable(written.fileno())
        rename(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            # The netCDF library keeps a file open that it failed to write, so that removing the
            # name alone would leave a full disk full until the process ends.
            os.truncate(part, 0)
        part.unlink(missing_ok=True)
        raise


def _digest(path: Path, length: int) -> "hashlib._Hash":
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0 and (piece := file.read(min(_PIECE, length))):
            digest.update(piece)
            length -= len(piece)
    return digest


def _seal(length: int, digest: "hashlib._Hash") -> bytes:
    return _SEAL + length.to_bytes(8, "little") + digest.digest()
