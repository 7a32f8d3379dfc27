"""Runs that xarray has joined, sorted or reduced: made to follow the schema again, or refused."""

from typing import Any

import numpy as np
import xarray as xr

from adaptnet.files.schema import AUXILIARY, COORDINATES, RESULTS, SCHEMA, VARIABLES, Variable

# Padded with -1 for a replicate that has fewer changes than others.
_PADDED = tuple(name for name, entry in VARIABLES.items() if "change" in entry.dims)


def as_run(dataset: xr.Dataset) -> xr.Dataset:
    """Return a run that xarray has changed as one that follows the schema, or say what it is.

    Joining runs along a dimension (``xarray.concat``) gives that dimension to what its runs share,
    and NaN to what one of them lacks. What circuits or replicates still share is shared again;
    records are sorted.

    Parameters
    ----------
    dataset : Dataset
        A run, or what was made of runs; anything else is returned as it is.

    Raises
    ------
    ValueError
        If the parts do not fit into one run: a dimension that a run does not have, circuits that
        were in different environments, records at different samples, records twice, or a mean.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> inputs = np.random.default_rng(0).normal(size=(50, 2))
    >>> runs = [an.simulate({name: an.DirectCircuit()}, inputs, rng=0) for name in ("a", "b")]
    >>> joined = xr.concat(runs, dim="circuit", data_vars="all", coords="all", join="outer",
    ...     compat="equals")
    >>> joined["context"].dims, as_run(joined)["context"].dims
    (('circuit', 'sample'), ('sample',))
    """
    if dataset.attrs.get("adaptnet_schema") != SCHEMA or dataset.attrs.get("kind") in RESULTS:
        return dataset
    reduced = [name for name in COORDINATES if name not in dataset.variables]
    if reduced:
        raise ValueError(
            f"the dataset is not a run of adaptnet any more: it lacks {', '.join(reduced)}, as a "
            "mean or another reduction leaves it; reduce what measures return instead"
        )
    _refuse_new_dimensions(dataset)
    known = {**COORDINATES, **AUXILIARY, **VARIABLES}
    mended = {
        str(name): _mended(str(name), variable, known[str(name)])
        for name, variable in dataset.variables.items()
        if name in known and not _conforms(variable, known[str(name)])
    }
    if mended:
        aside = [name for name in mended if name in dataset.coords]
        dataset = dataset.drop_vars(mended).assign(mended).set_coords(aside)
    return _sorted(dataset)


def _conforms(variable: xr.Variable, entry: Variable) -> bool:
    whole = entry.dtype != "i8" or variable.dtype.kind == "i"
    return whole and set(variable.dims) <= set(entry.dims)


def _refuse_new_dimensions(dataset: xr.Dataset) -> None:
    """Raise if several runs lie along a dimension that a run does not have."""
    own = {dim for variable in VARIABLES.values() for dim in variable.dims}
    for dim in {dim for name in VARIABLES if name in dataset for dim in dataset[name].dims}:
        if dim not in {*COORDINATES, *own} and dataset.sizes[dim] > 1:
            raise ValueError(
                f"the dataset is {dataset.sizes[dim]} runs along {dim!r}, a dimension that a run "
                f"does not have; pass each by itself (dataset.isel({dim}=0)), or join runs along "
                "replicate or circuit"
            )


def _mended(name: str, variable: xr.Variable, entry: Variable) -> xr.Variable:
    """Return a variable with the dimensions and the type that the schema gives it."""
    for dim in [dim for dim in variable.dims if dim not in entry.dims]:
        first = variable.isel({dim: 0})
        if not _equal(variable, first):
            raise ValueError(
                f"the dataset is not one run: {name} differs along {dim}, which in a run shares it;"
                f" runs joined along {dim} must have the same samples, changes and contexts"
            )
        variable = first
    if entry.dtype != "i8" or variable.dtype.kind != "f":
        return variable
    values = variable.values
    missing = np.isnan(values)
    if missing.any() and name not in _PADDED:
        raise ValueError(
            f"the dataset is not one run: {name} is missing in places, as where runs are joined "
            "that were recorded at different samples; record them at the same ones, or measure "
            "each by itself"
        )
    numbers = np.where(missing, -1, values)
    if (numbers != np.round(numbers)).any():
        raise ValueError(
            f"the dataset is not a run of adaptnet any more: {name} is not in whole numbers, as a "
            "mean leaves it; reduce what measures return instead"
        )
    if not missing.any():
        return variable  # of another type for no reason that is known here
    return xr.Variable(variable.dims, numbers.astype(np.int64), variable.attrs)


def _equal(variable: xr.Variable, first: xr.Variable) -> bool:
    axis = next(i for i, dim in enumerate(variable.dims) if dim not in first.dims)
    values, alike = variable.values, np.expand_dims(first.values, axis)
    missing: Any = np.isnan(values) & np.isnan(alike) if values.dtype.kind == "f" else False
    return bool(((values == alike) | missing).all())


def _sorted(dataset: xr.Dataset) -> xr.Dataset:
    """Return a run with its records in order."""
    sample = dataset["sample"].values
    if not sample.size:
        raise ValueError("the dataset has no records: none of its samples was selected")
    if sample.ndim and (np.diff(sample) < 0).any():
        dataset = dataset.sortby("sample")
        sample = dataset["sample"].values
    if not sample.size:
        raise ValueError("the dataset has no records: none of its samples was selected")
    if sample.ndim and (np.diff(sample) == 0).any():
        raise ValueError(
            "the dataset is not one run: records of the same sample are there twice, as where runs "
            "are joined along sample; measure each by itself"
        )
    return dataset
