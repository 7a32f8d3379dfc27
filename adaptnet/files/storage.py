"""Runs on disk: compressed netCDF-4 under a checksum, written whole or not at all."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from adaptnet._checks import json_value, whole_number
from adaptnet.files import atomic
from adaptnet.files.netcdf import LOCK, OnDemand, open_dataset
from adaptnet.files.sizes import available_memory, readable, require_memory
from adaptnet.files.validation import require_mark, validate

_MAGIC = (b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05")
_COMPRESSED: dict[str, Any] = {"zlib": True, "complevel": 4}
_CACHE_BYTES = 2**21  # of chunks of each variable while a file is put together
_PROBE_SECONDS = 60

# Opens a file of unknown origin and reads all of it, in a process that may crash on it.
_PROBE = """
import sys, netCDF4
with netCDF4.Dataset(sys.argv[1]) as dataset:
    if sum(v.size * 8 for v in dataset.variables.values()) <= int(sys.argv[2]):
        for variable in dataset.variables.values():
            variable[...]
            [variable.getncattr(name) for name in variable.ncattrs()]
    [dataset.getncattr(name) for name in dataset.ncattrs()]
"""


def save(dataset: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a run to a netCDF file.

    The file appears under its name only when it is complete. It ends in a checksum, which `load`
    verifies and other readers of netCDF pass over.

    Parameters
    ----------
    dataset : Dataset
        A run, as :func:`simulate` returns it.
    path : path
        Where to write; by custom it ends in ``.nc``.
    overwrite : bool
        Whether a file that exists may be replaced.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is false.
    FileNotFoundError
        If the folder does not exist.
    OSError
        If the disk is full or cannot be written.
    ValueError
        If `dataset` is not a run.
    """
    target = Path(path)
    validate(dataset)
    refuse_existing(target, overwrite=overwrite)
    encoding = {
        str(name): _COMPRESSED if values.ndim and values.size else {}
        for name, values in dataset.data_vars.items()
    } | _texts(dataset)
    with atomic.whole(target) as part:
        with LOCK, _writing(part):
            dataset.to_netcdf(part, engine="netcdf4", encoding=encoding)
        atomic.seal(part)


def _texts(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the encoding of texts: characters, since strings of any length are not safe to read.

    HDF5 2.2 converts such strings by a type that may point to a file since closed.
    """
    return {
        str(name): {"dtype": "S1"}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "UOT" and variable.size
    }


@contextlib.contextmanager
def appending(
    part: Path, dataset: xr.Dataset, rows_in_chunk: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Write `dataset`, which has no samples yet, and give its variables to append samples to."""
    import netCDF4

    encoding: dict[str, Any] = {}
    for name, rows in rows_in_chunk.items():
        lengths = {"circuit": 1, "replicate": 1, "sample": rows}
        dims = dataset[name].dims
        chunks = tuple(lengths.get(str(dim), dataset.sizes[dim]) for dim in dims)
        encoding[name] = {**_COMPRESSED, "chunksizes": chunks}
    longest = max(rows_in_chunk.values())
    encoding["sample"] = {**_COMPRESSED, "chunksizes": (longest,)}
    encoding["synaptic_time"] = {**_COMPRESSED, "chunksizes": (1, longest)}
    with LOCK, _writing(part):
        dataset.to_netcdf(
            part,
            engine="netcdf4",
            encoding=encoding | _texts(dataset),
            unlimited_dims=["sample"],
        )
        with netCDF4.Dataset(part, "a") as file:
            file.set_auto_maskandscale(False)
            for name in encoding:  # chunks are written once, in order: no need to keep many
                file[name].set_var_chunk_cache(_CACHE_BYTES)
            yield dict(file.variables)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say what the disk has left where the netCDF library, which may not know why, gives up."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        free = readable(shutil.disk_usage(path.parent).free)
        raise OSError(
            f"{path} could not be written ({error}); {free} are free on its disk"
        ) from error


def working_folder(target: Path) -> Path:
    """Return where an unfinished run is kept."""
    return target.with_name(f"{target.name}.partial")


def require_folder(path: Path) -> None:
    """Raise unless `path` can be a file: its folder is there and it is no folder itself."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder of {path} does not exist; make it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise unless `path` may be written: its folder is there and nothing would be lost."""
    require_folder(path)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists and would be lost; choose another name, or overwrite it on purpose "
            "(overwrite=True, --overwrite)"
        )


