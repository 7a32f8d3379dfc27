"""What is drawn of a sweep: estimates with intervals, over points, circuits and changes."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import json_object, whole_number
from adaptnet._words import suggestion
from adaptnet.files.schema import SWEEP
from adaptnet.readaptation.points import point_dims
from adaptnet.readaptation.summaries import summary

MOST_PANELS = 6
"""Beyond, panels are too small to be read."""


class Estimates(NamedTuple):
    """Estimates with intervals, and what they are.

    The table holds over points, circuits and panels ``middle``, ``low`` and ``high``; ``beyond``,
    until when circuits were followed where ``middle`` is infinite; and, if theory says anything,
    ``predicted``.
    """

    table: xr.Dataset
    label: str
    panel: str | None
    """The dimension that panels differ in."""

    def isel(self, **index: Any) -> "Estimates":
        """Return some of the estimates."""
        return self._replace(table=self.table.isel(index))


def varying(dataset: xr.Dataset) -> tuple[tuple[str, ...], list[str]]:
    """Return the dimensions of the points, and the parameters that vary along them."""
    if dataset.attrs.get("kind") != SWEEP:
        raise ValueError(
            f"dataset must be a sweep, as adaptnet.sweep returns it, got one of kind "
            f"{dataset.attrs.get('kind')!r}"
        )
    dims = point_dims(dataset)
    names = json_object(dataset.attrs["sweep"], "sweep of the dataset")["swept"]
    if dims == ("point",):
        varying = [n for n in names if len(np.unique(dataset[n].values)) > 1] or names[:1]
        return dims, varying
    dims = tuple(dim for dim in dims if dataset.sizes[dim] > 1) or dims[:1]
    if not dims:
        raise ValueError("nothing varies in the dataset, from which a single point was selected")
    return dims, list(dims)


def estimates(
    dataset: xr.Dataset,
    variable: str | None,
    dims: tuple[str, ...],
    change: int | None,
    *,
    all_changes: bool,
) -> Estimates:
    """Return the estimates of a variable: medians of times, means of anything else.

    Raises
    ------
    ValueError
        If there is no such variable or change.
    """
    squeezed = [dim for dim in point_dims(dataset) if dim not in dims]
    dataset = dataset.isel(dict.fromkeys(squeezed, 0))
    is_timed = "followed" in dataset and "outcome" in dataset
    kept = [
        str(name)
        for name, values in dataset.data_vars.items()
        if values.dtype.kind in "fi" and name not in ("seconds", "outcome")
    ]
    if variable is None:
        variable = "samples" if is_timed else next(iter(kept), None)
    if variable is None or variable not in kept:
        raise ValueError(f"variable must name what was kept, got {variable!r}; "
                         f"{suggestion(str(variable), kept)}")  # fmt: skip
    if is_timed and variable == "samples":
        return _times(dataset, change, all_changes=all_changes)
    return _means(dataset, variable, dims, change, all_changes=all_changes)


def _times(dataset: xr.Dataset, change: int | None, *, all_changes: bool) -> Estimates:
    """Return medians of times, with their intervals."""
    found = summary(dataset)
    order = (*point_dims(dataset), "circuit", "change")
    longest = dataset["followed"].where(dataset["followed"] > 0).max("replicate")
    table = {
        "middle": found["median"],
        "low": found["median_low"],
        "high": found["median_high"],
        "beyond": longest,
    }
    if "flow_samples" in dataset:
        flow = dataset["flow_samples"]
        table["predicted"] = flow.median("replicate") if "replicate" in flow.dims else flow
    threshold = dataset.attrs.get("threshold")
    reached = "readapted" if threshold is None else f"below {threshold:g}"
    ordered = {name: values.transpose(*order) for name, values in table.items()}
    shown = Estimates(
        xr.Dataset(ordered).assign_coords(found.coords), f"samples until {reached}", "change"
    )
    return _of_changes(shown, change, all_changes=all_changes)


def _means(
    dataset: xr.Dataset, name: str, dims: tuple[str, ...], change: int | None, *, all_changes: bool
) -> Estimates:
    """Return means over replicates and whatever else there is, with intervals of 95 %."""
    values = dataset[name].astype(np.float64)
    own = [dim for dim in values.dims if dim not in (*point_dims(dataset), "circuit", "change")]
    n = values.notnull().sum(own)
    mean = values.mean(own)
    error = (values.std(own) / np.sqrt(np.maximum(n - 1, 1))).where(n > 1, 0.0)
    if "circuit" not in mean.dims:
        mean, error = mean.expand_dims(circuit=[""]), error.expand_dims(circuit=[""])
    panel = "change" if "change" in mean.dims else None
    order = (*point_dims(dataset), "circuit", *([panel] if panel else []))
    table = {"middle": mean, "low": mean - 1.96 * error, "high": mean + 1.96 * error}
    ordered = {name: values.transpose(*order) for name, values in table.items()}
    label = str(dataset[name].attrs.get("long_name", name))
    shown = Estimates(xr.Dataset(ordered).assign(beyond=ordered["middle"]), label, panel)
    return _of_changes(shown, change, all_changes=all_changes) if panel else shown


def _of_changes(shown: Estimates, change: int | None, *, all_changes: bool) -> Estimates:
    """Return what is shown of the change asked for, or of those that there is room for."""
    n_changes = shown.table.sizes["change"]
    if change is not None and whole_number("change", change, minimum=0) >= n_changes:
        raise ValueError(f"change must be below {n_changes}, got {change}")
    chosen = [change] if change is not None else range(n_changes if all_changes else 1)
    return shown.isel(change=list(chosen)[:MOST_PANELS])
