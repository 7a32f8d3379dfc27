"""Reading runs: a file is judged before any of it is believed, and opened once."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet.files import probe, seals
from adaptnet.files.netcdf import decoded, exclusive, handle
from adaptnet.files.packing import unpacked
from adaptnet.files.paths import working_folder
from adaptnet.files.schema import AUXILIARY
from adaptnet.files.sizes import require_memory
from adaptnet.files.validation import require_mark, validate
from adaptnet.files.writing import GROUP

_FEW = 100_000  # numbers that are worth reading for an outline
_LARGE = 2**30  # bytes
_RATIO = 1032  # at most, of zlib
_UNREADABLE = (OSError, RuntimeError, LookupError, AttributeError, TypeError, UnicodeError)


@contextlib.contextmanager
def reading(source: Path) -> Iterator[xr.Dataset]:
    """Give the run in a file, checked but not read; the file stays open until the block ends.

    Raises
    ------
    FileNotFoundError, ValueError, MemoryError
        As `adaptnet.load`.
    """
    with contextlib.ExitStack() as resources:
        with explained(source):
            stored = resources.enter_context(judged(source))
            dataset = restored(validate(decoded(stored), str(source)), stored)
        yield dataset


def attributes(source: Path) -> dict[str, Any]:
    """Return the attributes of a run's file; nothing else of it is read."""
    with explained(source), judged(source) as stored, exclusive():
        return unpacked(attributes_of(stored), _Arrays(stored))


class Outline(NamedTuple):
    """What a file says of a run, without its data."""

    attributes: dict[str, Any]
    sizes: dict[str, int]
    variables: dict[str, tuple[tuple[str, ...], str]]
    """Dimensions and long name of each."""
    circuits: list[str]
    diverged: npt.NDArray[Any]
    """(circuit, replicate), -1 if one did not diverge; empty if there are too many of them."""


def read_outline(source: Path) -> Outline:
    """Return what a file says of a run; of data only where circuits diverged is read.

    Raises
    ------
    FileNotFoundError, ValueError, MemoryError
        As `adaptnet.load`.
    """
    with explained(source), judged(source) as stored, exclusive():
        attributes = attributes_of(stored)
        coordinates = {*stored.dimensions, *AUXILIARY}
        variables = {
            name: (variable.dimensions, str(getattr(variable, "long_name", "")))
            for name, variable in stored.variables.items()
            if name not in coordinates
        }
        # Dimensions of texts are those of characters, which nobody but the file knows.
        sizes = {
            name: len(dimension)
            for name, dimension in stored.dimensions.items()
            if not name.startswith("string")
        }
        circuits: list[str] = []
        diverged = np.empty((0, 0), np.int64)
        found = stored.variables.get("diverged_sample")
        if found is not None and found.ndim == 2 and found.size <= _FEW:
            diverged = np.ma.filled(found[...], -1)
            circuits = [str(name) for name in np.atleast_1d(stored["circuit"][...])]
        return Outline(attributes, sizes, variables, circuits, diverged)


@contextlib.contextmanager
def judged(source: Path) -> Iterator[Any]:
    """Give a file, as the netCDF4 package opens it, once all has been done to see that it may be.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If it is no netCDF file, is damaged, refers to other files, or is not a run.
    MemoryError
        If what every reader reads would not fit into memory.
    """
    if not source.is_file():
        raise FileNotFoundError(_absence(source))
    if not probe.is_trusted(source):
        probe.require_readable(source, sealed=seals.is_sealed(source))
    with handle(source) as stored:
        with exclusive():
            require_mark(getattr(stored, "adaptnet_schema", None), str(source))
            indexed = stored.dimensions.keys() & stored.variables.keys()
            require_memory_for(source, {name: stored[name] for name in indexed})
        yield stored


def _absence(source: Path) -> str:
    if source.exists():
        return f"{source} is not a file; name the file of a run"
    if working_folder(source).is_dir():
        return (
            f"there is no file {source} yet: its run is unfinished; the command that began it, "
            f"which `adaptnet info {source}` shows, resumes it"
        )
    return f"there is no file {source}"


@contextlib.contextmanager
def explained(source: Path) -> Iterator[None]:
    """Say of a file that the library cannot read what is the matter with it."""
    try:
        yield
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise ValueError(
            f"{source} cannot be read; it is truncated, damaged or of another version, so run it "
            f"again ({error})"
        ) from error


def require_memory_for(source: object, variables: Mapping[Any, Any]) -> None:
    """Raise unless `variables` of a file fit into memory."""
    n_bytes = _size(variables)
    require_memory(str(source), n_bytes, "open it with xarray.open_dataset and read a part of it")


def require_stored(source: Path, variables: Mapping[Any, Any]) -> None:
    """Raise if `variables` claim far more data than a file of this size can hold.

    Raises
    ------
    ValueError
        If they would take more than a gigabyte, and more than compression could have saved.
    """
    n_bytes, n_stored = _size(variables), source.stat().st_size
    if n_bytes > max(_LARGE, _RATIO * n_stored):
        raise ValueError(
            f"{source} is damaged: it claims {n_bytes / 2**30:.3g} GiB of data, which a file of "
            f"{n_stored} bytes cannot hold; run it again"
        )


def _size(variables: Mapping[Any, Any]) -> int:
    return 8 * sum(int(variable.size) for variable in variables.values())


def restored(dataset: xr.Dataset, stored: Any) -> xr.Dataset:
    """Return what was read as it was before it was stored."""
    with exclusive():
        dataset.attrs = unpacked(dataset.attrs, _Arrays(stored))
    for variable in dataset.variables.values():
        if "flag_values" in variable.attrs:  # netCDF reads an array of one number as the number
            variable.attrs["flag_values"] = np.atleast_1d(variable.attrs["flag_values"])
    return dataset


def attributes_of(owner: Any) -> dict[str, Any]:
    """Return the attributes of an open file or variable."""
    return {name: owner.getncattr(name) for name in owner.ncattrs()}


class _Arrays(Mapping[str, Any]):
    """The arrays of the parameters in an open file."""

    def __init__(self, stored: Any) -> None:
        group = stored.groups.get(GROUP)
        self._variables = {} if group is None else group.variables

    def __getitem__(self, name: str) -> Any:
        variable = self._variables[name]
        require_memory_for(f"the array {name}", {name: variable})
        variable.set_auto_maskandscale(False)
        return variable[...]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)
