"""The netCDF library, entered by one thread at a time, and files that nobody has to close.

HDF5 is not made for threads, and the Python package that calls it lets other threads run meanwhile:
two threads that open a file at the same time end in a segmentation fault. So every call is made
under `LOCK`, and a run whose values are read when they are asked for has no open file in between,
which the garbage collector could close at any moment, in any thread.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

LOCK = threading.RLock()


def open_dataset(path: Path, without: Iterable[str] = ()) -> xr.Dataset:
    """Open a file that the caller closes; texts, few in a run, are read at once."""
    with LOCK:
        dataset = xr.open_dataset(
            path, engine="netcdf4", decode_times=False, drop_variables=list(without), lock=LOCK
        )
        for name, variable in dataset.variables.items():
            if variable.dtype.kind == "O":  # as characters are decoded; in memory they are texts
                dataset[name] = (variable.dims, variable.values.astype(str), variable.attrs)
    return dataset


class OnDemand(BackendEntrypoint):
    """Opens a file anew whenever a value is asked for, for ``xarray.open_dataset(engine=...)``."""

    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(  # type: ignore[override]
        self, filename_or_obj: Any, *, drop_variables: Iterable[str] = ()
    ) -> xr.Dataset:
        """Return the Dataset; coordinates of its dimensions and texts are read at once."""
        path, without = Path(filename_or_obj), set(drop_variables)
        seen = _seen(path)
        with LOCK, open_dataset(path, without) as dataset:
            found: dict[Any, xr.Variable] = {}
            for name, variable in dataset.variables.items():
                if name in dataset.dims or variable.dtype.kind not in "fi":
                    found[name] = variable.load()
                    continue
                others = {*map(str, dataset.variables), *without} - {name}
                array = indexing.LazilyIndexedArray(
                    _Stored(path, seen, str(name), others, variable.shape, variable.dtype)
                )
                found[name] = xr.Variable(variable.dims, array, variable.attrs, variable.encoding)
            return xr.Dataset(found, attrs=dataset.attrs).set_coords(list(dataset.coords))


class _Stored(BackendArray):
    """A variable on disk."""

    def __init__(
        self,
        path: Path,
        seen: tuple[int, ...],
        name: str,
        others: set[str],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self._path = path
        self._seen = seen
        self._name = name
        self._others = others
        self.shape = shape
        self.dtype = dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )
        return values

    def _read(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        if _seen(self._path) != self._seen:
            raise OSError(
                f"{self._path} was replaced after it was opened, so that its values are no longer "
                "those of this run; open it again"
            )
        with LOCK, open_dataset(self._path, self._others) as dataset:
            values: npt.NDArray[Any] = dataset.variables[self._name][key].values
            return values


def _seen(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
