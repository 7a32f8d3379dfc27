"""The records of a run between changes, and results over (circuit, replicate, change)."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Flags, Floats, Integers
from adaptnet.files.parameters import synaptic_time
from adaptnet.files.schema import DIRECTIONS, context_flags
from adaptnet.files.validation import validate
from adaptnet.readaptation.selections import DIMS

NO_CHANGE = "(none)"

REACHED, NOT_REACHED, DIVERGED, ABSENT, NO_JUMP, TOO_FEW, NOT_FITTED, TOO_SLOW, UNMOVED = range(9)
OUTCOMES = (
    "reached",
    "not_reached_before_the_segment_ended",
    "diverged",
    "no_such_change_in_this_replicate",
    "no_jump_above_the_floor",
    "too_few_records",
    "fit_did_not_converge",
    "slower_than_the_segment_is_long",
    "the_covariance_does_not_jump",
)
_ROUNDING = 1e-8  # in distances between covariances that are equal


class Segment(NamedTuple):
    """What a circuit did in a replicate between a change and the next, or the end."""

    at: tuple[int, int, int]  # circuit, replicate, change
    start: int  # sample of the change
    since: Integers  # samples since the change, of each record with a finite error
    errors: Floats
    before: float  # error at the last record before the change; NaN where the circuit had diverged
    diverged: bool  # whether the circuit diverged before the segment ended
    unmoved: bool  # whether the change left the covariance what it was: a drift sets in

    @property
    def followed(self) -> int:
        """Samples from the change to the last sound record."""
        return int(self.since[-1]) if len(self.since) else 0


def error_of(dataset: xr.Dataset, variable: str) -> xr.DataArray:
    """Return the error `variable` of a run, or say what the run has instead."""
    validate(dataset, run=True)
    known = dataset.data_vars
    if variable not in known or not {"circuit", "sample"} <= set(known[variable].dims):
        raise ValueError(
            f"variable must be an error that the run has recorded, got {variable!r}; it has "
            f"{', '.join(map(str, known))}; name {variable!r} in simulate(record=...)"
        )
    return known[variable]


def segments(dataset: xr.Dataset) -> tuple[Integers, Integers]:
    """Return for each replicate and change its first sample and the sample where it has ended.

    Both have the shape (replicate, change), with -1 for changes that a replicate does not have.
    """
    starts, entered = _table(dataset, "change_sample"), _table(dataset, "context_entered")
    end = int(dataset.attrs["n_samples"])
    stops = np.full_like(starts, -1)
    stops[:, :-1] = starts[:, 1:]
    # The record at the very end may already see the context that would come next.
    final = dataset["context"].isel(sample=-1).broadcast_like(dataset["replicate"]).values
    for r, c in np.argwhere((starts >= 0) & (stops < 0)):
        same = dataset["sample"].values[-1] < end or final[r] == entered[r, c]
        stops[r, c] = end + 1 if same else end
    return starts, stops


def each_segment(dataset: xr.Dataset, variable: str) -> Iterator[Segment]:
    """Yield every segment of a run that follows a change, or say that there is none."""
    errors = error_of(dataset, variable).transpose("circuit", "replicate", "sample").values
    starts, stops = segments(dataset)
    still = unmoved(dataset)
    if not starts.shape[1]:
        raise ValueError(
            "the run has no change of context, so nothing to readapt to; "
            "simulate longer, or in an environment whose contexts change"
        )
    sample = dataset["sample"].values
    for r, change in np.argwhere(starts >= 0):
        start = starts[r, change]
        first, last = np.searchsorted(sample, (start, stops[r, change]))
        for c in range(len(errors)):
            curve = errors[c, r, first:last]
            sound = np.isfinite(curve)
            yield Segment(
                (c, int(r), int(change)),
                int(start),
                sample[first:last][sound] - start,
                curve[sound],
                float(errors[c, r, first - 1]),
                not sound.all(),
                bool(still[r, change]),
            )


class Results:
    """Results over (circuit, replicate, change) in the making, and what they are of.

    Every result has an `outcome`, so that no NaN is without its reason.
    """

    def __init__(self, dataset: xr.Dataset, variable: str, **attributes: Any) -> None:
        self._run = validate(dataset, run=True)
        sample = dataset["sample"].values
        # The finest that a time can be told; one record alone tells none.
        every = int(sample[1] - sample[0]) if len(sample) > 1 else int(dataset.attrs["n_samples"])
        self._attributes = {"variable": variable, "record_every": every, **attributes}
        self.shape = tuple(dataset.sizes[dim] for dim in DIMS)
        self.outcome = np.full(self.shape, ABSENT, dtype=np.int64)

    def blank(self) -> Floats:
        """Return an array for a result, NaN everywhere."""
        return np.full(self.shape, np.nan)

    def in_synaptic_time(self, samples: Floats) -> Floats:
        """Return times after the changes, in samples, as synaptic times."""
        starts = _table(self._run, "change_sample")
        return np.stack(
            [
                synaptic_time(self._run, str(name), starts, starts + samples[c])
                for c, name in enumerate(self._run["circuit"].values)
            ]
        )

    def labelled(
        self, values: Mapping[str, tuple[Any, str]], extra: Mapping[str, Any] | None = None
    ) -> xr.Dataset:
        """Return `values`, each an array and its long name, with the coordinates of the changes.

        Arrays of more than three dimensions have those of `extra`, its coordinates, too.
        """
        extra = dict(extra or {})
        variables = {
            name: ((*DIMS, *extra)[: array.ndim], array, {"long_name": long_name, "units": "1"})
            for name, (array, long_name) in values.items()
        }
        outcome = (DIMS, self.outcome, {"long_name": "outcome", **context_flags(OUTCOMES)})
        coordinates = {**change_coordinates(self._run), **extra}
        return xr.Dataset({**variables, "outcome": outcome}, coordinates, self._attributes)

    def times(self, samples: Floats, what: str) -> dict[str, tuple[Any, str]]:
        """Return times in samples and in synaptic time, ready to be labelled."""
        return {
            "samples": (samples, f"samples {what}"),
            "synaptic_time": (
                self.in_synaptic_time(samples),
                f"synaptic time (sum of learning rates) {what}; NaN without a learning rate",
            ),
        }


def change_coordinates(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of a run's changes: numbers as stored, and words to group by."""
    coordinates = {name: dataset[name].variable for name in DIMS}
    for name in ("change_sample", "context_left", "context_entered", "change_distance"):
        if name in dataset:
            coordinates[name] = dataset[name].variable
    words = np.array([*dataset["context"].attrs["flag_meanings"].split(), NO_CHANGE])
    left, entered = dataset["context_left"].variable, dataset["context_entered"].variable
    names = {"context": words[entered.values]}  # padding is -1: the last word
    arrow = np.char.add(np.char.add(words[left.values], " -> "), words[entered.values])
    names["transition"] = np.where(left.values < 0, NO_CHANGE, arrow)
    described = {"context": "context entered", "transition": "context left -> context entered"}
    if "change_direction" in dataset:
        directions = np.array([*DIRECTIONS, NO_CHANGE])
        names["direction"] = directions[dataset["change_direction"].values]
        described["direction"] = "direction of the change in total variance"
    for name, values in names.items():
        coordinates[name] = xr.Variable(left.dims, values, {"long_name": described[name]})
    return coordinates


