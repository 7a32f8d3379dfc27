"""Circuits with interneurons that are as precise as the direct circuit, in each context entered.

At equal learning rates the circuits differ in speed and in noise at once. A circuit with
interneurons whose learning rate leaves the direct circuit's noise floor isolates the speed. Floors
depend on the covariance, so each context that is entered has a circuit of its own; what a change is
compared by is the circuit of the context that it enters.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet import theory
from environments import Environment

PREFIX = "matched"
"""First word of the names of such circuits; the context's name follows if there are several."""

_ERRORS = ("whitening_error", "frobenius_error")


def matched_rates(
    environment: Environment, n_samples: int, learning_rate: float
) -> dict[tuple[str, ...], float]:
    """Return the learning rates of equal floors, by the contexts entered that they are for.

    Parameters
    ----------
    environment : Environment
        Where the inputs come from.
    n_samples : int
        Length of the run.
    learning_rate : float
        That of the direct circuit.

    Returns
    -------
    dict
        For each rate, from the Frobenius floor of Gaussian inputs, the names of the contexts.
        Empty if a rate would be beyond the limit of stability: then nothing can be compared.
    """
    rates: dict[tuple[str, ...], float] = {}
    for name, covariance in _entered(environment, n_samples).items():
        floor = theory.noise_floor("direct", covariance, learning_rate).frobenius_error
        unit = theory.noise_floor("interneuron", covariance, 1.0).frobenius_error
        rate = float((floor / unit) ** 2)
        if rate >= theory.largest_learning_rate("interneuron", covariance):
            return {}
        same = [names for names, other in rates.items() if np.isclose(other, rate, rtol=1e-9)]
        names = same[0] if same else ()
        rate = rates.pop(names, rate)
        rates[(*names, name)] = rate
    return rates


def circuit_names(contexts: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Return the name of the matched circuit of each context.

    Examples
    --------
    >>> circuit_names([("rotated", "back")])
    {'rotated': 'matched', 'back': 'matched'}
    >>> circuit_names([("rotated",), ("low", "lower")])
    {'rotated': 'matched_rotated', 'low': 'matched_low', 'lower': 'matched_low'}
    """
    alone = len(contexts) == 1
    return {
        context: PREFIX if alone else f"{PREFIX}_{group[0]}"
        for group in contexts
        for context in group
    }


def is_matched(dataset: xr.Dataset) -> bool:
    """Return whether a run has a direct circuit and matched ones."""
    names = [str(name) for name in dataset["circuit"].values]
    return "direct" in names and any(name.split("_")[0] == PREFIX for name in names)


def at_equal_floors(dataset: xr.Dataset, names: dict[str, str]) -> xr.Dataset:
    """Return a run of the direct circuit and, in each context, the one matched to it there.

    Parameters
    ----------
    dataset : Dataset
        A run with the circuits that `names` names.
    names : dict
        As :func:`circuit_names` returns them; contexts that are never entered have no entry, and
        show the first of the circuits.

    Returns
    -------
    Dataset
        The run with the circuits "direct" and "interneuron", and no recorded weights.
    """
    spliced = dataset.drop_vars("effective_weights", errors="ignore")
    spliced = spliced.sel(circuit=["direct", next(iter(names.values()))])
    spliced = spliced.assign_coords(circuit=["direct", "interneuron"])
    meanings = dataset["context"].attrs["flag_meanings"].split()
    for error in _ERRORS:
        for name, context in ((error, "context"), (f"{error}_floor", "context_entered")):
            if name in spliced:
                spliced[name] = _spliced(dataset, spliced, name, dataset[context], names, meanings)
    # A change is compared by one circuit, but a failure of any is a failure of the comparison.
    diverged = dataset["diverged_sample"].sel(circuit=sorted(set(names.values())))
    first = diverged.where(diverged >= 0).min("circuit").fillna(-1).astype(np.int64)
    spliced["diverged_sample"] = spliced["diverged_sample"].copy()
    spliced["diverged_sample"].loc[{"circuit": "interneuron"}] = first
    return spliced


def _spliced(
    dataset: xr.Dataset,
    spliced: xr.Dataset,
    name: str,
    contexts: xr.DataArray,
    names: dict[str, str],
    meanings: list[str],
) -> xr.DataArray:
    """Return a variable whose values for interneurons are those of the context's circuit."""
    values = spliced[name].copy()
    chosen = values.sel(circuit="interneuron", drop=True)
    for code, meaning in enumerate(meanings):
        if meaning in names:
            theirs = dataset[name].sel(circuit=names[meaning], drop=True)
            chosen = theirs.where(contexts == code, chosen)
    dims = [dim for dim in values.dims if dim != "circuit"]
    values.loc[{"circuit": "interneuron"}] = chosen.transpose(*dims)
    return values


def _entered(environment: Environment, n_samples: int) -> dict[str, npt.NDArray[np.float64]]:
    """Return the covariance in which each context that is entered ends, by its name."""
    realization = environment.realize(np.random.SeedSequence(0))
    changes = realization.change_samples(n_samples)
    ends = np.append(changes[1:], n_samples) - 1
    names = [environment.context_names[code] for code in realization.contexts(ends)]
    return dict(zip(names, realization.covariances(ends), strict=True))
