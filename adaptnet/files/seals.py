"""Seals: the length and the SHA-256 of a file's content, appended to it."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from adaptnet.files import atomic, interrupts

_MARK = b"adaptnet"
_BYTES = len(_MARK) + 8 + 32  # mark, length of the content, SHA-256 of the content
_PIECE = 2**20


def replace(path: Path, content: bytes) -> None:
    """Put sealed `content` in the place of the file `path`."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # of a process that was killed, or a link of a stranger's
    file = atomic.open_regular(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        atomic.append(file, content)
        atomic.append(file, _seal(len(content), hashlib.sha256(content)))
        atomic.make_durable(file)
    finally:
        os.close(file)
    atomic.rename(part, path)


def seal(path: Path) -> None:
    """Append a seal to a file, and make the file durable."""
    with path.open("rb") as written:
        length = os.fstat(written.fileno()).st_size
        mark = _seal(length, _digest(written, length))
    file = atomic.open_regular(path, os.O_WRONLY | os.O_APPEND)
    try:
        atomic.append(file, mark)
        atomic.make_durable(file)
    finally:
        os.close(file)


def is_sealed(path: Path) -> bool:
    """Return whether a file ends in a seal.

    Raises
    ------
    ValueError
        If it does, and the content is not the one that was sealed.
    """
    # Opened once: another process may put another file under the name meanwhile.
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size - _BYTES
        if length < 0:
            return False
        file.seek(length)
        found = file.read(_BYTES)
        if not found.startswith(_MARK):
            return False
        file.seek(0)
        if found != _seal(length, _digest(file, length)):
            raise ValueError(f"{path} is damaged: its content does not match its checksum")
        return True


def content(path: Path, most: int) -> bytes:
    """Return what `replace` wrote.

    Raises
    ------
    ValueError
        If the file has no seal, does not match it, or holds more than `most` bytes.
    """
    with atomic.reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most + _BYTES:
            raise ValueError(f"{path} is damaged: it holds {size} bytes, expected at most {most}")
        sealed = file.read()
    body, found = sealed[:-_BYTES], sealed[-_BYTES:]
    if not found.startswith(_MARK):
        raise ValueError(f"{path} is damaged: it has no checksum")
    if found != _seal(len(body), hashlib.sha256(body)):
        raise ValueError(f"{path} is damaged: its content does not match its checksum")
    return body


def _digest(file: BinaryIO, length: int) -> "hashlib._Hash":
    digest = hashlib.sha256()
    while length > 0 and (piece := file.read(min(_PIECE, length))):
        interrupts.check()
        digest.update(piece)
        length -= len(piece)
    return digest


def _seal(length: int, digest: "hashlib._Hash") -> bytes:
    return _MARK + length.to_bytes(8, "little") + digest.digest()
