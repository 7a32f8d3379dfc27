"""Runs whose errors are given: fixtures with answers known in advance."""

import json

import numpy as np
import xarray as xr

from adaptnet.files import schema
from adaptnet.readaptation import Outcome
from adaptnet.readaptation.passages import Passages


def run_of(
    errors,
    change_sample,
    *,
    every=1,
    rates=None,
    left=None,
    entered=None,
    names=("a", "b", "c"),
    circuits=("direct", "interneuron", "third"),
    diverged=None,
    **variables,
):
    """Return a run with the whitening errors (circuit, replicate, sample) given.

    `change_sample`, `left` and `entered` are (change,) or (replicate, change), padded with -1;
    `variables` are (dims, values) of further ones.
    """
    errors = np.asarray(errors, float)
    n_circuits, n_replicates, n_records = errors.shape
    change_sample = np.asarray(change_sample, np.int64)
    dims = ("change",) if change_sample.ndim == 1 else ("replicate", "change")
    there = change_sample >= 0
    steps = np.arange(change_sample.shape[-1])
    left = np.where(there, steps % 2, -1) if left is None else np.asarray(left)
    entered = np.where(there, (steps + 1) % 2, -1) if entered is None else np.asarray(entered)
    samples = np.arange(n_records) * every
    shared = change_sample.ndim == 1
    context = np.zeros((1 if shared else n_replicates, n_records), np.int64)
    for r, (starts, into) in enumerate(
        zip(np.atleast_2d(change_sample), np.atleast_2d(entered), strict=True)
    ):
        for start, number in zip(starts, into, strict=True):
            if start >= 0:
                context[r, samples >= start] = number
    flags = schema.context_flags(names)
    values = {
        "whitening_error": (("circuit", "replicate", "sample"), errors, {}),
        "context": (("sample",), context[0], flags)
        if shared
        else (("replicate", "sample"), context, flags),
        "change_sample": (dims, change_sample, {}),
        "change_end": (dims, change_sample, {}),
        "context_left": (dims, left, flags),
        "context_entered": (dims, entered, flags),
        "diverged_sample": (
            ("circuit", "replicate"),
            np.full((n_circuits, n_replicates), -1) if diverged is None else diverged,
            {},
        ),
        **{name: (found[0], np.asarray(found[1]), {}) for name, found in variables.items()},
    }
    circuits = list(circuits[:n_circuits])
    rates = dict.fromkeys(circuits, 1e-3) if rates is None else rates
    indices = {"replicate": n_replicates, "change": change_sample.shape[-1]}
    indices |= {"neuron": 2, "neuron_2": 2}
    coordinates = {
        "circuit": circuits,
        "sample": samples,
        **{name: np.arange(n) for name, n in indices.items()},
    }
    return xr.Dataset(
        {name: schema.variable(name, d, v, **attrs) for name, (d, v, attrs) in values.items()},
        {name: schema.variable(name, (name,), v) for name, v in coordinates.items()},
        {
            "adaptnet_schema": schema.SCHEMA,
            "truth": "exact",
            "n_samples": int(samples[-1]),
            "circuits": json.dumps(
                {
                    name: {
                        "type": "Given",
                        **({"learning_rate": rates[name]} if rates[name] else {}),
                    }
                    for name in circuits
                }
            ),
            "environment": "{}",
        },
    )


def times_of(samples, observed, diverged=None, followed=None, **options):
    """Return readaptation times (circuit, replicate, change) that are given."""
    samples, observed = np.asarray(samples, float), np.asarray(observed, bool)
    n_circuits, n_replicates, n_changes = samples.shape
    run = run_of(np.ones((n_circuits, n_replicates, n_changes + 1)), np.arange(1, n_changes + 1))
    times = Passages(run, "whitening_error", 1, "beginning", **options)
    times.outcome[:] = np.where(observed, Outcome.REACHED, Outcome.NOT_REACHED)
    if diverged is not None:
        times.outcome[diverged] = Outcome.DIVERGED
    times.samples = np.where(observed, samples, np.nan)
    times.followed = np.where(observed, samples.max() if followed is None else followed, samples)
    times.resolution = np.zeros(samples.shape)
    return times.times("what was given")
