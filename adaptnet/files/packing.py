"""Large arrays in the parameters of a run are stored as arrays, not as the text of their numbers.

In memory parameters are JSON, whole. In files an array of many numbers in it is replaced by
``{"stored_array": NAME, "sha256": ...}``, and the numbers are stored under that name: half of the
bytes, and no limit on the length of a text.
"""

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet._checks import json_value

Arrays = dict[str, npt.NDArray[Any]]

PARAMETERS = ("circuits", "environment", "scenario_parameters")
"""The attributes that may hold arrays."""

_KEY = "stored_array"
_MANY = 4096  # numbers; fewer are easier to read where they stand (64 x 64 takes 80 kB as text)


def packed(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], Arrays]:
    """Return attributes without large arrays, and the arrays.

    Examples
    --------
    >>> numbers = np.arange(5000.0)
    >>> attributes, arrays = packed({"environment": json.dumps({"mean": numbers.tolist()})})
    >>> list(arrays), len(attributes["environment"]) < 200
    (['environment_0'], True)
    >>> unpacked(attributes, arrays) == {"environment": json.dumps({"mean": numbers.tolist()})}
    True
    """
    arrays: Arrays = {}
    short = dict(attributes)
    for name in PARAMETERS:
        text = attributes.get(name)
        if isinstance(text, str) and len(text) > 2 * _MANY:  # else it holds no array so large
            short[name], found = _packed(name, text)
            arrays |= found
    return short, arrays


def unpacked(attributes: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with their arrays in place.

    Raises
    ------
    ValueError
        If an array is missing or is not the one that was stored.
    """
    whole = dict(attributes)
    for name in PARAMETERS:
        text = attributes.get(name)
        if isinstance(text, str) and f'"{_KEY}"' in text:
            whole[name] = json.dumps(_with_arrays(json_value(text, name), arrays))
    return whole


@functools.lru_cache(maxsize=len(PARAMETERS))  # a run is packed several times in a row
def _packed(name: str, text: str) -> tuple[str, Arrays]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text, {}
    found: Arrays = {}
    short = _without_arrays(value, name, found)
    if json.dumps(value) != text:  # it could not be put together again as it was
        return text, {}
    return json.dumps(short), found


def _without_arrays(value: Any, name: str, found: Arrays) -> Any:
    if isinstance(value, dict):
        return {key: _without_arrays(entry, name, found) for key, entry in value.items()}
    if not isinstance(value, list):
        return value
    array = _as_array(value)
    if array is None:
        return [_without_arrays(entry, name, found) for entry in value]
    key = f"{name}_{len(found)}"
    found[key] = array
    return {_KEY: key, "sha256": _digest(array)}


def _as_array(value: list[Any]) -> npt.NDArray[Any] | None:
    """Return a list as an array if it is a large one of numbers of one type."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # rows of several lengths; whole numbers beyond 64 bits
        return None
    if array.size < _MANY or array.dtype not in (np.float64, np.int64):
        return None
    return array if _are_all(value, type(array.flat[0].item())) else None


def _are_all(values: list[Any], kind: type) -> bool:
    """Return whether all numbers of a nested list are of one type: 1 is not written as 1.0."""
    if isinstance(values[0], list):
        return all(_are_all(row, kind) for row in values)
    return set(map(type, values)) == {kind}


def _with_arrays(value: Any, arrays: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_with_arrays(entry, arrays) for entry in value]
    if not isinstance(value, dict):
        return value
    if _KEY not in value:
        return {key: _with_arrays(entry, arrays) for key, entry in value.items()}
    key = str(value[_KEY])
    if key not in arrays:
        raise ValueError(
            f"the parameters refer to the array {key}, which is not there; read the file with "
            "adaptnet.load, which puts arrays back in place"
        )
    array = np.ascontiguousarray(arrays[key])
    if _digest(array) != value.get("sha256"):
        raise ValueError(f"the array {key} is damaged: it does not match its checksum")
    return array.tolist()


def _digest(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()
