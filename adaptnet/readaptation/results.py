"""Results over (circuit, replicate, change): each with its outcome and what change it is of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats
from adaptnet.readaptation.changes import change_coordinates, per_change, transition_samples
from adaptnet.readaptation.outcomes import Outcome, outcome_variable
from adaptnet.readaptation.selections import DIMS
from adaptnet.readaptation.synaptic import synaptic_time


class Results:
    """The results of a measure in the making.

    Every result has an `outcome`, so that no NaN is without its reason.
    """

    def __init__(self, run: xr.Dataset, variable: str, **attributes: Any) -> None:
        self._run = run
        self._attributes = {"variable": variable, **attributes}
        if "sampling_rate" in run.attrs:
            self._attributes["sampling_rate"] = run.attrs["sampling_rate"]
        self.shape = tuple(run.sizes[dim] for dim in DIMS)
        self.outcome = np.full(self.shape, Outcome.ABSENT, dtype=np.int64)

    def blank(self) -> Floats:
        """Return an array for a result, NaN everywhere."""
        return np.full(self.shape, np.nan)

    def in_synaptic_time(self, samples: Floats, *, after: str = "beginning") -> Floats:
        """Return times in samples as synaptic times; they count from the changes' `after`."""
        starts = per_change(self._run, "change_sample")
        if after == "end":
            starts = starts + transition_samples(self._run)
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
        coordinates = {**change_coordinates(self._run), **extra}
        outcome = outcome_variable(DIMS, self.outcome)
        return xr.Dataset({**variables, "outcome": outcome}, coordinates, self._attributes)
