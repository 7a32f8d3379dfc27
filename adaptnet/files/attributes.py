"""Whether names and attributes can be stored: netCDF says so only when all else is done."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

_LONGEST = 255  # bytes of a name, NC_MAX_NAME less one
_NAME = re.compile(r"[^\W]([^\x00-\x1f\x7f/]*[^\x00-\x20\x7f/])?")
_LARGEST = 2**63
_OF_NETCDF = (
    "_FillValue",
    "_NCProperties",
    "_Netcdf4Coordinates",
    "_Netcdf4Dimid",
    "_nc3_strict",
    "CLASS",
    "DIMENSION_LIST",
    "NAME",
    "REFERENCE_LIST",
)

_OF_RUNS = (
    "Conventions",
    "adaptnet_schema",
    "kind",
    "truth",
    "circuits",
    "environment",
    "n_samples",
    "n_replicates",
    "record",
    "record_every",
    "record_changes",
    "sampling_rate",
    "first_inputs_sha256",
    "source",
    "date_created",
    "history",
    "seed_entropy",
    "seed_spawn_key",
    "versions",
    "machine",
    "cpu",
    "cpu_features",
    "git_commit",
)


def further(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a user adds to the attributes of a run, if netCDF can hold it.

    Raises
    ------
    TypeError, ValueError
        If it cannot, or a name is one of those that every run has.

    Examples
    --------
    >>> further({"lab": "A"})
    {'lab': 'A'}
    """
    if not isinstance(attributes, Mapping | None):
        raise TypeError(f"attributes must be a mapping of names to texts, got {attributes!r:.100}")
    added = dict(attributes or {})
    require_attributes(added, "the run")
    for name in added:
        if name in _OF_RUNS:
            raise ValueError(f"attributes must not hold {name!r}, which every run says of itself")
    return added


def require_storable(dataset: xr.Dataset) -> None:
    """Raise unless netCDF can hold the names and the attributes of a Dataset.

    Raises
    ------
    TypeError, ValueError
        If it cannot.
    """
    for name in (*dataset.variables, *dataset.dims):
        _require_name("the name of a variable or dimension", name)
    require_attributes(dataset.attrs, "the Dataset")
    for name, variable in dataset.variables.items():
        require_attributes(variable.attrs, str(name))


def require_attributes(attributes: Mapping[Any, Any], owner: str) -> None:
    """Raise unless netCDF can hold `attributes`.

    Raises
    ------
    TypeError, ValueError
        If a name or a value is not one of netCDF's.

    Examples
    --------
    >>> require_attributes({"lab": "A", "trial": 3}, "the run")
    >>> require_attributes({"flag": True}, "the run")
    Traceback (most recent call last):
    ...
    TypeError: the attribute 'flag' of the run must be a text, a number or an array of numbers,
    got True; netCDF holds nothing else, so write it as a text, JSON for example
    """
    for name, value in attributes.items():
        what = f"the attribute {name!r} of {owner}"
        _require_name(f"the name of an attribute of {owner}", name)
        if name in _OF_NETCDF:
            raise ValueError(f"{what} has a name that netCDF keeps for itself; choose another")
        for entry in value if isinstance(value, list | tuple) else [value]:
            _require_value(what, entry)


def _require_name(what: str, name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a text, got {name!r:.100}")
    if not (_NAME.fullmatch(name) and len(_encoded(what, name)) <= _LONGEST):
        raise ValueError(
            f"{what} must begin with a letter, digit or underscore, hold no slash, and have at "
            f"most {_LONGEST} bytes, got {name!r:.100}"
        )


def _require_value(what: str, value: Any) -> None:
    expected = f"{what} must be a text, a number or an array of numbers"
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError(f"{what} must not hold a character NUL, got {value!r:.100}")
        _encoded(what, value)
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "fiu" or value.ndim > 1 or value.dtype.itemsize > 8:
            raise TypeError(f"{expected}, got {value!r:.100}")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(
            f"{expected}, got {value!r:.100}; netCDF holds nothing else, so write it as a text, "
            "JSON for example"
        )
    elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError(f"{what} must be of at most 64 bits, got {value}; write it as a text")


def _encoded(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} must be Unicode text, got {text!r:.100}") from None
