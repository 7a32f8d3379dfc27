"""The points of a sweep: a product of values, a list of points, or a designed sample."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptnet._checks import whole_number

Value: TypeAlias = bool | int | float | str | tuple[Any, ...]
Over: TypeAlias = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | pd.DataFrame

POINT = "point"
_RESERVED = (POINT, "circuit", "replicate", "change", "status", "message", "seconds", "point_key")


@dataclass(frozen=True)
class Points:
    """Points in their order, and the dimensions that they lie along."""

    names: tuple[str, ...]
    """The swept parameters."""
    axes: tuple[tuple[Value, ...], ...]
    """The values of each parameter along its dimension; of a list of points, its column."""
    is_product: bool
    """Whether each parameter is a dimension of its own."""

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of whatever is known of each point."""
        return self.names if self.is_product else (POINT,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of these dimensions."""
        lengths = tuple(len(axis) for axis in self.axes)
        return lengths if self.is_product else lengths[:1]

    def __len__(self) -> int:
        return math.prod(self.shape)

    def __iter__(self) -> Iterator[dict[str, Value]]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> dict[str, Value]:
        index = index_of(i, self.shape) if self.is_product else (i,) * len(self.names)
        return {name: axis[k] for name, axis, k in zip(self.names, self.axes, index, strict=True)}


def index_of(i: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the place of point number `i` along each dimension, the last one running fastest.

    Examples
    --------
    >>> index_of(4, (2, 3))
    (1, 1)
    """
    return tuple(int(k) for k in np.unravel_index(i, shape))


def points_of(over: Over) -> Points:
    """Return the points that `over` describes.

    Parameters
    ----------
    over : mapping of str to sequence, sequence of mapping, or DataFrame
        Values for each parameter, all combinations of which are points; or the points themselves.

    Raises
    ------
    TypeError, ValueError
        If it is of another type, empty, or holds anything but numbers, texts and flags.

    Examples
    --------
    >>> points = points_of({"learning_rate": [1e-4, 1e-3], "condition": [1, 10, 100]})
    >>> points.dims, points.shape, points[4]
    (('learning_rate', 'condition'), (2, 3), {'learning_rate': 0.001, 'condition': 10})
    >>> points_of([{"condition": 1}, {"condition": 4}]).dims
    ('point',)
    """
    if isinstance(over, pd.DataFrame):
        columns = {str(name): over[name].tolist() for name in over.columns}
    elif isinstance(over, Mapping):
        return _product(over)
    elif isinstance(over, Sequence) and not isinstance(over, str | bytes):
        columns = _columns(over)
    else:
        raise TypeError(
            "over must map names of parameters to values, or be a list of mappings or a DataFrame "
            f"of points, got {over!r:.100}"
        )
    if not columns:
        raise ValueError("over must hold at least one point, got none")
    names = _checked_names(columns)
    axes = tuple(
        tuple(_value(name, value, f"point {i}") for i, value in enumerate(column))
        for name, column in columns.items()
    )
    if not axes[0]:
        raise ValueError("over must hold at least one point, got none")
    rows = list(zip(*axes, strict=True))
    _refuse_repeated(rows, "point", lambda row: dict(zip(names, row, strict=True)))
    return Points(names, axes, is_product=False)


def design(
    sampler: Any,
    n_points: int,
    bounds: Mapping[str, tuple[float, float] | tuple[float, float, str]],
) -> list[dict[str, float]]:
    """Return points that a quasi-random sampler spreads over ranges of parameters.

    Parameters
    ----------
    sampler : scipy.stats.qmc.QMCEngine
        With as many dimensions as there are `bounds`, such as ``scipy.stats.qmc.Sobol(2, rng=0)``.
        A sampler advances as it is used: to add points later, start a new one and raise `n_points`.
    n_points : int
    bounds : mapping of str to (lowest, highest) or (lowest, highest, "log")
        The range of each parameter; with ``"log"`` points are even in its logarithm.

    Returns
    -------
    list of dict
        To be given to :func:`adaptnet.sweep`.

    Raises
    ------
    TypeError, ValueError
        If the sampler is of another type, or a range is empty or, in logarithms, not positive.

    Examples
    --------
    >>> from scipy.stats import qmc
    >>> bounds = {"learning_rate": (1e-5, 1e-3, "log"), "condition": (1, 100)}
    >>> points = design(qmc.Halton(2, scramble=False), 3, bounds)
    >>> [f"{point['learning_rate']:.3g}, {point['condition']:.3g}" for point in points]
    ['1e-05, 1', '0.0001, 34', '3.16e-05, 67']
    """
    n_points = whole_number("n_points", n_points)
    names = _checked_names(bounds)
    if not (hasattr(sampler, "random") and hasattr(sampler, "d")):
        raise TypeError(f"sampler must be one of scipy.stats.qmc, got {sampler!r:.100}")
    if sampler.d != len(bounds):
        raise ValueError(
            f"sampler must have a dimension for each of {len(bounds)} bounds, got {sampler.d}"
        )
    unit = np.asarray(sampler.random(n_points), dtype=np.float64)
    columns = {
        name: _between(name, bounds[name], unit[:, i]).tolist() for i, name in enumerate(names)
    }
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _between(
    name: str, bounds: Sequence[Any], unit: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    expected = f'bounds of {name!r} must be (lowest, highest) or (lowest, highest, "log")'
    if (
        not isinstance(bounds, Sequence)
        or len(bounds) not in (2, 3)
        or bounds[2:] not in ((), ("log",), [], ["log"])
    ):
        raise TypeError(f"{expected}, got {bounds!r:.100}")
    lowest, highest = float(bounds[0]), float(bounds[1])
    logarithmic = len(bounds) == 3
    if not lowest < highest < math.inf or (logarithmic and not lowest > 0):
        raise ValueError(f"{expected}, rising{' and positive' * logarithmic}, got {bounds!r}")
    if logarithmic:
        spread: npt.NDArray[np.float64] = np.exp(
            np.log(lowest) + unit * (np.log(highest) - np.log(lowest))
        )
        return np.clip(spread, lowest, highest)
    return np.clip(lowest + unit * (highest - lowest), lowest, highest)


def _product(over: Mapping[str, Sequence[Any]]) -> Points:
    names = _checked_names(over)
    axes = []
    for name in names:
        values = over[name]
        if isinstance(values, np.ndarray):
            values = values.tolist()
        if isinstance(values, str | bytes) or not isinstance(values, Sequence | range):
            raise TypeError(f"over must map {name!r} to a list of values, got {values!r:.100}")
        if not values:
            raise ValueError(f"over must map {name!r} to at least one value, got none")
        axis = tuple(_value(name, value, f"value {i}") for i, value in enumerate(values))
        _refuse_repeated(axis, name, lambda value: value)
        axes.append(axis)
    return Points(names, tuple(axes), is_product=True)


def _columns(points: Sequence[Any]) -> dict[str, list[Any]]:
    for i, point in enumerate(points):
        if not isinstance(point, Mapping):
            raise TypeError(f"over must hold mappings of names to values, got {point!r:.100}")
        if point.keys() != points[0].keys():
            raise ValueError(
                "over must give every point values of the same parameters, got "
                f"{sorted(points[0])} for point 0 and {sorted(point)} for point {i}"
            )
    return {name: [point[name] for point in points] for name in (points[0] if points else {})}


def _checked_names(over: Mapping[str, Any]) -> tuple[str, ...]:
    if not over:
        raise ValueError("over must name at least one parameter, got none")
    for name in over:
        if not isinstance(name, str):
            raise TypeError(f"over must name parameters by texts, got {name!r}")
        if name in _RESERVED:
            raise ValueError(f"over must not name {name!r}, which is a dimension of the results")
    return tuple(over)


def _value(name: str, value: Any, place: str) -> Value:
    """Return a value as a plain one of Python."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return tuple(_value(name, entry, place) for entry in value)
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return float(value)
    raise TypeError(
        f"{name} must be swept over finite numbers, texts, flags or tuples of them, got "
        f"{value!r:.100} at {place}; sweep a number or a name, and make objects of it in a function"
    )


def _refuse_repeated(values: Sequence[Any], name: str, shown: Any) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise ValueError(f"over holds {name} {shown(value)!r} twice; give each once")
        seen.add(value)
