"""The parameters that a run holds of its circuits."""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats, json_object


def circuit_parameters(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return the parameters of each circuit of a run, by the circuit's name."""
    stored = json_object(dataset.attrs.get("circuits"), "circuits of the run")
    if not all(isinstance(parameters, dict) for parameters in stored.values()):
        raise ValueError(f"circuits of the run is damaged: it holds no parameters, {stored!r:.100}")
    return stored


def synaptic_time(
    dataset: xr.Dataset, circuit: str, start: npt.ArrayLike, stop: npt.ArrayLike
) -> Floats:
    """Return the synaptic time between samples: the learning rate integrated from start to stop.

    Parameters
    ----------
    dataset : Dataset
        A run.
    circuit : str
        Name of a circuit of the run.
    start, stop : array
        Samples processed; `stop` may be infinite or lie between samples.

    Returns
    -------
    array
        Dimensionless; NaN for a circuit without a learning rate.
    """
    parameters = circuit_parameters(dataset).get(circuit, {})
    rate, decay = parameters.get("learning_rate"), parameters.get("learning_rate_decay", 0.0)
    first, last = np.broadcast_arrays(np.asarray(start, float), np.asarray(stop, float))
    if rate is None:
        return np.full(first.shape, np.nan)
    if not decay:
        return np.asarray(rate * (last - first))
    return np.asarray(rate / decay * (np.log1p(decay * last) - np.log1p(decay * first)))
