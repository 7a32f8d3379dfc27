"""The netCDF library, entered by one thread at a time.

HDF5 is not made for threads, and the Python package that calls it lets other threads run meanwhile:
two threads that open a file at the same time end in a segmentation fault. So every call is made
inside `exclusive`, or by xarray under the same `LOCK`.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from adaptnet.files import interrupts

LOCK = threading.RLock()
_SECONDS = 0.1  # between looks whether a thread that waits for the library should stop


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Let one thread into the netCDF library, and no interrupt raise an exception inside it.

    An exception between two steps of a library's own lock would leave that lock closed for ever.
    """
    with interrupts.held():
        while not LOCK.acquire(timeout=_SECONDS):
            interrupts.check()
        try:
            yield
        finally:
            LOCK.release()


def store(stored: Any) -> Any:
    """Return an open file as xarray reads it, under this package's lock."""
    return xr.backends.NetCDF4DataStore(stored, lock=LOCK)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def handle(path: Path) -> Iterator[Any]:
    """Give a file open for reading, as the netCDF4 package has it; the library is not locked."""
    import netCDF4

    with exclusive():
        stored = netCDF4.Dataset(path)
    try:
        yield stored
    finally:
        with exclusive():
            stored.close()


def decoded(stored: Any, without: Iterable[str] = ()) -> xr.Dataset:
    """Return what is in an open file as a Dataset; texts, few in a run, are read at once."""
    with exclusive():
        dataset: xr.Dataset = xr.open_dataset(
            store(stored),
            decode_times=False,
            decode_timedelta=False,
            drop_variables=list(without),
        )
        for name, variable in dataset.variables.items():
            if variable.dtype.kind == "O":  # as characters are decoded; in memory they are texts
                dataset[name] = (variable.dims, variable.values.astype(str), variable.attrs)
        return dataset


def fingerprint(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