def load(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a run from a netCDF file, whole, and close the file.

    Parameters
    ----------
    path : path

    Returns
    -------
    Dataset
        Identical, attributes included, to the one that was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not netCDF, is truncated or damaged, or is not a run of this package.
    MemoryError
        If it would not fit into memory.
    """
    with LOCK, reading(Path(path)) as dataset:
        _require_memory(Path(path), dataset.variables)
        try:
            return _attributes_restored(dataset.load())
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{path} cannot be read; it is damaged, so run it again") from error


def opened(path: Path) -> xr.Dataset:
    """Return a run whose values are read from its file when they are asked for.

    No file stays open in between, so none needs to be closed.
    """
    return _attributes_restored(_open(path, count_samples=True))


def attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of a run's file."""
    return dict(_open(path, count_samples=True).attrs)


def seed(attributes: Mapping[str, Any], source: str) -> np.random.SeedSequence:
    """Return the seed of a run from its attributes.

    Raises
    ------
    ValueError
        If they hold none.
    """
    entropy, key = (
        json_value(attributes.get(name), f"{name} of {source}")
        for name in ("seed_entropy", "seed_spawn_key")
    )
    try:
        return np.random.SeedSequence(entropy, spawn_key=key)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{source} is damaged: it holds no seed ({error})") from error


def reading(source: Path) -> xr.Dataset:
    """Return the run in a file, not read yet but checked, for a ``with`` statement.

    Raises
    ------
    FileNotFoundError, ValueError, MemoryError
        As :func:`load`.
    """
    return _open(source, count_samples=False)


def _open(source: Path, *, count_samples: bool) -> xr.Dataset:
    """Open a run; where asked to, count its sample coordinate instead of reading it.

    A count takes no memory, unlike the index that xarray makes of stored numbers.
    """
    import netCDF4

    if not source.is_file():
        if working_folder(source).is_dir():
            raise FileNotFoundError(
                f"there is no file {source} yet: its run is unfinished, and goes on by the command "
                f"that began it, which `adaptnet info {source}` tells"
            )
        raise FileNotFoundError(f"there is no file {source}")
    with source.open("rb") as file:
        if not file.read(8).startswith(_MAGIC):
            raise ValueError(f"{source} is not a netCDF file; runs are made by `adaptnet run`")
    if not atomic.is_sealed(source):
        _probe(source)
    try:
        with LOCK, netCDF4.Dataset(source) as stored:
            counted = ["sample"] if count_samples and "sample" in stored.variables else []
            indexed = stored.dimensions.keys() & stored.variables.keys() - {*counted}
            _require_memory(source, {name: stored[name] for name in indexed})
            mark = getattr(stored, "adaptnet_schema", None)
            if counted:
                attrs = {n: stored["sample"].getncattr(n) for n in stored["sample"].ncattrs()}
        require_mark(mark, str(source))  # before what a run would have is looked for
        if not count_samples:
            dataset = open_dataset(source)
            try:
                return validate(dataset, str(source))
            except BaseException:
                dataset.close()
                raise
        dataset = xr.open_dataset(source, engine=OnDemand, drop_variables=counted)
        if counted:
            every = whole_number("record_every", dataset.attrs["record_every"])
            samples = pd.RangeIndex(0, every * dataset.sizes["sample"], every)
            dataset = dataset.assign_coords(sample=("sample", samples, attrs))
        return validate(dataset, str(source))
    except (OSError, RuntimeError, LookupError, AttributeError, TypeError, UnicodeError) as error:
        raise ValueError(
            f"{source} cannot be read; it is truncated, damaged or of another version, so run "
            f"it again ({error})"
        ) from error


def _require_memory(source: Path, variables: Mapping[Any, Any]) -> None:
    n_bytes = 8 * sum(int(variable.size) for variable in variables.values())
    require_memory(str(source), n_bytes, "open it with xarray.open_dataset and read a part of it")


def _probe(source: Path) -> None:
    """Raise unless a file without checksum can be read by a process that may crash on it."""
    command = [sys.executable, "-c", _PROBE, str(source), str(available_memory() // 2)]
    try:
        ended = subprocess.run(
            command, capture_output=True, timeout=_PROBE_SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{source} cannot be read within {_PROBE_SECONDS} s") from None
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"signal {-ended.returncode}"])[-1]
        raise ValueError(
            f"{source} has no checksum, and cannot be read; it is truncated or damaged, so run it "
            f"again ({last})"
        )


def _attributes_restored(dataset: xr.Dataset) -> xr.Dataset:
    for variable in dataset.variables.values():
        if "flag_values" in variable.attrs:  # netCDF reads an array of one number as the number
            variable.attrs["flag_values"] = np.atleast_1d(variable.attrs["flag_values"])
    return dataset
