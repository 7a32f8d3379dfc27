"""Writing netCDF files: their encoding, and variables that grow along their samples."""

import contextlib
import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from adaptnet.files.netcdf import exclusive
from adaptnet.files.packing import packed
from adaptnet.files.sizes import readable

GROUP = "parameters"
"""The group of a file that holds the large arrays of its parameters."""

_COMPRESSED: dict[str, Any] = {"zlib": True, "complevel": 4}
_CACHE_BYTES = 2**21  # of chunks of each variable while a file is put together
_CHUNK_BYTES = 2**20  # of records compressed together: a reader of one record unpacks as much
_CHUNK_RECORDS = 2**14


def chunks(variables: Mapping[str, Any], n_records: int) -> dict[str, int]:
    """Return the number of records of each variable to compress together."""
    rows = {}
    for name, variable in variables.items():
        inner = [length for dim, length in variable.sizes.items() if str(dim).startswith("neuron")]
        fitting = _CHUNK_BYTES // (8 * math.prod(inner))
        rows[name] = max(1, min(fitting, _CHUNK_RECORDS, n_records))
    return rows


@contextlib.contextmanager
def writing(
    part: Path, dataset: xr.Dataset, rows_in_chunk: Mapping[str, int] | None = None
) -> Iterator[dict[str, Any]]:
    """Write `dataset`; if it has no samples yet, give its variables to append samples to.

    Parameters
    ----------
    part : Path
        A file of no value.
    dataset : Dataset
    rows_in_chunk : mapping of str to int, optional
        For each variable that grows, the number of records compressed together.
    """
    import netCDF4

    growing = dict(rows_in_chunk or {})
    encoding = {
        **{
            str(name): _COMPRESSED
            for name, values in dataset.data_vars.items()
            if values.ndim and values.size
        },
        **{name: _chunked(dataset[name], rows) for name, rows in growing.items()},
        **_texts(dataset),
    }
    attributes, arrays = packed(dataset.attrs)
    with exclusive(), _explained(part):
        dataset.assign_attrs(attributes).to_netcdf(
            part,
            engine="netcdf4",
            encoding=encoding,
            unlimited_dims=["sample"] if growing else [],
        )
        with netCDF4.Dataset(part, "a") as file:
            _store(file, arrays)
            file.set_auto_maskandscale(False)
            for name in growing:  # chunks are written once, in order: no need to keep many
                file[name].set_var_chunk_cache(_CACHE_BYTES)
            yield dict(file.variables)


def _chunked(values: xr.DataArray, rows: int) -> dict[str, Any]:
    lengths = {"circuit": 1, "replicate": 1, "sample": rows}
    chunks = tuple(lengths.get(str(dim), values.sizes[dim]) for dim in values.dims)
    return {**_COMPRESSED, "chunksizes": chunks}


def _texts(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the encoding of texts: characters, since strings of any length are not safe to read.

    HDF5 2.2 converts such strings by a type that may point to a file since closed.
    """
    return {
        str(name): {"dtype": "S1"}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "UOT" and variable.size
    }


def _store(file: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    if not arrays:
        return
    group = file.createGroup(GROUP)
    for name, array in arrays.items():
        dims = [f"{name}_{axis}" for axis in range(array.ndim)]
        for dim, length in zip(dims, array.shape, strict=True):
            group.createDimension(dim, length)
        group.createVariable(name, array.dtype, dims, zlib=True, complevel=4)[...] = array


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say what the disk has left if the netCDF library, which may not know why, gives up."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        free = readable(shutil.disk_usage(path.parent).free)
        raise OSError(
            f"{path} could not be written ({error}); {free} are free on its disk"
        ) from error
