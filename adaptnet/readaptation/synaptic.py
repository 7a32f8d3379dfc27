"""Synaptic time: the learning rate integrated over the samples processed."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats
from adaptnet.files.parameters import circuit_parameters


def synaptic_time(
    run: xr.Dataset, circuit: str, start: npt.ArrayLike, stop: npt.ArrayLike
) -> Floats:
    """Return the synaptic time between samples: the learning rate integrated from start to stop.

    Parameters
    ----------
    run : Dataset
        A run.
    circuit : str
        Name of a circuit of the run.
    start, stop : array
        Samples processed; `stop` may be infinite or lie between samples.

    Returns
    -------
    array
        Dimensionless; NaN for a circuit without a learning rate.

    Examples
    --------
    >>> circuits = '{"direct": {"learning_rate": 0.01, "learning_rate_decay": 0.0}}'
    >>> run = xr.Dataset(attrs={"circuits": circuits})
    >>> synaptic_time(run, "direct", 100, [100, 350, np.inf])
    array([0. , 2.5, inf])
    """
    parameters = circuit_parameters(run).get(circuit, {})
    rate, decay = parameters.get("learning_rate"), parameters.get("learning_rate_decay", 0.0)
    first, last = np.broadcast_arrays(np.asarray(start, float), np.asarray(stop, float))
    if rate is None:
        return np.full(first.shape, np.nan)
    if not decay:
        return np.asarray(rate * (last - first))
    return np.asarray(rate / decay * (np.log1p(decay * last) - np.log1p(decay * first)))
