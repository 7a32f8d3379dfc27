"""Runs on disk: compressed netCDF-4, written whole or not at all."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import xarray as xr

from adaptnet.dataset import validate

_MAGIC = (b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05")


def save(dataset: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a run to a netCDF file.

    The file appears under its name only when it is complete.

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
    ValueError
        If `dataset` is not a run.
    """
    target = Path(path)
    validate(dataset)
    refuse_existing(target, overwrite=overwrite)
    encoding = {name: {"zlib": True, "complevel": 4} for name in dataset.data_vars}
    encoding |= {
        name: {} for name, values in dataset.data_vars.items() if not (values.ndim and values.size)
    }
    with NamedTemporaryFile(
        dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
    ) as file:
        part = Path(file.name)
    try:
        dataset.to_netcdf(part, engine="netcdf4", encoding=encoding)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise unless `path` may be written: its folder is there and nothing would be lost."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder of {path} does not exist; make it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
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
        If the file is not netCDF, is truncated, or is not a run of this package.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"there is no file {source}")
    with source.open("rb") as file:
        if not file.read(8).startswith(_MAGIC):
            raise ValueError(f"{source} is not a netCDF file; runs are made by `adaptnet run`")
    try:
        dataset = xr.load_dataset(source, engine="netcdf4", decode_times=False)
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{source} cannot be read; it is truncated or damaged, so run it again ({error})"
        ) from error
    for variable in dataset.variables.values():
        if "flag_values" in variable.attrs:  # netCDF reads an array of one number as the number
            variable.attrs["flag_values"] = np.atleast_1d(variable.attrs["flag_values"])
    return validate(dataset, str(source))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
