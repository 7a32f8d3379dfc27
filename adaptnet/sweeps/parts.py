"""What is kept of a point, as bytes: no pickle, for a folder may come from a stranger."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

Array = npt.NDArray[Any]


class Entry(NamedTuple):
    """A variable: its dimensions, values and attributes, and whether it is a coordinate."""

    dims: tuple[str, ...]
    values: Array
    attributes: Mapping[str, Any]
    is_coordinate: bool


class Part(NamedTuple):
    """What is kept of some replicates of a point, or why there is nothing."""

    variables: Mapping[str, Entry]
    attributes: Mapping[str, Any] = {}
    status: str = "done"
    message: str = ""
    seconds: float = 0.0


def part_of(dataset: xr.Dataset, status: str, message: str, seconds: float) -> Part:
    """Return a Dataset as a part."""
    variables = {
        str(name): Entry(
            tuple(map(str, variable.dims)),
            _plain(str(name), variable.values),
            {str(key): _jsonable(value) for key, value in variable.attrs.items()},
            name in dataset.coords,
        )
        for name, variable in dataset.variables.items()
    }
    attributes = {str(key): _jsonable(value) for key, value in dataset.attrs.items()}
    return Part(variables, attributes, status, message, seconds)


def dataset_of(part: Part) -> xr.Dataset:
    """Return a part as the Dataset that it was made of.

    Examples
    --------
    >>> dataset = xr.Dataset({"time": ("change", [1.0, 2.0], {"flag_values": np.arange(2)})})
    >>> dataset_of(part_of(dataset, "done", "", 0.1)).identical(dataset)
    True
    """
    variables: dict[str, xr.Variable] = {}
    coordinates: dict[str, xr.Variable] = {}
    for name, (dims, values, attributes, is_coordinate) in part.variables.items():
        variable = xr.Variable(dims, values.copy(), _arrays(attributes))
        (coordinates if is_coordinate else variables)[name] = variable
    return xr.Dataset(variables, coordinates, _arrays(part.attributes))


def _arrays(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as they were before they became JSON."""
    return {
        name: np.asarray(value) if isinstance(value, list) else value
        for name, value in attributes.items()
    }


def encoded(part: Part) -> bytes:
    """Return a part as bytes: a line of JSON, then the arrays.

    Examples
    --------
    >>> part = part_of(xr.Dataset({"time": ("change", [1.0, 2.0])}), "done", "", 0.1)
    >>> decoded(encoded(part)).variables["time"].values.tolist()
    [1.0, 2.0]
    """
    head = {
        "attributes": part.attributes,
        "status": part.status,
        "message": part.message,
        "seconds": part.seconds,
        "variables": {
            name: (dims, values.dtype.str, values.shape, attributes, is_coordinate)
            for name, (dims, values, attributes, is_coordinate) in part.variables.items()
        },
    }
    arrays = (entry.values.tobytes() for entry in part.variables.values())
    return b"".join([json.dumps(head).encode(), b"\n", *arrays])


def decoded(content: bytes, source: str = "the part") -> Part:
    """Return the part that `encoded` wrote.

    Raises
    ------
    ValueError
        If the bytes are damaged.
    """
    line, _, numbers = content.partition(b"\n")
    try:
        head = json.loads(line)
        variables, start = {}, 0
        for name, (dims, dtype, shape, attributes, is_coordinate) in head["variables"].items():
            kind = np.dtype(dtype)
            if kind.hasobject:
                raise ValueError(f"{name} holds objects")
            count = int(np.prod(shape))
            array = np.frombuffer(numbers, kind, count, start).reshape(shape)
            start += count * kind.itemsize
            variables[name] = Entry(tuple(dims), array, attributes, bool(is_coordinate))
        return Part(
            variables,
            head["attributes"],
            str(head["status"]),
            str(head["message"]),
            float(head["seconds"]),
        )
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{source} is damaged: {error}") from error


def _plain(name: str, values: Array) -> Array:
    """Return values of a type that files hold."""
    if values.dtype.kind == "b":
        return values.astype(np.int8)
    if values.dtype.kind in "TO":
        if not all(isinstance(value, str) for value in values.flat):
            raise TypeError(f"keep must return numbers and texts, but {name} holds objects")
        return values.astype(np.str_)
    if values.dtype.kind not in "fiuUmM":
        raise TypeError(f"keep must return numbers and texts, but {name} is of {values.dtype}")
    return np.ascontiguousarray(values).reshape(values.shape)


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value
