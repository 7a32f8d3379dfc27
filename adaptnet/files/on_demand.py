"""Runs whose values are read from their file when they are asked for.

No file stays open in between: nobody has to close it, and the garbage collector cannot close it at
a bad moment, in a thread of its own choice.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from adaptnet.files.netcdf import decoded, exclusive, fingerprint, handle, store
from adaptnet.files.reading import attributes_of, explained, judged, restored
from adaptnet.files.validation import validate


def opened(path: Path) -> xr.Dataset:
    """Return a run whose values are read from its file when they are asked for.

    Raises
    ------
    FileNotFoundError, ValueError, MemoryError
        As `adaptnet.load`.
    """
    return xr.open_dataset(path, engine=OnDemand)


class OnDemand(BackendEntrypoint):
    """Opens a file anew when a value is asked for; for ``xarray.open_dataset(engine=...)``."""

    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(
        self, filename_or_obj: Any, *, drop_variables: Iterable[str] | None = None
    ) -> xr.Dataset:
        """Return the Dataset; coordinates of its dimensions and texts are read at once."""
        path = Path(filename_or_obj)
        with explained(path), judged(path) as stored:
            seen = fingerprint(path)
            samples = _regular_samples(stored)
            without = {*(drop_variables or ()), *([] if samples is None else ["sample"])}
            dataset = decoded(stored, without)
            found: dict[Any, xr.Variable] = {}
            for name, variable in dataset.variables.items():
                if name in dataset.dims or variable.dtype.kind not in "fi":
                    found[name] = variable.load()
                    continue
                array = _Stored(path, seen, str(name), variable.shape, variable.dtype)
                lazy = indexing.LazilyIndexedArray(array)
                found[name] = xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding)
            described = xr.Dataset(found, attrs=dataset.attrs).set_coords(list(dataset.coords))
            if samples is not None:
                with exclusive():
                    attrs = attributes_of(stored["sample"])
                described = described.assign_coords(sample=("sample", samples, attrs))
            return restored(validate(described, str(path)), stored)


def _regular_samples(stored: Any) -> pd.RangeIndex | None:
    """Return the samples of a run that records at regular intervals.

    A range takes no memory, unlike the index that xarray makes of stored numbers.
    """
    with exclusive():
        if "sample" not in stored.variables:
            return None
        last, every = (int(getattr(stored, name)) for name in ("n_samples", "record_every"))
        samples = pd.RangeIndex(0, last + 1, every)
        variable = stored["sample"]
        found = [variable[0], variable[-1]] if variable.shape[0] else []
        ends = [samples[0], samples[-1]]
        return samples if variable.shape == (len(samples),) and found == ends else None


class _Stored(BackendArray):
    """A variable on disk."""

    def __init__(
        self,
        path: Path,
        seen: tuple[int, ...],
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self._path = path
        self._seen = seen
        self._name = name
        self.shape = shape
        self.dtype = dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )
        return values

    def _read(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        if fingerprint(self._path) != self._seen:
            raise OSError(
                f"{self._path} was replaced after it was opened, so that its values are no longer "
                "those of this run; open it again"
            )
        with handle(self._path) as stored, exclusive():
            variable = store(stored).open_store_variable(self._name, stored[self._name])
            values: npt.NDArray[Any] = xr.conventions.decode_cf_variable(
                self._name, variable, decode_times=False, decode_timedelta=False
            )[key].values
            return values
