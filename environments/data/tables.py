"""Recordings as tables (sample, channel) that are read a piece at a time."""

import codecs
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from environments.checks import Floats

if TYPE_CHECKING:
    import xarray as xr

Recording: TypeAlias = "str | os.PathLike[str] | npt.ArrayLike | xr.DataArray"

SUFFIXES = (".npy", ".npz", ".nc", ".csv")
_ROWS = 1024  # of a CSV file between the places that are remembered


class Table(NamedTuple):
    """A recording's shape, and how to read rows start to stop of it."""

    shape: tuple[int, int]
    read: Callable[[int, int], Floats]


def table(data: Recording, variable: str | None, sample_dim: str | None, delimiter: str) -> Table:
    """Return a recording as a table, without reading all of it where its format allows.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file, its format is unknown, a variable has to be named, the recording
        is not two-dimensional, or its time axis has gaps.
    """
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        if not path.is_file():
            raise FileNotFoundError(f"there is no recording {path}; check the path")
        return _file(path, variable, sample_dim, delimiter)
    if hasattr(data, "dims") and hasattr(data, "isel"):  # xarray's, imported where it is used
        return _labelled(cast("xr.DataArray", data), sample_dim)
    return _array(np.asanyarray(data))


def _file(path: Path, variable: str | None, sample_dim: str | None, delimiter: str) -> Table:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"data must be a file of type {', '.join(SUFFIXES)}, got {path.name!r}; "
            "read it yourself and pass the array"
        )
    if suffix == ".csv":
        return _csv(path, delimiter)
    try:
        if suffix == ".npy":
            found = np.load(path, mmap_mode="r")
        elif suffix == ".npz":
            found = np.load(path)
        else:
            import xarray as xr

            found = xr.open_dataset(path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as reason:
        raise ValueError(f"{path.name} cannot be read as a {suffix} file: {reason}") from None
    if suffix == ".npy":
        return _array(found)
    if suffix == ".npz":
        with found:
            return _array(found[_named(variable, found.files, path)])
    names = [str(name) for name, array in found.data_vars.items() if array.ndim == 2]
    return _labelled(found[_named(variable, names, path)], sample_dim)


def _named(variable: str | None, names: list[str], path: Path) -> str:
    if variable is None and len(names) == 1:
        return names[0]
    if variable not in names:
        raise ValueError(
            f"variable must name one of {', '.join(names)} in {path.name}, got {variable!r}"
        )
    return variable


def _array(array: npt.NDArray[Any]) -> Table:
    if array.dtype.kind not in "fiu":
        raise TypeError(f"a recording must hold real numbers, got type {array.dtype}")

    def read(start: int, stop: int) -> Floats:
        rows = array[start:stop]
        if isinstance(rows, np.ma.MaskedArray):  # what is masked is missing
            rows = np.ma.filled(rows.astype(np.float64), np.nan)
        return np.array(rows, dtype=np.float64, order="C")

    return Table(_two_dimensional(array.shape), read)


def _labelled(array: "xr.DataArray", sample_dim: str | None) -> Table:
    if sample_dim is not None:
        if sample_dim not in array.dims:
            raise ValueError(
                f"sample_dim must be one of {', '.join(map(str, array.dims))}, got {sample_dim!r}"
            )
        array = array.transpose(sample_dim, ...)
    shape = _two_dimensional(array.shape)
    dim = array.dims[0]
    if dim in array.coords and array.coords[dim].dtype.kind in "fiuM" and shape[0] > 2:
        steps = np.diff(array.coords[dim].values).astype(np.float64)
        usual = np.nanmedian(steps)
        odd = np.flatnonzero(~(np.abs(steps - usual) <= 0.5 * abs(usual)))  # a missing time, too
        if odd.size:
            raise ValueError(
                f"the recording has a gap: {dim} steps by {usual:g}, but by {steps[odd[0]]:g} from "
                f"sample {odd[0]} to {odd[0] + 1}; cut the recording there, or drop the "
                f"coordinate {dim} if samples are to follow each other all the same"
            )

    def read(start: int, stop: int) -> Floats:
        return np.array(array.isel({dim: slice(start, stop)}).values, np.float64, order="C")

    return Table(shape, read)


def _two_dimensional(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"a recording must have the shape (sample, channel), got {shape}")
    return shape[0], shape[1]


def _csv(path: Path, delimiter: str) -> Table:
    """Return a CSV file as a table: one pass finds where each thousandth row begins."""
    places, n_rows, n_columns, header = [], 0, 0, 0
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        while True:
            place, line = file.tell(), file.readline()
            if not line.strip():
                if not any(rest.strip() for rest in file):  # blank lines at the end
                    break
                raise ValueError(f"row {n_rows} of {path.name} is empty; remove it")
            if not n_columns:
                cells = line.decode(errors="replace").split(delimiter)
                n_columns = len(cells)
                if not any(_numbers(cell, delimiter) for cell in cells):  # names
                    header = 1
                    continue
            if n_rows % _ROWS == 0:
                places.append(place)
            n_rows += 1

    def read(start: int, stop: int) -> Floats:
        stop = min(stop, n_rows)
        with path.open("rb") as file:
            file.seek(places[start // _ROWS])
            for _ in range(start % _ROWS):
                file.readline()
            lines = [file.readline().decode(errors="replace") for _ in range(stop - start)]
        try:
            rows = np.loadtxt(lines, delimiter=delimiter, ndmin=2, comments=None)
        except ValueError:
            bad = next(
                i for i, text in enumerate(lines) if not _numbers(text, delimiter, n_columns)
            )
            raise ValueError(
                f"line {start + bad + header + 1} of {path.name} must hold {n_columns} numbers "
                f"separated by {delimiter!r}, got {lines[bad].strip()!r}; fill or remove gaps "
                "first, or name another delimiter"
            ) from None
        return np.ascontiguousarray(rows, dtype=np.float64)

    return Table(_two_dimensional((n_rows, n_columns)), read)


def _numbers(line: str, delimiter: str, n_columns: int | None = None) -> bool:
    """Return whether all cells of a line are numbers, and as many as they should be."""
    cells = line.split(delimiter)
    try:
        for cell in cells:
            float(cell)
    except ValueError:
        return False
    return n_columns in (None, len(cells))
