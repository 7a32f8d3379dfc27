"""Results of several changes put together: by change, transition, direction or context."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats
from adaptnet.readaptation.segments import NO_CHANGE, UNMOVED
from adaptnet.readaptation.selections import DIMS, whether

BY = ("change", "transition", "context", "direction")


class Group(NamedTuple):
    """Some changes of the replicates, and what they are called."""

    label: Any
    members: Flags  # (replicate, change)


def groups(of: xr.Dataset, by: str, mask: Flags | None = None) -> Iterator[Group]:
    """Yield the groups of `by` in order of appearance; `mask` (replicate, change) leaves out more.

    `of` is a run's results or anything with the same coordinates. Changes at which, by their
    outcome, the covariance did not jump are in no group.
    """
    if by not in BY or by not in of.coords:
        known = ", ".join(name for name in BY if name in of.coords)
        raise ValueError(f"by must name what to group changes by, one of {known}, got {by!r}")
    template = xr.DataArray(
        np.empty((of.sizes["replicate"], of.sizes["change"])), dims=("replicate", "change")
    )
    labels = of[by].broadcast_like(template).transpose("replicate", "change").values
    there = of["change_sample"].broadcast_like(template).transpose("replicate", "change").values
    allowed = (there >= 0) if mask is None else (there >= 0) & mask
    if "outcome" in of and set(of["outcome"].dims) == set(DIMS):
        unmoved = (of["outcome"] == UNMOVED).all("circuit").transpose("replicate", "change").values
        if allowed.any() and not (allowed & ~unmoved).any():
            raise ValueError(
                "the covariance jumps at none of the changes, so there is nothing to readapt to; "
                "adaptnet.readaptation.tracking tells how circuits follow a drift"
            )
        allowed &= ~unmoved
    seen, first = np.unique(labels, return_index=True)
    for label in seen[np.argsort(first)]:
        members = (labels == label) & allowed
        if label != NO_CHANGE and members.any():
            yield Group(label, members)


def times_of(results: xr.Dataset) -> tuple[Floats, Flags]:
    """Return times and whether they were observed (circuit, replicate, change), or refuse."""
    if not {"samples", "observed", "followed"} <= set(results.data_vars):
        raise ValueError(
            "times must be results with `samples`, `observed` and `followed`, as "
            "readaptation_times and fractional_recovery give them, got "
            f"{', '.join(map(str, results.data_vars))}"
        )
    observed = whether(results["observed"].transpose(*DIMS))
    return results["samples"].transpose(*DIMS).values, observed


def horizon_of(results: xr.Dataset, members: Flags) -> float:
    """Return the time up to which all circuits of a group were followed."""
    followed = results["followed"].transpose(*DIMS).values
    return float(min(of[members].max() for of in followed))


def group_coordinates(of: xr.Dataset, by: str, labels: list[Any]) -> dict[str, Any]:
    """Return the coordinates of a result over groups; single changes keep what tells them."""
    coordinates: dict[str, Any] = {by: labels}
    if by == "change":
        # By position: in a file from elsewhere numbers of changes may not be unique.
        at = [of["change"].values.tolist().index(label) for label in labels]
        for name in of.coords:
            if of[name].dims == ("change",) and name != "change":
                coordinates[str(name)] = ("change", of[name].values[at], of[name].attrs)
    return coordinates


def pairs(of: xr.Dataset) -> list[tuple[int, int]]:
    """Return the positions of every pair of circuits, or say that there is but one circuit."""
    n_circuits = of.sizes["circuit"]
    if n_circuits < 2:
        raise ValueError(
            f"a comparison needs at least 2 circuits, got {n_circuits}; simulate them in one run, "
            "so that they share their samples"
        )
    return list(itertools.combinations(range(n_circuits), 2))


def comparisons(of: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the dimension `comparison`."""
    names = [str(name) for name in of["circuit"].values]
    first, second = zip(*((names[a], names[b]) for a, b in pairs(of)), strict=True)
    return {
        "comparison": [f"{a} / {b}" for a, b in zip(first, second, strict=True)],
        "circuit_1": ("comparison", list(first)),
        "circuit_2": ("comparison", list(second)),
    }
