"""Readaptation after changes of context: how long it takes, how sure that is, what it costs.

Every measure takes a run and returns a Dataset over (circuit, replicate, change); ``MEASURES``
names them all. Survival curves, tests, summaries and comparisons take such results.
"""

from __future__ import annotations

from typing import Any

import xarray as xr

from adaptnet._words import suggestion
from adaptnet.readaptation.averages import aligned_curves, peri_change_averages
from adaptnet.readaptation.bootstrap import paired_bootstrap
from adaptnet.readaptation.convergence import convergence_times, with_start
from adaptnet.readaptation.dataframe import to_dataframe
from adaptnet.readaptation.empirical import with_empirical_errors
from adaptnet.readaptation.exponential import time_constants
from adaptnet.readaptation.first_passage import readaptation_times
from adaptnet.readaptation.floors import noise_floors
from adaptnet.readaptation.measures import MEASURES
from adaptnet.readaptation.oracle import with_oracle
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.recovery import excess_area, fractional_recovery, maximum_loss
from adaptnet.readaptation.responses import measure_responses
from adaptnet.readaptation.summaries import summary
from adaptnet.readaptation.survival import logrank_tests, survival_curves
from adaptnet.readaptation.tracking import tracking

__all__ = [
    "MEASURES",
    "Outcome",
    "aligned_curves",
    "convergence_times",
    "excess_area",
    "fractional_recovery",
    "logrank_tests",
    "maximum_loss",
    "measure",
    "measure_responses",
    "noise_floors",
    "paired_bootstrap",
    "peri_change_averages",
    "readaptation_times",
    "summary",
    "survival_curves",
    "time_constants",
    "to_dataframe",
    "tracking",
    "with_empirical_errors",
    "with_oracle",
    "with_start",
]


def __dir__() -> list[str]:
    return __all__


def measure(dataset: xr.Dataset, name: str, **options: Any) -> xr.Dataset:
    """Return the measure `name` of a run; `options` are the measure's own.

    Parameters
    ----------
    dataset : Dataset
        A run.
    name : str
        One of the names in ``MEASURES``.
    **options
        Passed to the measure.

    Raises
    ------
    ValueError
        If there is no such measure (the nearest is suggested), and as the measure does.

    Examples
    --------
    >>> measure(xr.Dataset(), "first_pasage")
    Traceback (most recent call last):
    ...
    ValueError: there is no measure 'first_pasage'; did you mean 'first_passage'? known are
    excess_area, first_passage, fractional_recovery, maximum_loss, noise_floors, time_constants,
    tracking
    """
    if name not in MEASURES:
        raise ValueError(f"there is no measure {name!r}; {suggestion(name, MEASURES)}")
    return MEASURES[name](dataset, **options)
