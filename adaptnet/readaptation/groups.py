"""Results of several changes put together: by change, transition, direction or context."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats
from adaptnet.readaptation.changes import NO_CHANGE, per_change
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.selections import DIMS, whether

BY = ("change", "transition", "context", "direction")


class Group(NamedTuple):
    """Some changes of the replicates, and what they are called."""

    label: Any
    members: Flags  # (replicate, change)


def groups(results: xr.Dataset, by: str, mask: Flags | None = None) -> Iterator[Group]:
    """Yield the groups of `by` in order of appearance; `mask` (replicate, change) leaves out more.

    `results` are those of a run or anything with the same coordinates. Changes at which, by their
    outcome, the covariance did not jump are in no group.
    """
    if by not in BY or by not in results.coords:
        known = ", ".join(name for name in BY if name in results.coords)
        raise ValueError(f"by must name what to group changes by, one of {known}, got {by!r}")
    labels = per_change(results, by)
    allowed = per_change(results, "change_sample") >= 0
    if mask is not None:
        allowed = allowed & mask
    if "outcome" in results and set(results["outcome"].dims) == set(DIMS):
        unmoved = (results["outcome"] == Outcome.UNMOVED).all("circuit")
        still = unmoved.transpose("replicate", "change").values
        if allowed.any() and not (allowed & ~still).any():
            raise ValueError(
                "the covariance jumps at none of the changes, so there is nothing to readapt to; "
                "adaptnet.readaptation.tracking tells how circuits follow a drift"
            )
        allowed = allowed & ~still
    seen, first = np.unique(labels, return_index=True)
    for label in seen[np.argsort(first)]:
        members = (labels == label) & allowed
        if label != NO_CHANGE and members.any():
            yield Group(label, members)


class Times(NamedTuple):
    """Times that may be censored, in arrays of one shape."""

    durations: Floats
    """Until the circuit readapted or diverged, or ceased to be followed; NaN if there is no time"""
    observed: Flags  # whether it readapted
    diverged: Flags  # whether it diverged before

    def of(self, circuit: int, members: Flags) -> "Times":
        """Return the times of a circuit (by position) in a group, as far as there are any."""
        there = members & ~np.isnan(self.durations[circuit])
        return Times(*(array[circuit][there] for array in self))

    @property
    def censored(self) -> Flags:
        """Which circuits were followed without readapting or diverging."""
        return ~(self.observed | self.diverged | np.isnan(self.durations))


_FOLLOWED = {"samples": "followed", "synaptic_time": "synaptic_followed"}


def times_of(results: xr.Dataset, variable: str = "samples") -> Times:
    """Return times (circuit, replicate, change) of `variable`; refuse results without times."""
    followed = _FOLLOWED[variable]
    if not {variable, "observed", followed} <= set(results.data_vars):
        raise ValueError(
            f"times must be results with `{variable}`, `observed` and `{followed}`, as "
            "readaptation_times and fractional_recovery give them, got "
            f"{', '.join(map(str, results.data_vars))}"
        )
    observed = whether(results["observed"].transpose(*DIMS))
    reached, until = (results[name].transpose(*DIMS).values for name in (variable, followed))
    diverged = np.zeros_like(observed)
    if "outcome" in results:
        diverged = whether(results["outcome"].transpose(*DIMS) == Outcome.DIVERGED)
    return Times(np.where(observed, reached, until).astype(np.float64), observed, diverged)


def horizon_of(results: xr.Dataset, members: Flags, variable: str = "samples") -> float:
    """Return the time up to which all circuits of a group were followed.

    A circuit that diverged is known for ever not to readapt, so that it sets no limit.
    """
    times = times_of(results, variable)
    followed = results[_FOLLOWED[variable]].transpose(*DIMS).values
    longest = [
        of_circuit[members & ~lost & ~np.isnan(of_circuit)].max(initial=-np.inf)
        for of_circuit, lost in zip(followed, times.diverged, strict=True)
    ]
    limits = [limit for limit in longest if limit >= 0]
    mine = followed[:, members]
    return float(min(limits) if limits else mine[~np.isnan(mine)].max(initial=0.0))


def group_coordinates(results: xr.Dataset, by: str, labels: list[Any]) -> dict[str, Any]:
    """Return the coordinates of a result over groups; single changes keep what tells them."""
    coordinates: dict[str, Any] = {by: labels}
    if by == "change":
        # By position: in a file from elsewhere numbers of changes may not be unique.
        at = [results["change"].values.tolist().index(label) for label in labels]
        for name in results.coords:
            if results[name].dims == ("change",) and name != "change":
                coordinates[str(name)] = ("change", results[name].values[at], results[name].attrs)
    return coordinates


def pairs(results: xr.Dataset) -> list[tuple[int, int]]:
    """Return the positions of every pair of circuits, or say that there is but one circuit."""
    n_circuits = results.sizes["circuit"]
    if n_circuits < 2:
        raise ValueError(
            f"a comparison needs at least 2 circuits, got {n_circuits}; simulate them in one run, "
            "so that they share their samples"
        )
    return list(itertools.combinations(range(n_circuits), 2))


def comparisons(results: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the dimension `comparison`."""
    names = [str(name) for name in results["circuit"].values]
    first, second = zip(*((names[a], names[b]) for a, b in pairs(results)), strict=True)
    return {
        "comparison": [f"{a} / {b}" for a, b in zip(first, second, strict=True)],
        "circuit_1": ("comparison", list(first)),
        "circuit_2": ("comparison", list(second)),
    }
