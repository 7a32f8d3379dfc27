"""Responses that were recorded, measured by the ruler of simulations."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats, Integers, positive_number, whole_number
from adaptnet.files import schema
from adaptnet.files.provenance import provenance
from adaptnet.metrics.sampling import running_second_moments, sampling_floor
from adaptnet.seeding import Rng, root_seed

NAME = "responses"
_N_RECORDS = 2000  # by default; each costs an eigenvalue problem
_PIECE = 2**23  # numbers of moments held at a time
_ERRORS = tuple(schema.ERRORS)
_DIMS = (("trial", "replicate"), ("sample", "time"), ("neuron", "unit", "feature"))


def measure_responses(
    outputs: npt.ArrayLike,
    change_samples: Sequence[int],
    *,
    window: int | None = None,
    contexts: Sequence[str] | None = None,
    record_every: int | None = None,
    pool_trials: bool = False,
    n_resamples: int = 200,
    centre: bool = True,
    scale: float | None = None,
    sampling_rate: float | None = None,
    name: str = NAME,
    rng: Rng = 0,
) -> xr.Dataset:
    """Return how white recorded outputs of a population are, as a run: the same ruler for data.

    A simulation knows its whitening error from weights and the covariance of the inputs. Of a
    population only outputs are known: counts of spikes, calcium, a model of somebody else's. Their
    second moments over a window before each record have an error as well, which would not vanish if
    they were white, since the samples are few: that is the sampling floor. Measures of
    readaptation, survival curves, pictures and reports take the result as they take a simulation.

    Parameters
    ----------
    outputs : array (sample, neuron) or (trial, sample, neuron)
        All trials have their changes at the same samples. The dimensions of a DataArray may stand
        in any order if called trial (replicate), sample (time) and neuron (unit, feature).
    change_samples : sequence of int
        The first sample of each new context.
    window : int, optional
        Samples in a window that slides and passes over changes: until so many samples after one,
        at its ``change_end``, it holds some from before. By default windows expand instead, from
        the last change on.
    contexts : sequence of str, optional
        Names of the contexts: one before the first change, one after each.
    record_every : int, optional
        Samples between errors; by default there are about 2000 of them.
    pool_trials : bool
        Whether second moments are averaged over trials, for errors that are not dominated by the
        floor early after a change; with their 95 % interval from a bootstrap over trials, which
        lies too high for errors near the floor, whose chance resampling adds to once more. By
        default each trial is a replicate.
    n_resamples : int
        Of the bootstrap.
    centre : bool
        Whether the mean of each segment between changes, over its samples and trials, is
        subtracted. This is done offline: it uses the whole segment.
    scale : float, optional
        What outputs are divided by. White outputs have variance 1: recorded ones have units, and
        by default the root mean variance over the segment before the first change is taken for 1.
    sampling_rate : float, optional
        In Hz; the Dataset then has ``time`` in seconds along its samples.
    name : str
        What the population is called, in place of a circuit.
    rng : None, int, SeedSequence or Generator
        Source of the bootstrap's randomness.

    Returns
    -------
    Dataset
        A run, of kind ``responses``, with ``whitening_error`` and ``frobenius_error`` (circuit,
        replicate, sample), NaN where a window holds nothing; and, for each, ``..._sampling_floor``
        (sample,), its root mean square for white Gaussian outputs that are independent from sample
        to sample. If trials were pooled, ``..._low`` and ``..._high``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, or sizes do not fit together.

    Examples
    --------
    >>> import adaptnet as an
    >>> rng = np.random.default_rng(0)
    >>> outputs = rng.normal(size=(20, 2000, 3))
    >>> outputs[:, 1000:1400] *= 2.0  # recovers after 400 samples
    >>> data = measure_responses(outputs, [1000], window=100, pool_trials=True, record_every=10)
    >>> an.readaptation_times(data, threshold=0.5)["samples"].item()
    490.0
    """
    y = _outputs(outputs)
    n_trials, n_samples, n = y.shape
    begins = _changes(change_samples, n_samples)
    names, seed = _names(contexts, len(begins)), root_seed(rng)
    every = max(1, n_samples // _N_RECORDS) if record_every is None else record_every
    every = whole_number("record_every", every)
    n_resamples = whole_number("n_resamples", n_resamples)
    if window is not None:
        window = whole_number("window", window)
    edges = np.array([0, *begins, n_samples])
    y = _in_units(y, edges, centre=centre, scale=scale)
    samples = np.union1d(np.arange(0, n_samples + 1, every), begins)
    weights = _resamples(n_trials, n_resamples, seed) if pool_trials else None
    # Some records at a time: moments of all trials are n times as large as their outputs.
    at_once = max(1, _PIECE // (n_trials * n * n))
    pieces = [
        _errors(_moments(y, part, edges, window), weights)
        for part in np.split(samples, range(at_once, len(samples), at_once))
    ]
    errors = {name: np.concatenate([one[name] for one in pieces], axis=1) for name in pieces[0]}
    lengths = _lengths(samples, edges, window)
    known = np.flatnonzero(lengths)
    found = sampling_floor(n, (n_trials if pool_trials else 1) * lengths[known])
    floors = {error: np.full(len(samples), np.nan) for error in _ERRORS}
    for error in _ERRORS:
        floors[error][known] = getattr(found, error)
    return _labelled(
        errors, floors, samples, begins, names, name, n, n_samples, sampling_rate, seed, window
    )


def _outputs(outputs: npt.ArrayLike) -> Floats:
    values = _ordered(outputs) if isinstance(outputs, xr.DataArray) else outputs
    if np.ma.is_masked(values):
        n_masked = int(np.sum(np.ma.getmask(values)))
        raise ValueError(
            f"outputs must not be masked, got {n_masked} masked values; remove or interpolate such "
            "samples first"
        )
    try:
        entries = np.asarray(values)
        if entries.dtype.kind == "c":
            raise TypeError
        y = np.asarray(entries, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"outputs must be an array of real numbers, got {outputs!r:.100}") from None
    y = y[None] if y.ndim == 2 else y
    if y.ndim != 3 or 0 in y.shape:
        raise ValueError(
            "outputs must have the dimensions (sample, neuron) or (trial, sample, neuron), got "
            f"shape {np.shape(values)}"
        )
    if not np.isfinite(y).all():
        trial, sample, neuron = np.argwhere(~np.isfinite(y))[0]
        raise ValueError(
            f"outputs must be finite, got {y[trial, sample, neuron]} in trial {trial}, sample "
            f"{sample}, neuron {neuron}; remove or interpolate such samples first"
        )
    return y


def _ordered(outputs: xr.DataArray) -> Any:
    """Return the values of a labelled array, its dimensions in order if they have known names."""
    order = [dim for names in _DIMS for dim in names if dim in outputs.dims]
    return outputs.transpose(*order).values if len(order) == outputs.ndim else outputs.values


def _changes(change_samples: Sequence[int], n_samples: int) -> Integers:
    begins = [whole_number("change_samples", sample) for sample in np.ravel(change_samples)]
    if not begins or sorted(set(begins)) != begins or begins[-1] >= n_samples:
        raise ValueError(
            f"change_samples must be ascending samples below {n_samples}, at least one, got "
            f"{change_samples!r:.100}"
        )
    return np.array(begins, dtype=np.int64)


def _in_units(y: Floats, edges: Integers, *, centre: bool, scale: float | None) -> Floats:
    """Return outputs minus the mean of their segment, by the scale."""
    y = y.copy()
    if centre:
        for start, stop in itertools.pairwise(edges):
            y[:, start:stop] -= y[:, start:stop].mean(axis=(0, 1))
    if scale is None:
        scale = float(np.sqrt(np.mean(y[:, : edges[1]] ** 2)))
        if scale == 0:
            raise ValueError("outputs must vary before the first change to be scaled; give a scale")
    y /= positive_number("scale", scale)
    return y


def _lengths(samples: Integers, edges: Integers, window: int | None) -> Floats:
    """Return how many outputs the window before each record holds."""
    if window is not None:
        return np.minimum(samples, window).astype(np.float64)
    last = edges[np.maximum(np.searchsorted(edges, samples) - 1, 0)]
    return (samples - last).astype(np.float64)


def _moments(y: Floats, samples: Integers, edges: Integers, window: int | None) -> Floats:
    """Return second moments (trial, record, n, n) of the outputs in the window before each record.

    They are NaN where a window holds nothing.
    """
    n_trials, _, n = y.shape
    moments = np.full((n_trials, len(samples), n, n), np.nan)
    spans = [(0, int(edges[-1]))] if window else list(itertools.pairwise(edges))
    for start, stop in spans:
        at = np.flatnonzero((samples > start) & (samples <= stop))
        if len(at):
            found = running_second_moments(y[:, start:stop], samples[at] - start, window=window)
            moments[:, at] = found.moments
    return moments


def _resamples(n_trials: int, n_resamples: int, seed: np.random.SeedSequence) -> Floats:
    """Return the weights (resample, trial) of a bootstrap, the first those of the trials as are."""
    drawn = np.random.default_rng(seed).multinomial(
        n_trials, np.full(n_trials, 1 / n_trials), n_resamples
    )
    return np.concatenate([np.full((1, n_trials), 1 / n_trials), drawn / n_trials])


def _errors(moments: Floats, weights: Floats | None) -> dict[str, Floats]:
    """Return errors (trial, record); with weights those of all trials, and their limits."""
    if weights is None:
        return _distances(moments)
    drawn = [_distances(np.einsum("t,t...->...", weight, moments)) for weight in weights]
    found = {error: drawn[0][error][None] for error in _ERRORS}
    if len(moments) < 2:
        return found
    for error in _ERRORS:
        low, high = np.quantile([one[error] for one in drawn[1:]], [0.025, 0.975], axis=0)
        found |= {f"{error}_low": low[None], f"{error}_high": high[None]}
    return found


def _distances(moments: Floats) -> dict[str, Floats]:
    """Return both errors of second moments (..., n, n), NaN where these are unknown."""
    away = moments - np.eye(moments.shape[-1])
    values = np.full(moments.shape[:-1], np.nan)
    known = np.isfinite(away).all(axis=(-2, -1))
    values[known] = np.linalg.eigvalsh(away[known])
    largest = np.abs(values).max(axis=-1)
    return {"whitening_error": largest, "frobenius_error": np.sqrt((values**2).sum(axis=-1))}


def _names(contexts: Sequence[str] | None, n_changes: int) -> list[str]:
    if isinstance(contexts, str) or not isinstance(contexts, Iterable | None):
        raise TypeError(f"contexts must be a sequence of names or None, got {contexts!r:.100}")
    names = [f"context_{i}" for i in range(n_changes + 1)] if contexts is None else list(contexts)
    if len(names) != n_changes + 1:
        raise ValueError(
            f"contexts must be {n_changes + 1}, one before the first change and one after each, "
            f"got {len(names)}"
        )
    return [str(name) for name in names]


def _labelled(
    errors: dict[str, Floats],
    floors: dict[str, Floats],
    samples: Integers,
    begins: Integers,
    contexts: list[str],
    name: str,
    n_neurons: int,
    n_samples: int,
    sampling_rate: float | None,
    seed: np.random.SeedSequence,
    window: int | None,
) -> xr.Dataset:
    known = list(dict.fromkeys(contexts))
    numbers = np.array([known.index(context) for context in contexts], dtype=np.int64)
    flags = schema.context_flags(known)
    shape = errors["whitening_error"].shape
    variables: dict[str, xr.Variable] = {}
    for error, values in errors.items():
        entry = schema.ERRORS[error.removesuffix("_low").removesuffix("_high")]
        long_name = entry.long_name
        if error not in schema.ERRORS:
            limit = "lower" if error.endswith("_low") else "upper"
            long_name = f"{limit} limit of the 95 % interval of the {long_name}"
        attributes = {"long_name": long_name, "units": "1", "comment": _comment(window)}
        variables[error] = xr.Variable(("circuit", "replicate", "sample"), values[None], attributes)
    for error, values in floors.items():
        attributes = {"long_name": f"sampling floor of the {error.replace('_', ' ')}", "units": "1"}
        variables[f"{error}_sampling_floor"] = xr.Variable(("sample",), values, attributes)
    at_change: dict[str, Any] = {
        "change_sample": begins,
        # The record at a change is of outputs before it: the first of new ones alone comes later.
        "change_end": begins + (window or 1),
        "context_left": numbers[:-1],
        "context_entered": numbers[1:],
    }
    for key, values in at_change.items():
        marks = flags if key.startswith("context") else {}
        variables[key] = schema.variable(key, ("change",), values, **marks)
    in_force = numbers[np.searchsorted(begins, samples, side="right")]
    variables["context"] = schema.variable("context", ("sample",), in_force, **flags)
    variables["diverged_sample"] = schema.variable(
        "diverged_sample", ("circuit", "replicate"), np.full((1, shape[0]), -1)
    )
    indices = {
        "circuit": [str(name)],
        "replicate": np.arange(shape[0]),
        "sample": samples,
        "change": np.arange(len(begins)),
        "neuron": np.arange(n_neurons),
        "neuron_2": np.arange(n_neurons),
    }
    coordinates = {key: schema.coordinate(key, values) for key, values in indices.items()}
    if sampling_rate is not None:
        rate = positive_number("sampling_rate", sampling_rate)
        coordinates["time"] = schema.time(samples, rate)
    return xr.Dataset(
        variables,
        coordinates,
        {
            "Conventions": schema.CONVENTIONS,
            "adaptnet_schema": schema.SCHEMA,
            "kind": schema.RESPONSES,
            "title": "Whitening errors of recorded responses",
            "truth": "empirical",
            "circuits": json.dumps({str(name): {"type": "recorded responses"}}),
            "environment": "{}",
            "n_samples": n_samples,
            "n_replicates": shape[0],
            **({} if sampling_rate is None else {"sampling_rate": float(sampling_rate)}),
            **provenance(seed),
        },
    )


def _comment(window: int | None) -> str:
    if window is None:
        return "of the second moments of all outputs since the last change"
    return f"of the second moments of the last {window} outputs"
