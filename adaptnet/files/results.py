"""Tables of results, as Datasets that say what they hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from adaptnet.files.schema import CONVENTIONS, SCHEMA, TABLE


def results(
    title: str,
    coordinates: Mapping[str, tuple[Any, str]],
    variables: Mapping[str, tuple[tuple[str, ...], Any, str]],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Return a table of results: what is kept of many runs when no single run says it.

    Parameters
    ----------
    title : str
    coordinates : mapping of str to (values, long name)
        A one-dimensional coordinate for each dimension.
    variables : mapping of str to (dimensions, values, long name)
        Dimensionless results.
    attributes : mapping
        Anything else to keep, provenance for one.

    Returns
    -------
    Dataset
        That :func:`validate` accepts, with ``kind`` table.

    Examples
    --------
    >>> dims = {"scale": ([0.1, 1.0], "scale of the initial weights")}
    >>> times = {"time": (("scale",), [0.7, 0.2], "synaptic time until converged")}
    >>> results("Convergence", dims, times, {})["time"].attrs
    {'long_name': 'synaptic time until converged', 'units': '1'}
    """

    def described(dims: tuple[str, ...], values: Any, long_name: str) -> xr.Variable:
        array = np.asarray(values)
        units = {} if array.dtype.kind == "U" else {"units": "1"}
        return xr.Variable(dims, array, {"long_name": long_name, **units})

    return xr.Dataset(
        {name: described(*entry) for name, entry in variables.items()},
        {name: described((name,), *entry) for name, entry in coordinates.items()},
        {
            "Conventions": CONVENTIONS,
            "adaptnet_schema": SCHEMA,
            "kind": TABLE,
            "title": title,
            **attributes,
        },
    )
