"""What a reader of a run's readaptation times must know."""

from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.files.parameters import circuit_parameters
from adaptnet.readaptation import noise_floors, readaptation_times, tracking
from adaptnet.readaptation.changes import unmoved
from adaptnet.readaptation.groups import groups
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.selections import restored
from adaptnet.reports.settling import Ending, State, endings
from adaptnet.reports.tables import by_what


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
        About divergence, errors or changes that are missing, a single replicate, thresholds at or
        below the noise floor, errors that are still falling when segments end, and censored times.
    """
    dataset = restored(dataset)
    sentences = []
    for name, lost in zip(
        dataset["circuit"].values,
        (dataset["diverged_sample"] >= 0).sum("replicate").values,
        strict=True,
    ):
        if lost:
            sentences.append(f"{name}: {lost} of {dataset.sizes['replicate']} replicates diverged.")
    if variable not in dataset:
        return [*sentences, f"The run has no {variable} recorded, so readaptation is not measured."]
    if not dataset.sizes["change"]:
        return [*sentences, "The run has no change of context, so there is nothing to readapt to."]
    if dataset.sizes["replicate"] < 2:
        sentences.append(
            "There is a single replicate: nothing is known of the spread of its times."
        )
    parameters = circuit_parameters(dataset)
    times = readaptation_times(dataset, threshold, variable=variable)
    for name, ends in endings(dataset, variable).items():
        learns = "learning_rate" in parameters.get(name, {})
        sentences += _about_floors(name, ends, threshold, learns=learns)
        sentences += _about_falls(name, ends)
        sentences += _about_times(name, times["outcome"].sel(circuit=name).values)
    return sentences


def _about_floors(name: str, ends: list[Ending], threshold: float, *, learns: bool) -> list[str]:
    """Return that the error with which segments end is not below the threshold, if it is not.

    Learning more slowly lowers the error of a circuit that has settled, and of no other.
    """
    what = {
        State.SETTLED: "noise floor" if learns else "error that remains",
        State.UNSURE: "error with which segments end",
    }
    remedy = {
        State.SETTLED: f"raise the threshold{' or lower the learning rate' if learns else ''}",
        State.UNSURE: "it may still be falling: raise the threshold, or simulate longer segments",
    }
    sentences = []
    for state in what:
        errors = np.concatenate([np.empty(0), *(e.errors for e in ends if e.state is state)])
        above = errors >= threshold
        if not above.any():
            continue
        n_segments = sum(len(end.errors) for end in ends)
        sentences.append(
            f"{name}: the {what[state]} (there {np.median(errors[above]):.3g} in the median) is "
            f"not below the threshold {threshold:g} in {above.sum() / n_segments:.0%} of segments; "
            f"{remedy[state]}."
        )
    return sentences


def _about_falls(name: str, ends: list[Ending]) -> list[str]:
    """Return that the error of a circuit is still falling when segments end, if it is."""
    falling = [end for end in ends if end.state is State.FALLING]
    if not falling:
        return []
    after = ", ".join(dict.fromkeys(end.label for end in falling))
    if len(falling) == len(ends):
        after = "every change" if len(ends) > 1 else "the change"
    fall = np.exp(np.median(np.log([end.fall for end in falling])))
    return [
        f"{name}: the error is still falling when the segment after {after} ends (by a factor of "
        f"{fall:.2g} within its last quarter), so the floor there is not known; simulate longer "
        "segments to see it."
    ]


def _about_times(name: str, outcomes: Integers) -> list[str]:
    """Return why changes have no times, if some have none."""
    not_reached = int((outcomes == Outcome.NOT_REACHED).sum())
    diverged = int((outcomes == Outcome.DIVERGED).sum())
    never_above = int((outcomes == Outcome.NEVER_ABOVE).sum())
    n_times = int((outcomes == Outcome.REACHED).sum()) + not_reached + diverged
    sentences = []
    if not_reached:
        sentences.append(
            f"{name}: {not_reached / n_times:.0%} of times are censored (not reached while "
            "followed)."
        )
    if diverged:
        sentences.append(
            f"{name}: in {diverged / n_times:.0%} of segments it diverged before the threshold was "
            "reached; these count as never reached."
        )
    if never_above:
        sentences.append(
            f"{name}: in {never_above / (n_times + never_above):.0%} of segments the error was "
            "never above the threshold: there was nothing to undo, and there is no time."
        )
    return sentences


def drift_sentences(dataset: xr.Dataset, *, variable: str = "whitening_error") -> list[str]:
    """Return how circuits fared after changes at which the covariance did not jump, one each.

    A drift begins there, from which circuits do not recover but with which they keep up, or a
    context with the same statistics.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error to state.

    Returns
    -------
    list of str
        A sentence for each such change, or transition if changes are many or paths are random.
    """
    dataset = restored(dataset)
    still = unmoved(dataset)
    if not still.any():
        return []
    floors = noise_floors(dataset, variable=variable)
    by = by_what(floors)
    names = [str(name) for name in dataset["circuit"].values]
    sentences = []
    for label, members in groups(floors, by, still):
        where = str(label)
        if by == "change":
            one = floors.isel(change=floors["change"].values.tolist().index(label))
            where = f"{one['transition'].item()} at sample {int(one['change_sample'])}"
        values = floors["floor"].transpose("circuit", "replicate", "change").values[:, members]
        listed = _listed(names, [_median(errors, ".3g") for errors in values])
        lags = _lags(dataset, label, by == "change")
        sentences.append(
            f"{where}: the covariance does not jump, so there is nothing to readapt to; in the "
            f"last quarter of the segment the error is {listed}{lags}."
        )
    return sentences


def _lags(dataset: xr.Dataset, change: Any, shared: bool) -> str:
    """Return how far circuits lag behind the covariance after a change, if that is known."""
    if not shared:
        return ""
    if not {"effective_weights", "covariance"} <= set(dataset.data_vars):
        return "; the lag is not known without effective_weights and covariance recorded"
    try:
        found = tracking(dataset, change=int(change))
    except ValueError:  # too few records
        return ""
    names = [str(name) for name in dataset["circuit"].values]
    lags = found["lag"].transpose("circuit", "replicate").values
    return f", and the lag in samples {_listed(names, [_median(lag, '.0f') for lag in lags])}"


def _median(values: Floats, form: str) -> str:
    """Return the median over replicates that did not diverge, and whose lag was within reach."""
    known = values[np.isfinite(values)]
    return format(np.median(known), form) if known.size else "not known"


def _listed(names: list[str], words: list[str]) -> str:
    return ", ".join(f"{word} ({name})" for name, word in zip(names, words, strict=True))
