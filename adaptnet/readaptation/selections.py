"""Runs and results of which one circuit, replicate or change was selected."""

import numpy as np
import xarray as xr

from adaptnet._checks import Flags
from adaptnet.files.schema import AUXILIARY, FLOORS, RESULTS, VARIABLES

DIMS = ("circuit", "replicate", "change")


def restored(dataset: xr.Dataset) -> xr.Dataset:
    """Return a run or results with the dimensions that selecting one of something took away.

    ``times.sel(circuit="direct")`` is still times, of one circuit.

    Raises
    ------
    ValueError
        If a single change of a run was selected: its segments need all of them.

    Examples
    --------
    >>> times = xr.Dataset({"samples": (("replicate",), [1.0, 2.0])}, {"circuit": "direct"})
    >>> dict(restored(times).sizes)
    {'circuit': 1, 'replicate': 2}
    """
    run = "adaptnet_schema" in dataset.attrs and dataset.attrs.get("kind") not in RESULTS
    dims = (*DIMS, "sample") if run else DIMS
    gone = [dim for dim in dims if dim in dataset.coords and not dataset[dim].ndim]
    if run and "change" in gone:
        raise ValueError(
            "a run must have all its changes, of which one was selected; measure the whole run, "
            "and select the change from what comes out: readaptation_times(run).sel(change=0)"
        )
    for dim in gone:
        variables = {}
        for name in dataset.variables:
            if name in DIMS:
                continue
            variable = dataset[name].variable
            if run:
                belongs = dim in _dims_of(str(name))
            else:
                belongs = name in dataset.data_vars or (dim == "change" and not variable.ndim)
            if belongs:
                longer = xr.Variable((dim, *variable.dims), variable.values[None], variable.attrs)
                order = [d for d in (*DIMS, "sample") if d in longer.dims]
                variables[str(name)] = longer.transpose(*order, ...)
        alone = xr.Variable((dim,), [dataset[dim].item()], dataset[dim].attrs)
        dataset = dataset.assign_coords({dim: alone}).assign(variables)
    return dataset


def _dims_of(name: str) -> tuple[str, ...]:
    """Return the dimensions that a variable of a run must have."""
    entry = VARIABLES.get(name) or AUXILIARY.get(name)
    if entry is None:
        return ()
    # What concerns no circuit, and floors, have replicates only where their paths differ.
    shared = "circuit" not in entry.dims or name in FLOORS
    return tuple(dim for dim in entry.dims if not (shared and dim == "replicate"))


def whether(values: xr.DataArray) -> Flags:
    """Return flags as such: ``Dataset.where`` makes numbers or objects of them."""
    flags: Flags = np.equal(values.values, True).astype(bool)
    return flags
