"""Runs whose answers are obvious, built by hand instead of simulated."""

import numpy as np
import xarray as xr

from adaptnet.files import schema


def handmade(curves, changes=(10,), contexts=(0, 1), every=1, n_samples=None, diverged=None):
    """Return a run with the given whitening errors {circuit: (replicate, record)}.

    Changes at `changes` go through `contexts`, one more than there are changes.
    """
    values = np.array([np.atleast_2d(curve) for curve in curves.values()], dtype=float)
    samples = np.arange(values.shape[-1]) * every
    n_samples = samples[-1] if n_samples is None else n_samples
    contexts = np.asarray(contexts)
    in_force = contexts[np.searchsorted(changes, samples, side="right")]
    lost = np.full(values.shape[:2], -1) if diverged is None else np.asarray(diverged)
    described = {
        "whitening_error": (("circuit", "replicate", "sample"), values),
        "context": (("sample",), in_force),
        "change_sample": (("change",), np.asarray(changes, dtype=np.int64)),
        "change_end": (("change",), np.asarray(changes, dtype=np.int64)),
        "context_left": (("change",), contexts[:-1]),
        "context_entered": (("change",), contexts[1:]),
        "diverged_sample": (("circuit", "replicate"), lost),
    }
    flags = schema.context_flags([f"context_{i}" for i in range(contexts.max() + 1)])
    coordinates = {
        "circuit": list(curves),
        "replicate": np.arange(values.shape[1]),
        "sample": samples,
        "neuron": np.arange(2),
        "neuron_2": np.arange(2),
        "change": np.arange(len(changes)),
    }
    return xr.Dataset(
        {
            name: schema.variable(name, *found, **(flags if name.startswith("context") else {}))
            for name, found in described.items()
        },
        {name: schema.variable(name, (name,), found) for name, found in coordinates.items()},
        {
            "adaptnet_schema": schema.SCHEMA,
            "n_samples": int(n_samples),
            "truth": "exact",
            "circuits": "{}",
        },
    )