def change_names(dataset: xr.Dataset) -> list[str]:
    """Return a name for each change of a run or of results whose replicates share their path."""
    coordinates = change_coordinates(dataset) if "transition" not in dataset.coords else dataset
    return [str(name) for name in coordinates["transition"].values]


def unmoved(dataset: xr.Dataset) -> Flags:
    """Return for each replicate and change whether the covariance is known not to jump there.

    Such a change begins a drift, or enters a context of equal statistics: there is nothing to
    readapt to at once.
    """
    if "change_distance" not in dataset:
        return np.zeros((dataset.sizes["replicate"], dataset.sizes["change"]), dtype=bool)
    return _table(dataset, "change_distance") < _ROUNDING


def jumps(dataset: xr.Dataset) -> bool:
    """Return whether a run has a change that circuits must readapt to."""
    return bool(((_table(dataset, "change_sample") >= 0) & ~unmoved(dataset)).any())


def _table(dataset: xr.Dataset, name: str) -> npt.NDArray[Any]:
    """Return a variable of the changes as an array (replicate, change)."""
    full = xr.DataArray(
        np.empty((dataset.sizes["replicate"], dataset.sizes["change"])),
        dims=("replicate", "change"),
    )
    values = dataset[name].broadcast_like(full).transpose("replicate", "change").values
    return np.asarray(values)
