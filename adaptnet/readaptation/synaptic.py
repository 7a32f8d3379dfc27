"""Synaptic time: the learning rate integrated over the samples processed."""

from collections.abc import Callable

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
    first, last = np.broadcast_arrays(np.asarray(start, float), np.asarray(stop, float))
    clock = clock_of(run, circuit)
    return np.asarray(clock(last) - clock(first))


def clock_of(run: xr.Dataset, circuit: str) -> Callable[[Floats], Floats]:
    """Return synaptic time as a function of samples.

    The parameters say it for any sample; but a circuit may have been renamed, or joined from
    another run, and then its records do.
    """
    parameters = circuit_parameters(run).get(circuit, {})
    rate, decay = parameters.get("learning_rate"), parameters.get("learning_rate_decay") or 0.0
    batch_size = parameters.get("batch_size") or 1
    recorded = _recorded(run, circuit)

    def by_parameters(samples: Floats) -> Floats:
        if not isinstance(rate, int | float):  # none, or given as data
            return np.full(samples.shape, np.nan)
        pace = rate / batch_size
        return np.asarray(pace * (np.log1p(decay * samples) / decay if decay else samples))

    if recorded is None:
        return by_parameters
    samples, times = recorded
    if np.allclose(by_parameters(samples), times, rtol=1e-12, atol=0.0, equal_nan=True):
        return by_parameters
    return lambda at: _interpolated(at, samples, times)


def _recorded(run: xr.Dataset, circuit: str) -> tuple[Floats, Floats] | None:
    """Return the synaptic times of a circuit's records, if the run has them."""
    if "synaptic_time" not in run.coords or not set(run["synaptic_time"].dims) >= {"sample"}:
        return None
    at = run["circuit"].values.tolist().index(circuit)
    times = run["synaptic_time"].transpose(..., "sample").values
    return run["sample"].values.astype(np.float64), times[at] if times.ndim > 1 else times


def _interpolated(at: Floats, samples: Floats, times: Floats) -> Floats:
    """Return times at samples between records and beyond: linear, exact for a constant rate."""
    knots, values = np.append(0.0, samples[samples > 0]), np.append(0.0, times[samples > 0])
    if len(knots) < 2:
        return np.full(at.shape, np.nan)
    after = np.clip(np.searchsorted(knots, at), 1, len(knots) - 1)
    slope = (values[after] - values[after - 1]) / (knots[after] - knots[after - 1])
    return np.asarray(values[after - 1] + slope * (at - knots[after - 1]))
