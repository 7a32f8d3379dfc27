"""Convergence from the initial weights: the beginning of a run as a change like the others."""

from __future__ import annotations

import numpy as np
import xarray as xr

from adaptnet.files.schema import VARIABLES, context_flags
from adaptnet.readaptation.first_passage import readaptation_times
from adaptnet.readaptation.measures import takes_run

START = "start"
"""What is left at the beginning of a run, beside the names of contexts."""


@takes_run
def convergence_times(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    hold: int = 1,
) -> xr.Dataset:
    """Return how long each circuit takes from its initial weights until the error is small.

    A first passage as that of :func:`readaptation_times`, with the beginning of the run in place of
    a change: times count from sample 0, and are censored at the first change of context.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded.
    threshold : float
        Error below which a circuit counts as converged.
    variable : str
        The error to use: whitening_error or frobenius_error.
    hold : int
        Records in a row that must lie below the threshold.

    Returns
    -------
    Dataset
        Times over (circuit, replicate, change), with one change, numbered -1, from ``start`` to the
        first context: for :func:`summary`, :func:`survival_curves` or :func:`paired_bootstrap`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the variable is not in the dataset.

    Examples
    --------
    Linear against logarithmic in the scale of the initial weights:

    >>> import numpy as np, adaptnet as an
    >>> circuits = {"direct": an.DirectCircuit(initial_weights=10.0, learning_rate=0.001),
    ...     "interneuron": an.InterneuronCircuit(initial_weights=10.0, learning_rate=0.001)}
    >>> run = an.flow(circuits, np.eye(3), n_samples=12_000)
    >>> convergence_times(run)["synaptic_time"].values.ravel().round(2)
    array([10.66,  1.7 ])
    """
    times = readaptation_times(with_start(dataset), threshold, variable=variable, hold=hold)
    return times.isel(change=[0])


@takes_run
def with_start(dataset: xr.Dataset) -> xr.Dataset:
    """Return a run whose beginning is a change, numbered -1, so that any measure counts it.

    Parameters
    ----------
    dataset : Dataset
        A run.

    Returns
    -------
    Dataset
        The run with one more change, at sample 0, from ``start`` to the first context. Its
        distance, direction and noise floor are not known.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> run = an.flow(an.DirectCircuit(initial_weights=2.0), np.eye(2), n_samples=4000)
    >>> an.readaptation_times(with_start(run))["transition"].values
    array(['start -> only'], dtype='<U16')
    """
    words = [*dataset["context"].attrs["flag_meanings"].split(), START]
    first = dataset["context"].isel(sample=0, drop=True)
    begins: dict[str, float | xr.DataArray] = {
        "change_sample": 0,
        "change_end": 0,
        "context_left": len(words) - 1,
        "context_entered": first,
        "change_distance": np.nan,
        "change_direction": -1,
    }
    flags = context_flags(words)
    extended = dataset.drop_dims("change")
    numbers = np.concatenate([[-1], dataset["change"].values])
    extended = extended.assign_coords(
        change=xr.Variable(("change",), numbers, dataset["change"].attrs)
    )
    for name in (name for name in VARIABLES if name in dataset and name not in extended):
        longer = _prepended(dataset[name], begins.get(name, np.nan))
        longer.attrs = {**dataset[name].attrs, **(flags if name.startswith("context") else {})}
        extended[name] = longer
    return extended.assign(context=dataset["context"].assign_attrs(flags))


def _prepended(variable: xr.DataArray, value: float | xr.DataArray) -> xr.Variable:
    """Return a variable of the changes with a value, or one per replicate, before them."""
    plain = variable.reset_coords(drop=True).drop_vars("change")
    beginning = xr.DataArray(value).reset_coords(drop=True).astype(variable.dtype)
    first, rest = xr.broadcast(beginning.expand_dims(change=1), plain, exclude=["change"])
    dims = (*(dim for dim in rest.dims if dim != "change"), "change")
    both = [one.transpose(*dims).values for one in (first, rest)]
    return xr.Variable(dims, np.concatenate(both, axis=-1))
