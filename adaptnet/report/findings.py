"""What a reader of a run's readaptation times must know."""

import numpy as np
import xarray as xr

from adaptnet.dataset import circuit_parameters
from adaptnet.readaptation import noise_floors, readaptation_times
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
        known = np.isfinite(mine["floor"].values)
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
        there = times["samples"].sel(circuit=name).notnull()
        lost = float((~times["observed"].sel(circuit=name)).where(there).mean())
        if lost > 0:
            said.append(f"{name}: {lost:.0%} of times are censored (not reached while followed).")
    return said
