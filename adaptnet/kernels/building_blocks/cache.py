"""Compiled kernels on disk: one file per kernel and signature, checked before it is loaded.

Numba's own cache notices edits of a kernel's file only, not of the functions that it calls; it ends
in an error if a file is cut or garbled; and its index, one per kernel, lets two processes that
compile at once give one name to different machine code. Here a file's name is a digest of what was
compiled, from which sources and for which processor, and its content begins with a checksum.
"""

import errno
import functools
import hashlib
import logging
import os
import pickle
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

_log = logging.getLogger(__name__)
_ROOM = Path(__file__).parent.parent  # adaptnet.kernels: all that kernels may call
_DIGEST_SIZE = hashlib.sha256().digest_size


@functools.cache
def sources_digest() -> str:
    """Return a checksum of all sources of kernels."""
    digest = hashlib.sha256()
    for source in sorted(_ROOM.rglob("*.py")):
        digest.update(str(source.relative_to(_ROOM)).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


class CacheFiles:
    """The files of one kernel, a file per signature and processor."""

    def __init__(self, folder: str, base: str, stamp: object) -> None:
        self._folder, self._base = Path(folder), base
        self._stamp = _short(f"{stamp} {sources_digest()}")

    def load(self, key: object) -> Any:
        """Return what was saved under `key`, or None; a damaged file is removed with a warning."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            _announce()
            return None
        payload = content[_DIGEST_SIZE:]
        if content[:_DIGEST_SIZE] == hashlib.sha256(payload).digest():
            return pickle.loads(payload)[1]
        path.unlink(missing_ok=True)
        _warn_once(
            f"compiled kernels in {self._folder} are damaged, and compiled again: {path.name}"
        )
        return None

    def save(self, key: object, data: object) -> None:
        """Keep `data` under `key`; warn if it cannot be kept."""
        payload: bytes = dumps((key, data))  # type: ignore[no-untyped-call]
        path = self._path(key)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        try:
            part.write_bytes(hashlib.sha256(payload).digest() + payload)
            part.replace(path)
            _compiled.append(path.name)
            self._forget_others()
        except OSError as error:
            part.unlink(missing_ok=True)
            _warn_once(
                f"compiled kernels cannot be kept in {self._folder} "
                f"({os.strerror(error.errno or errno.EIO)}), and are compiled again next time; "
                "free some space, or set NUMBA_CACHE_DIR to another folder"
            )

    def flush(self) -> None:
        """Forget everything."""
        for path in self._folder.glob(f"{self._base}.*.nbc"):
            path.unlink(missing_ok=True)

    def signatures(self) -> Iterator[Any]:
        """Yield the signatures that are kept."""
        for path in self._folder.glob(f"{self._base}.{self._stamp}.*.nbc"):
            yield pickle.loads(path.read_bytes()[_DIGEST_SIZE:])[0][0]

    def _path(self, key: object) -> Path:
        return self._folder / f"{self._base}.{self._stamp}.{_short(repr(key))}.nbc"

    def _forget_others(self) -> None:
        """Remove what was compiled from other sources."""
        name, version = self._base.rsplit("-", 1)  # function-line.version, and the line may change
        for path in self._folder.glob(f"{name}-*.{version.split('.', 1)[1]}.*.nbc"):
            if not path.name.startswith(f"{self._base}.{self._stamp}."):
                path.unlink(missing_ok=True)


def cache_of(function: Callable[..., Any]) -> Any:
    """Return Numba's cache of one function, with files of our own.

    Raises
    ------
    RuntimeError
        If no folder can be written.
    """
    cache: Any = FunctionCache(function)  # type: ignore[no-untyped-call]
    stamp = cache._impl.locator.get_source_stamp()
    cache._cache_file = CacheFiles(cache.cache_path, cache._impl.filename_base, stamp)
    return cache


_compiled: list[str] = []  # by this process


def n_compiled() -> int:
    """Return the number of kernels that this process has compiled and kept."""
    return len(_compiled)


@functools.cache
def _announce() -> None:
    """Say once that kernels are compiled, which takes seconds in which nothing seems to happen."""
    _log.info("compiling kernels, which takes some seconds; later runs find them compiled")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_warned: set[str] = set()


def _warn_once(message: str) -> None:
    """Warn once per process and kind of message, however many kernels are concerned."""
    kind = message.split(" in ", 1)[0]
    if kind not in _warned:
        _warned.add(kind)
        warnings.warn(message, RuntimeWarning, stacklevel=2)
