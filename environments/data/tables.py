"""Recordings in files, of which rows are read when they are needed."""

import codecs
import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from environments.checks import Floats
from environments.data.array_likes import Samples, Words, samples

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Recording: TypeAlias = "str | os.PathLike[str] | npt.ArrayLike | xr.DataArray | pd.DataFrame"

SUFFIXES = (".npy", ".npz", ".nc", ".csv")
WORDS = Words("a recording", "channel")
_ROWS = 1024  # of a CSV file between the places that are remembered


def recorded_samples(
    data: Recording, variable: str | None, sample_dim: str | None, delimiter: str
) -> Samples:
    """Return a recording as samples, without reading all of it if its format allows.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the file does not exist, its format is unknown, a variable has to be named, or the
        recording is not an array of real numbers (sample, channel).
    """
    if not isinstance(data, str | os.PathLike):
        return samples(WORDS, data, sample_dim)
    path = Path(data)
    if not path.is_file():
        raise FileNotFoundError(f"there is no recording {path}; check the path")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        remedy = "read it yourself and pass the array"
        if suffix == ".nwb":
            remedy = "open it with pynwb, and pass one of its TimeSeries"
        raise ValueError(
            f"data must be a file of type {', '.join(SUFFIXES)}, got {path.name!r}; {remedy}"
        )
    return (
        samples(WORDS, CsvFile(path, delimiter))
        if suffix == ".csv"
        else _file(path, variable, sample_dim)
    )


def _file(path: Path, variable: str | None, sample_dim: str | None) -> Samples:
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            found: Any = np.load(path, mmap_mode="r")
        elif suffix == ".npz":
            found = np.load(path)
        else:
            import xarray as xr

            # A variable in seconds is a signal; decoded it would become whole nanoseconds.
            found = xr.open_dataset(path, decode_timedelta=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as reason:
        raise ValueError(f"{path.name} cannot be read as a {suffix} file: {reason}") from None
    if suffix == ".npy":
        return samples(WORDS, found)
    if suffix == ".npz":
        with found:
            name = _named(variable, found.files, path)
            _require_memory(found.zip.getinfo(f"{name}.npy").file_size, path)
            try:
                return samples(WORDS, found[name])
            except (zipfile.BadZipFile, zlib.error, EOFError) as reason:
                raise ValueError(f"{name} in {path.name} is damaged: {reason}") from None
    names = [str(name) for name, array in found.data_vars.items() if array.ndim == 2]
    return samples(WORDS, found[_named(variable, names, path)], sample_dim)


def _require_memory(n_bytes: int, path: Path) -> None:
    """Raise if a compressed array would not fit into the memory of this machine."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if n_bytes > memory // 2:
        raise MemoryError(
            f"{path.name} would take {n_bytes:,} bytes unpacked, more than half of the memory; "
            "save it as .npy, which is read a piece at a time"
        )


def _named(variable: str | None, names: list[str], path: Path) -> str:
    if variable is None and len(names) == 1:
        return names[0]
    if variable not in names:
        raise ValueError(
            f"variable must name one of {', '.join(names)} in {path.name}, got {variable!r}"
        )
    return variable


class CsvFile:
    """Rows of numbers in a text file, read when they are asked for.

    A first line of names is skipped: one without numbers, or 0, 1, 2, ... before rows that are not
    whole numbers, the names of a data frame without names. A first column is skipped if its name
    is empty: it is the index that pandas writes.

    Parameters
    ----------
    path : Path
    delimiter : str
        Between the cells of a row.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, path: Path, delimiter: str) -> None:
        self._path = path
        self._delimiter = delimiter
        self._first_column = 0
        self._header = 0
        self._places: list[int] = []  # where each thousandth row begins
        n_rows = self._scan()
        self.shape = n_rows, self._n_cells - self._first_column

    def _scan(self) -> int:
        """Find rows in one pass, and return how many there are."""
        n_rows, self._n_cells = 0, 0
        with self._path.open("rb") as file:
            if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
                file.seek(0)
            while True:
                place, line = file.tell(), file.readline()
                if not line.strip():
                    if not any(rest.strip() for rest in file):  # blank lines at the end
                        return n_rows
                    raise ValueError(f"row {n_rows} of {self._path.name} is empty; remove it")
                if not self._n_cells:
                    cells = self._cells(line)
                    self._n_cells = len(cells)
                    following = self._cells(file.readline())
                    file.seek(place + len(line))
                    if self._names(cells, following):
                        self._header = 1
                        self._first_column = int(len(cells) > 1 and not cells[0].strip('"'))
                        continue
                if n_rows % _ROWS == 0:
                    self._places.append(place)
                n_rows += 1

    def _cells(self, line: bytes) -> list[str]:
        return [cell.strip() for cell in line.decode(errors="replace").split(self._delimiter)]

    def _names(self, cells: list[str], following: list[str]) -> bool:
        """Return whether the first line of a file holds names, by it and the next line."""
        if not any(_is_number(cell) for cell in cells):
            return True
        indexed = not cells[0].strip('"') and len(cells) > 1
        labels = cells[1:] if indexed else cells
        numbered = labels == [str(i) for i in range(len(labels))]
        if indexed:  # an empty name in front of names or numbers
            return numbered or not any(map(_is_number, labels))
        whole = all(_is_number(cell) and float(cell).is_integer() for cell in following)
        return len(labels) > 1 and numbered and len(following) == len(labels) and not whole

    def __getitem__(self, rows: slice) -> Floats:
        start, stop, _ = rows.indices(self.shape[0])
        with self._path.open("rb") as file:
            file.seek(self._places[start // _ROWS])
            for _ in range(start % _ROWS):
                file.readline()
            lines = [file.readline().decode(errors="replace") for _ in range(stop - start)]
        columns = range(self._first_column, self._n_cells)
        try:
            numbers = np.loadtxt(
                lines, delimiter=self._delimiter, ndmin=2, comments=None, usecols=columns
            )
        except ValueError:
            numbers = np.empty((0, 0))
        if numbers.shape != (stop - start, len(columns)) or any(
            line.count(self._delimiter) != self._n_cells - 1 for line in lines
        ):
            self._refuse(lines, start)
        return np.ascontiguousarray(numbers, dtype=np.float64)

    def _refuse(self, lines: list[str], start: int) -> None:
        """Raise a ValueError that names the first line without the right numbers."""
        for i, line in enumerate(lines):
            cells = line.split(self._delimiter)
            if len(cells) != self._n_cells or not all(map(_is_number, cells[self._first_column :])):
                raise ValueError(
                    f"line {start + i + self._header + 1} of {self._path.name} must hold "
                    f"{self.shape[1]} numbers separated by {self._delimiter!r}, got "
                    f"{line.strip()!r}; fill or remove gaps first, or name another delimiter"
                )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
