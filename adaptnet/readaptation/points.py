"""Results at many points of a sweep: each point's analysed as one, and joined again."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import json_object
from adaptnet.files.schema import SWEEP

_OF_POINTS = ("status", "message", "seconds", "point_key")


def point_dims(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the dimensions of the points of a sweep that were not selected from; else none.

    Examples
    --------
    >>> point_dims(xr.Dataset(attrs={"kind": "table"}))
    ()
    """
    if dataset.attrs.get("kind") != SWEEP:
        return ()
    described = json_object(dataset.attrs.get("sweep"), "sweep of the dataset")
    names = described["swept"] if described.get("is_product") else ["point"]
    return tuple(str(name) for name in names if name in dataset.dims)


def each_point(dataset: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield what a sweep kept at each point, in the order of the dimensions of its points."""
    dims = point_dims(dataset)
    kept = dataset.drop_vars([name for name in _OF_POINTS if name in dataset])
    for index in np.ndindex(*(dataset.sizes[dim] for dim in dims)):
        yield kept.isel(dict(zip(dims, index, strict=True)))


def over_points(
    function: Callable[..., xr.Dataset], dataset: xr.Dataset, *args: Any, **kwargs: Any
) -> xr.Dataset:
    """Return what a function of results returns for each point of a sweep, as one Dataset.

    Points at which nothing was kept, since they failed or are missing, are NaN.

    Raises
    ------
    ValueError
        If nothing was kept at any point.
    """
    dims = point_dims(dataset)
    shape = tuple(dataset.sizes[dim] for dim in dims)
    status = dataset["status"].transpose(*dims).values.ravel() if "status" in dataset else None
    found: dict[int, xr.Dataset] = {}
    for i, point in enumerate(each_point(dataset)):
        if status is None or status[i] in ("done", "diverged"):
            alone = [name for name in point.coords if name in dims or name in _swept(dataset)]
            found[i] = function(point.drop_vars(alone), *args, **kwargs)
    if not found:
        raise ValueError("the sweep kept nothing at any point; its variable message says why")
    joined = xr.concat(
        list(found.values()), "_point", data_vars="all", coords="different", join="outer",
        compat="equals", combine_attrs="drop_conflicts",
    )  # fmt: skip
    joined = joined.assign_coords(_point=list(found)).reindex(_point=np.arange(np.prod(shape)))
    return _folded(joined, dims, shape, dataset)


def _swept(dataset: xr.Dataset) -> list[str]:
    described = json_object(dataset.attrs.get("sweep"), "sweep of the dataset")
    return [str(name) for name in described["swept"]]


def _folded(
    joined: xr.Dataset, dims: tuple[str, ...], shape: tuple[int, ...], dataset: xr.Dataset
) -> xr.Dataset:
    """Return a Dataset with the dimensions of the points in place of their number."""
    variables: dict[str, xr.Variable] = {}
    coordinates: dict[str, xr.Variable] = {}
    for name, variable in joined.variables.items():
        if name == "_point":
            continue
        if "_point" in variable.dims:
            moved = variable.transpose("_point", ...)
            values = moved.values.reshape(*shape, *moved.shape[1:])
            variable = xr.Variable((*dims, *moved.dims[1:]), values, variable.attrs)
        (coordinates if name in joined.coords else variables)[str(name)] = variable
    swept = {*dims, *_swept(dataset)}
    of_points = {
        name: coordinate.variable
        for name, coordinate in dataset.coords.items()
        if coordinate.dims and set(coordinate.dims) <= set(dims) and name in swept
    }
    return xr.Dataset(variables, {**coordinates, **of_points}, joined.attrs)
