"""The records of one replicate as a file that only grows."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from adaptnet.files import atomic, interrupts
from adaptnet.simulation.rows import Rows

_PIECE = 2**20  # bytes in memory at a time


class RowsFile:
    """An open file of rows; closed once, under a lock, so that nothing is ever written after.

    The number of a closed file goes to the next one that the program opens, whosever that is: a
    thread that still writes to the number would write into that file.
    """

    def __init__(self, path: Path, n_rows: int, n_bytes: int, digest: "hashlib._Hash") -> None:
        self.n_rows = n_rows
        self.saved = time.monotonic()  # when a checkpoint was last made
        self._digest = digest
        self._using = threading.Lock()
        self._path = path
        self._file: int | None = atomic.open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.ftruncate(self._file, n_bytes)

    def append(self, rows: Rows) -> None:
        """Write rows after those that are there."""
        data = rows.tobytes()
        with self._using:
            atomic.append(self._opened(), data)
            self._digest.update(data)
            self.n_rows += len(rows)

    def make_durable(self) -> str:
        """Return the SHA-256 of all rows when they outlive a power cut."""
        with self._using:
            atomic.make_durable(self._opened())
            return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file, once nobody writes to it any more."""
        with self._using:
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def _opened(self) -> int:
        if self._file is None:
            raise ValueError(f"{self._path} is closed")
        return self._file


def digest_of(path: Path, n_bytes: int) -> "hashlib._Hash":
    """Return the SHA-256 of the first bytes of a file, ready for what is appended to them."""
    digest = hashlib.sha256()
    with atomic.reading(path) as file:
        while n_bytes > 0 and (piece := file.read(min(n_bytes, _PIECE))):
            digest.update(piece)
            n_bytes -= len(piece)
    return digest


def read(
    path: Path, row: "np.dtype[np.void]", n_rows: int, at_once: int, sha256: str
) -> Iterator[tuple[int, Rows]]:
    """Yield rows of a file, `at_once` at a time, with the number of the first of them.

    Raises
    ------
    OSError
        At the end, if they are not those of which `sha256` is the checksum.
    """
    found = hashlib.sha256()
    with atomic.reading(path) as file:
        for first in range(0, n_rows, at_once):
            interrupts.check()
            data = file.read(min(at_once, n_rows - first) * row.itemsize)
            found.update(data)
            if len(data) % row.itemsize == 0:
                yield first, np.frombuffer(data, row)
    if found.hexdigest() != sha256:
        raise OSError(f"{path} was damaged after it was written; its replicate will be run again")
