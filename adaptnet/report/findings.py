"""What a reader of a run's readaptation times must know."""

from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats
from adaptnet.files.parameters import circuit_parameters
from adaptnet.readaptation import noise_floors, readaptation_times, tracking
from adaptnet.readaptation.changes import unmoved
from adaptnet.readaptation.groups import groups
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.selections import restored


def run_warnings(
    dataset: xr.Dataset, threshold: float, *, variable: str = "whitening_error"
) -> list[str]:
    """Return what a reader of a run's readaptation times must know, a sentence each.

    Parameters
    ----------
    dataset : Dataset
        A run.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error that times are taken from.

    Returns
    -------
    list of str
        Of divergence, missing errors or changes, a single replicate, thresholds at or below the
        noise floor, floors that had not settled, and shares censored.
    """
    dataset = restored(dataset)
    said = []
    for name in dataset["circuit"].values:
        n = int((dataset["diverged_sample"].sel(circuit=name) >= 0).sum())
        if n:
            said.append(f"{name}: {n} of {dataset.sizes['replicate']} replicates diverged.")
    if variable not in dataset:
        return [*said, f"The run has no {variable} recorded, so readaptation is not measured."]
    if not dataset.sizes["change"]:
        return [*said, "The run has no change of context, so there is nothing to readapt to."]
    if dataset.sizes["replicate"] < 2:
        said.append("There is a single replicate: nothing is known of the spread of its times.")
    floors = noise_floors(dataset, variable=variable)
    times = readaptation_times(dataset, threshold, variable=variable)
    for name in dataset["circuit"].values:
        mine = floors.sel(circuit=name)
        # Where a drift begins the error has no floor to fall to.
        jumps = (times["outcome"].sel(circuit=name) != Outcome.UNMOVED).values
        known = np.isfinite(mine["floor"].values) & jumps
        floor, trend = mine["floor"].values[known], mine["trend"].values[known]
        if not floor.size:
            continue
        learns = "learning_rate" in circuit_parameters(dataset)[str(name)]
        remedy = "raise the threshold" + (" or lower the learning rate" if learns else "")
        settled = float(np.median(trend)) < 1.2
        below = float(np.mean(floor >= threshold))
        if below > 0:
            what = "noise floor" if settled else "error when the segment ends"
            said.append(
                f"{name}: the {what} (median {np.median(floor):.3g}) is not below the threshold "
                f"{threshold:g} in {below:.0%} of segments; {remedy}"
                + ("." if settled else ", or simulate longer segments.")
            )
        if not settled:
            said.append(
                f"{name}: the error was still falling at the end of {np.mean(trend >= 1.2):.0%} of "
                f"segments (by a factor of {np.median(trend):.2g} from their third quarter to the "
                "last), so the floor is overestimated."
            )
        there = times["followed"].sel(circuit=name).notnull()
        lost = float((~times["observed"].sel(circuit=name)).where(there).mean())
        if lost > 0:
            said.append(f"{name}: {lost:.0%} of times are censored (not reached while followed).")
    return said


def drift_sentences(dataset: xr.Dataset, *, variable: str = "whitening_error") -> list[str]:
    """Return how circuits fared after changes at which the covariance did not jump, one each.

    There begins a drift, of which circuits do not recover but with which they keep up, or a context
    of the same statistics.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error that is told.

    Returns
    -------
    list of str
        A sentence for each such change, or each such transition where paths are random.
    """
    dataset = restored(dataset)
    floors = noise_floors(dataset, variable=variable)
    shared = floors["transition"].dims == ("change",)
    by = "change" if shared else "transition"
    names = [str(name) for name in dataset["circuit"].values]
    said = []
    for label, members in groups(floors, by, unmoved(dataset)):
        where = str(label)
        if shared:
            one = floors.isel(change=floors["change"].values.tolist().index(label))
            where = f"{one['transition'].item()} at sample {int(one['change_sample'])}"
        values = floors["floor"].transpose("circuit", "replicate", "change").values[:, members]
        errors = _listed(names, [_median(of, ".3g") for of in values])
        said.append(
            f"{where}: the covariance does not jump, so there is nothing to readapt to; in the "
            f"last quarter of the segment the error is {errors}{_lags(dataset, label, shared)}."
        )
    return said


def _lags(dataset: xr.Dataset, change: Any, shared: bool) -> str:
    """Return how far circuits lag behind the covariance after a change, where that is known."""
    if not shared:
        return ""
    if not {"effective_weights", "covariance"} <= set(dataset.data_vars):
        return "; the lag is not known without effective_weights and covariance recorded"
    try:
        found = tracking(dataset, change=int(change))
    except ValueError:  # too few records
        return ""
    names = [str(name) for name in dataset["circuit"].values]
    lags = [_median(of, ".0f") for of in found["lag"].transpose("circuit", "replicate").values]
    return f", and the lag in samples {_listed(names, lags)}"


def _median(values: Floats, form: str) -> str:
    """Return the median over replicates that did not diverge, and whose lag was within reach."""
    known = values[np.isfinite(values)]
    return format(np.median(known), form) if known.size else "not known"


def _listed(names: list[str], words: list[str]) -> str:
    return ", ".join(f"{word} ({name})" for name, word in zip(names, words, strict=True))
