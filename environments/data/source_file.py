"""Recordings that nobody changes unnoticed: copies, and a watch on files."""

from pathlib import Path
from typing import Any

import numpy as np

from environments.data.array_likes import Samples


class SourceFile:
    """What a file looked like when an environment was made.

    Parameters
    ----------
    path : Path or None
        None if there is no file, so that nothing can change behind the environment's back.
    writable : bool
        Whether this process can change the file in memory, which its date does not show.
    """

    def __init__(self, path: Path | None, *, writable: bool = False) -> None:
        self._path = path
        self._writable = writable
        self._seen = self._look()

    def _look(self) -> tuple[int, int] | None:
        try:
            state = self._path.stat() if self._path else None
        except OSError:
            return None
        return (state.st_size, state.st_mtime_ns) if state else None

    def may_differ(self) -> bool:
        """Return whether the contents may have changed since they were last looked at."""
        now = self._look()
        differs = self._writable or now != self._seen
        self._seen = now
        return differs


def source_file(path: Path | None, data: Any) -> SourceFile:
    """Return the file that data are read from."""
    if isinstance(data, np.memmap) and data.filename is not None:
        return SourceFile(Path(data.filename), writable=data.mode not in ("r", "c"))
    source = getattr(data, "encoding", {}).get("source") if hasattr(data, "isel") else None
    return SourceFile(Path(source) if source and path is None else path)


def owned(found: Samples) -> Samples:
    """Return samples that no one else can change: a copy of what is in memory."""
    values = found.values
    if isinstance(values, np.ndarray) and not isinstance(values, np.memmap):
        return found._replace(values=values.copy())
    return found._replace(values=values.copied()) if hasattr(values, "copied") else found
