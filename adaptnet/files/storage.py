"""Runs on disk: compressed netCDF-4 under a checksum, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import json_value
from adaptnet.files import interrupts, probe, seals
from adaptnet.files.attributes import require_storable
from adaptnet.files.joined import as_run
from adaptnet.files.paths import refuse_existing, resolved
from adaptnet.files.reading import reading, require_memory_for, require_stored
from adaptnet.files.validation import validate
from adaptnet.files.whole import whole
from adaptnet.files.writing import chunks, writing


def save(dataset: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a run to a netCDF file.

    The file appears under its name only when it is complete. It ends in a checksum, which `load`
    verifies and other readers of netCDF pass over.

    Parameters
    ----------
    dataset : Dataset
        A run, as :func:`simulate` returns it.
    path : path
        Where to write; by custom it ends in ``.nc``. A link is followed.
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
    TypeError, ValueError
        If `dataset` is not a run, or has names or attributes that netCDF cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> from adaptnet.circuits import DirectCircuit
    >>> from adaptnet.simulation.simulate import simulate
    >>> run = simulate(DirectCircuit(), np.random.default_rng(0).normal(size=(50, 3)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(run, f"{folder}/run.nc")
    ...     load(f"{folder}/run.nc").identical(run)
    True
    """
    target = resolved(path)
    dataset = validate(as_run(dataset))
    require_storable(dataset)
    refuse_existing(target, overwrite=overwrite)
    with whole(target, overwrite=overwrite) as part:
        _write(part, dataset)
        seals.seal(part)
        probe.trust(part)


def _write(part: Path, dataset: xr.Dataset) -> None:
    """Write `dataset`, what has samples in pieces, between which it can be interrupted."""
    growing = {
        str(name): variable
        for name, variable in dataset.variables.items()
        if "sample" in variable.dims
    }
    if any(variable.dtype not in (np.float64, np.int64) for variable in growing.values()):
        growing = {}  # of a user's: encoded by xarray, which takes them whole
    rows = chunks(growing, dataset.sizes.get("sample", 0))
    if not rows:
        with writing(part, dataset):
            return
    at_once = min(rows.values())
    n_samples = dataset.sizes["sample"]
    with writing(part, dataset.isel(sample=slice(0, 0)), rows) as stored:
        for first in range(0, n_samples, at_once):
            interrupts.check()
            last = min(first + at_once, n_samples)  # netCDF4 refuses slices beyond the values
            for name, variable in growing.items():
                index = tuple(
                    slice(first, last) if dim == "sample" else slice(None) for dim in variable.dims
                )
                stored[name][index] = variable[index].values


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
        If the file is not netCDF, is truncated or damaged, refers to other files, or is not a run
        of this package.
    MemoryError
        If it would not fit into memory.

    Examples
    --------
    >>> load("nowhere.nc")
    Traceback (most recent call last):
    ...
    FileNotFoundError: there is no file nowhere.nc
    """
    with reading(Path(path)) as dataset:
        require_memory_for(path, dataset.variables)
        require_stored(Path(path), dataset.variables)
        try:
            for variable in dataset.variables.values():
                interrupts.check()
                variable.load()
            return dataset.load()
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{path} cannot be read; it is damaged, so run it again") from error


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
