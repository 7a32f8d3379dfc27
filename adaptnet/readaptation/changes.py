"""The changes of context that a run goes through: when, from what to what."""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Flags, Integers
from adaptnet.files.schema import DIRECTIONS
from adaptnet.readaptation.selections import DIMS

NO_CHANGE = "(none)"
"""Label of a change that a replicate does not have."""

# Affine-invariant distance below which two covariances are equal but for rounding, whose own is
# about 1e-15 times their condition.
_ROUNDING = 1e-8

_NUMBERS = ("change_sample", "change_end", "context_left", "context_entered", "change_distance")


def per_change(dataset: xr.Dataset, name: str) -> npt.NDArray[Any]:
    """Return a variable of the changes as an array (replicate, change)."""
    full = xr.DataArray(
        np.empty((dataset.sizes["replicate"], dataset.sizes["change"])),
        dims=("replicate", "change"),
    )
    return np.asarray(dataset[name].broadcast_like(full).transpose("replicate", "change").values)


def transition_samples(dataset: xr.Dataset) -> Integers:
    """Return for each replicate and change how many samples it takes; 0 if it is abrupt."""
    begins = per_change(dataset, "change_sample")
    if "change_end" not in dataset:
        return np.zeros(begins.shape, dtype=np.int64)
    lasts: Integers = np.maximum(per_change(dataset, "change_end") - begins, 0).astype(np.int64)
    return lasts


def require_all_changes(run: xr.Dataset) -> None:
    """Raise if changes of a run were left out or put in another order.

    The contexts at the records say which context is in force: each must be the one entered at the
    last change before.
    """
    starts, left, entered = (
        per_change(run, name) for name in ("change_sample", "context_left", "context_entered")
    )
    seen = run["context"].transpose(..., "sample").values
    shared = seen.ndim == 1 and "replicate" not in run["change_sample"].dims
    # The record at the very end may already see the context that would come next.
    kept = run["sample"].values < int(run.attrs["n_samples"])
    sample = run["sample"].values[kept]
    contexts = np.broadcast_to(seen[..., kept], (len(starts), len(sample)))
    for r in range(1 if shared else len(starts)):
        there = starts[r] >= 0
        begins, path = starts[r][there], entered[r][there]
        first = left[r][there][:1] if len(begins) else contexts[r][:1]
        expected = np.concatenate([first, path])[np.searchsorted(begins, sample, side="right")]
        if (np.diff(begins) <= 0).any() or (contexts[r] != expected).any():
            raise ValueError(
                "a run must have all its changes, in order, but some were left out; measure the "
                "whole run, and select changes from what comes out: "
                "readaptation_times(run).isel(change=[0])"
            )


def unmoved(dataset: xr.Dataset) -> Flags:
    """Return for each replicate and change whether the covariance is known not to jump there.

    Such a change begins a drift that goes on until the next change, or enters a context of equal
    statistics: there is nothing to readapt to before the segment ends.
    """
    begins, lasts = per_change(dataset, "change_sample"), transition_samples(dataset)
    following = np.full_like(begins, -1)
    following[:, :-1] = begins[:, 1:]
    drifts: Flags = (lasts > 0) & (following >= 0) & (begins + lasts >= following)
    if "change_distance" not in dataset:
        return drifts
    return drifts | (per_change(dataset, "change_distance") < _ROUNDING)


def jumps(dataset: xr.Dataset) -> bool:
    """Return whether a run has a change that circuits must readapt to."""
    return bool(((per_change(dataset, "change_sample") >= 0) & ~unmoved(dataset)).any())


def change_coordinates(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of a run's changes: numbers as stored, and words to group by."""
    coordinates = {name: dataset[name].variable for name in DIMS}
    for name in _NUMBERS:
        if name in dataset:
            coordinates[name] = dataset[name].variable
    words = np.array([*dataset["context"].attrs["flag_meanings"].split(), NO_CHANGE])
    left, entered = xr.broadcast(dataset["context_left"], dataset["context_entered"])
    dims = entered.dims
    arrow = np.char.add(np.char.add(words[left.values], " -> "), words[entered.values])
    named = {
        # Padding is -1: the last word.
        "context": (dims, words[entered.values], "context entered"),
        "transition": (
            dims,
            np.where(left.values < 0, NO_CHANGE, arrow),
            "context left -> context entered",
        ),
    }
    if "change_direction" in dataset:
        numbers = dataset["change_direction"]
        directions = np.array([*DIRECTIONS, NO_CHANGE])[numbers.values]
        named["direction"] = numbers.dims, directions, "direction of the change in total variance"
    for name, (along, values, long_name) in named.items():
        coordinates[name] = xr.Variable(along, values, {"long_name": long_name})
    return coordinates


def change_names(dataset: xr.Dataset) -> list[str]:
    """Return a name for each change of a run or of results whose replicates share their path."""
    coordinates = change_coordinates(dataset) if "transition" not in dataset.coords else dataset
    return [str(name) for name in coordinates["transition"].values]
