"""From the parts of a sweep to one labelled Dataset."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet.readaptation.changes import NO_CHANGE
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.sweeps.parts import Array, Entry, Part
from adaptnet.sweeps.points import Points, Value, index_of
from adaptnet.sweeps.tasks import DIVERGED, DONE, FAILED, MISSING

# As measures have it for a change that a replicate has not; else NaN, -1 or an empty text.
_BLANK = {
    "outcome": int(Outcome.ABSENT),
    "observed": 0,
    **dict.fromkeys(("context", "transition", "direction"), NO_CHANGE),
}
_WORST = (DONE, DIVERGED, FAILED, MISSING)  # of the parts of a point, the last one in this order

Parts = Callable[[int], Iterable[Part]]
"""From the number of a point to its parts; asked twice, so that no more than one is held."""


@dataclass
class _Shape:
    """A variable over all parts: its dimensions, type and attributes."""

    dims: tuple[str, ...]
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]
    is_coordinate: bool
    first: Array
    varies: bool = False


@dataclass
class _Known:
    """What a first pass over the parts has found."""

    labels: dict[str, list[Array]] = field(default_factory=dict)
    shapes: dict[str, _Shape] = field(default_factory=dict)
    attributes: dict[str, Any] | None = None
    replicates: set[int] = field(default_factory=set)


def gathered(points: Points, parts: Parts, replicates: int) -> xr.Dataset:
    """Return the parts of all points as one Dataset, the points' dimensions in front.

    What a point lacks is blank, as measures have it, or else NaN, -1 or an empty text. A coordinate
    that is the same for all points is kept once.

    Parameters
    ----------
    points : Points
    parts : callable
        From the number of a point to its parts.
    replicates : int
        Replicates of each point.

    Raises
    ------
    ValueError
        If points keep variables of one name with different dimensions.
    """
    known = _survey(points, parts)
    labels = {dim: _union(dim, found, replicates) for dim, found in known.labels.items()}
    arrays = {
        name: _blank(name, shape, points.shape if shape.varies else (), labels)
        for name, shape in known.shapes.items()
        if name not in labels
    }
    status = np.full(len(points), MISSING, dtype="U8")
    messages: list[str] = []
    seconds = np.full(len(points), np.nan)
    places = {dim: {value: i for i, value in enumerate(v.tolist())} for dim, v in labels.items()}
    for i in range(len(points)):
        index = index_of(i, points.shape)
        reasons = []
        for part in parts(i):
            place(part, known.shapes, places, arrays, index)
            seconds[i] = np.nansum([seconds[i], part.seconds])
            worst = DONE if status[i] == MISSING else str(status[i])
            status[i] = max(worst, part.status, key=_WORST.index)
            reasons += [part.message] if part.message else []
        messages.append("; ".join(dict.fromkeys(reasons)))
    dataset = _labelled(points, known, labels, arrays)
    about = {
        "status": (status, "done, diverged (in some circuit and replicate), failed or missing"),
        "message": (np.array(messages, dtype=np.str_), "what went wrong"),
        "seconds": (seconds, "time that the point took"),
    }
    for name, (values, long_name) in about.items():
        units = {"units": "s"} if name == "seconds" else {}
        dataset[name] = xr.Variable(
            points.dims, values.reshape(points.shape), {"long_name": long_name, **units}
        )
    return dataset


def _survey(points: Points, parts: Parts) -> _Known:
    """Return the labels of all dimensions, and the shapes of all variables."""
    known = _Known()
    for i in range(len(points)):
        for part in parts(i):
            if not part.variables:
                continue
            if known.attributes is None:
                known.attributes = dict(part.attributes)
            else:
                known.attributes = {
                    key: value
                    for key, value in known.attributes.items()
                    if part.attributes.get(key) == value
                }
            _survey_part(known, part, i)
    return known


def _survey_part(known: _Known, part: Part, number: int) -> None:
    sizes: dict[str, int] = {}
    for name, entry in part.variables.items():
        sizes |= zip(entry.dims, entry.values.shape, strict=True)
        shape = known.shapes.get(name)
        if shape is None:
            known.shapes[name] = _Shape(
                entry.dims,
                entry.values.dtype,
                entry.attributes,
                entry.is_coordinate,
                entry.values,
                varies=not entry.is_coordinate
                or ("replicate" in entry.dims and name != "replicate"),
            )
            continue
        if shape.dims != entry.dims:
            raise ValueError(
                f"keep must return each variable with the same dimensions at every point, but "
                f"{name} has {shape.dims} at some and {entry.dims} at point {number}"
            )
        shape.dtype = np.promote_types(shape.dtype, entry.values.dtype)
        if not shape.varies:
            shape.varies = not _same(shape.first, entry.values)
    for dim, size in sizes.items():
        entry_of_dim = part.variables.get(dim)
        found = np.arange(size) if entry_of_dim is None else entry_of_dim.values
        lists = known.labels.setdefault(dim, [])
        if not any(_same(found, other) for other in lists):
            lists.append(found)


def _same(one: Array, other: Array) -> bool:
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _union(dim: str, found: Sequence[Array], replicates: int) -> Array:
    """Return all labels of a dimension: as they come if all points have the same, else sorted."""
    if dim == "replicate":
        return np.arange(replicates)
    if len(found) == 1:
        return found[0]
    return np.unique(np.concatenate(found))


def _blank(
    name: str, shape: _Shape, in_front: tuple[int, ...], labels: Mapping[str, Array]
) -> Array:
    size = (*in_front, *(len(labels[dim]) for dim in shape.dims))
    fill: Any = {"f": np.nan, "i": -1, "U": "", "m": "NaT", "M": "NaT"}.get(shape.dtype.kind, 0)
    fill = _BLANK.get(name, fill)
    dtype = np.promote_types(shape.dtype, f"U{len(fill)}") if isinstance(fill, str) else shape.dtype
    return np.full(size, fill, dtype)


def place(
    part: Part,
    shapes: Mapping[str, _Shape],
    places: Mapping[str, Mapping[Any, int]],
    arrays: Mapping[str, Array],
    index: tuple[int, ...],
) -> None:
    """Write the variables of a part to where its point and its labels are."""
    for name, (dims, values, _, _) in part.variables.items():
        if name in places:
            continue
        at = []
        for dim, size in zip(dims, values.shape, strict=True):
            own = part.variables.get(dim)
            found = range(size) if own is None else own.values.tolist()
            at.append([places[dim][label] for label in found])
        target = arrays[name][index] if shapes[name].varies else arrays[name]
        if at:
            target[np.ix_(*at)] = values
        elif shapes[name].varies:
            arrays[name][index] = values[()]
        else:
            arrays[name][...] = values


def _labelled(
    points: Points, known: _Known, labels: Mapping[str, Array], arrays: Mapping[str, Array]
) -> xr.Dataset:
    variables: dict[str, xr.Variable] = {}
    coordinates: dict[str, xr.Variable] = {}
    for name, (values, attributes) in {
        **{dim: (values, _attributes(known, dim)) for dim, values in labels.items()},
        **{name: (values, _attributes(known, name)) for name, values in arrays.items()},
    }.items():
        shape = known.shapes.get(name)
        own = (name,) if name in labels else shape.dims if shape else ()
        in_front = points.dims if shape is not None and shape.varies and name not in labels else ()
        variable = xr.Variable((*in_front, *own), values, attributes)
        (coordinates if name in labels or (shape and shape.is_coordinate) else variables)[name] = (
            variable
        )
    return xr.Dataset(variables, coordinates, known.attributes or {})


def _attributes(known: _Known, name: str) -> dict[str, Any]:
    shape = known.shapes.get(name)
    attributes = dict(shape.attributes) if shape else {}
    plain = {
        key: np.asarray(value) if isinstance(value, list) else value
        for key, value in attributes.items()
    }
    return {"long_name": name.replace("_", " "), **plain}


def coordinate(values: Sequence[Value]) -> npt.NDArray[Any]:
    """Return the values of a swept parameter as a coordinate: tuples and flags as texts.

    Examples
    --------
    >>> coordinate([1, 2.5]), coordinate([("direct", "gain")])
    (array([1. , 2.5]), array(['direct,gain'], dtype='<U11'))
    """
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        whole = all(isinstance(v, int) for v in values)
        return np.array(values, dtype=np.int64 if whole else np.float64)
    return np.array([_label(value) for value in values], dtype=np.str_)


def _label(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_label, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def parts_of(
    dataset: xr.Dataset, points: Points, attributes: Mapping[str, Any]
) -> Callable[[int], Part]:
    """Return the parts of the points of a finished sweep, read from its Dataset.

    `attributes` are those of what was kept.
    """
    about = ("status", "message", "seconds", "point_key", *points.names)
    status, messages = dataset["status"].values.ravel(), dataset["message"].values.ravel()
    seconds = dataset["seconds"].values.ravel()
    kept = {
        str(name): (
            tuple(map(str, variable.dims)),
            variable.values,
            {
                k: v.tolist() if isinstance(v, np.ndarray | np.generic) else v
                for k, v in variable.attrs.items()
            },
            name in dataset.coords,
        )
        for name, variable in dataset.variables.items()
        if name not in about
    }

    def part(i: int) -> Part:
        index = index_of(i, points.shape)
        variables = {}
        for name, (dims, values, own, is_coordinate) in kept.items():
            if dims[: len(points.dims)] == points.dims:
                dims, values = dims[len(points.dims) :], np.asarray(values[index])
            variables[name] = Entry(dims, values, own, is_coordinate)
        found = str(status[i])
        return Part(
            {} if found == FAILED else variables,
            attributes,
            found,
            str(messages[i]),
            float(seconds[i]),
        )

    return part
