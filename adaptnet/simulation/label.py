"""From the records of a run to a Dataset that says what everything is."""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import State
from adaptnet.errors import DivergenceWarning
from adaptnet.files import schema
from adaptnet.files.provenance import provenance
from adaptnet.kernels.status import Status
from adaptnet.metrics import sampling_floor
from adaptnet.simulation.changes import described_changes
from adaptnet.simulation.experiment import Experiment
from adaptnet.simulation.sinks.base import Reached
from adaptnet.simulation.states import NAME, words

_HASHED_SAMPLES = 256  # of replicate 0: enough to notice inputs that changed


def description(experiment: Experiment) -> dict[str, Any]:
    """Return the attributes of a run's Dataset: what was run, and where it comes from."""
    plan, environment = experiment.layout.plan, experiment.environment
    around, timescale = experiment.record_around, experiment.output_timescale
    rate = getattr(environment, "sampling_rate", None)  # of recordings
    return {
        "Conventions": schema.CONVENTIONS,
        "adaptnet_schema": schema.SCHEMA,
        "kind": experiment.kind,
        "title": "Adaptation of recurrent circuits to changing input statistics",
        "truth": environment.truth,
        "circuits": json.dumps({n: c.parameters() for n, c in experiment.circuits.items()}),
        "environment": json.dumps(environment.parameters()),
        "n_samples": plan.n_samples,
        "n_replicates": experiment.layout.n_replicates,
        "record": json.dumps(plan.variables),
        "record_every": plan.every,
        "record_changes": int(experiment.record_changes),
        **({} if around is None else {"record_around": json.dumps(around)}),
        **({} if timescale is None else {"output_timescale": timescale}),
        **({} if rate is None else {"sampling_rate": rate}),
        **_first_inputs(experiment),
        **provenance(experiment.seed),
        **experiment.attributes,
    }


def _first_inputs(experiment: Experiment) -> dict[str, str]:
    """Return a checksum of the first inputs, for a simulation."""
    if experiment.kind != "simulation":
        return {}
    n_samples = min(experiment.layout.plan.n_samples, _HASHED_SAMPLES)
    inputs = next(experiment.realization(0).blocks(n_samples, n_samples))
    return {"first_inputs_sha256": hashlib.sha256(inputs.tobytes()).hexdigest()}


def labelled(
    experiment: Experiment,
    arrays: Mapping[str, npt.NDArray[Any]],
    reached: Sequence[Reached],
    samples: Integers,
    states: Sequence[Sequence[State]] | None = None,
) -> xr.Dataset:
    """Return the records of a run, its changes and its divergences as a Dataset.

    Parameters
    ----------
    experiment : Experiment
    arrays : mapping of str to array
        Records, in the shapes of the experiment's layout.
    reached : sequence of Reached
        How each replicate ended.
    samples : array
        Recorded samples.
    states : sequence of sequence of State, optional
        Of each replicate and circuit at the end, to be stored.
    """
    layout = experiment.layout
    changes = changes_of(experiment, range(len(experiment.paths)))
    if layout.shared_path:
        changes = {name: values[..., 0, :] for name, values in changes.items()}
    diverged = np.array([replicate.diverged for replicate in reached], dtype=np.int64).T
    values = {**arrays, **changes, "diverged_sample": diverged}
    if states is not None:
        values[NAME] = words(states, [replicate.failures for replicate in reached])
    coordinates = {
        "circuit": list(experiment.circuits),
        "sample": samples,
        "change": np.arange(changes["change_sample"].shape[-1]),
        **{dim: np.arange(size) for dim, size in layout.sizes.items() if dim != "circuit"},
    }
    named = {name: schema.coordinate(name, values) for name, values in coordinates.items()}
    times = schema.variable(
        "synaptic_time", ("circuit", "sample"), synaptic_times(experiment, samples)
    )
    described = description(experiment)
    if "sampling_rate" in described:
        named["time"] = schema.time(samples, described["sampling_rate"])
    return xr.Dataset(
        {name: _variable(experiment, name, array) for name, array in values.items()},
        {**named, "synaptic_time": times},
        described,
    )


def _variable(experiment: Experiment, name: str, array: npt.NDArray[Any]) -> xr.Variable:
    """Return an array as the variable that the schema, or a circuit, declares."""
    layout = experiment.layout
    entry = {**schema.VARIABLES, **layout.records}[name]
    dims = entry.dims if name == NAME else layout.dims(name)
    flags = {
        "context": experiment.environment.context_names,
        "change_direction": schema.DIRECTIONS,
    }
    meanings = flags.get(name.removesuffix("_left").removesuffix("_entered"))
    attributes = schema.context_flags(meanings) if meanings else {}
    timescale = experiment.output_timescale
    if timescale is not None and name in schema.EMPIRICAL:
        n_effective = 2 * timescale - 1  # (sum w)^2 / sum w^2 in the long run
        floors = dict(
            zip(schema.EMPIRICAL, sampling_floor(layout.n_neurons, n_effective), strict=True)
        )
        attributes["sampling_floor"] = float(floors[name])
    return schema.described(
        entry,
        dims,
        array.astype(entry.dtype, copy=False),
        **attributes,
    )


def synaptic_times(experiment: Experiment, samples: Integers) -> Floats:
    """Return the synaptic time of each circuit after `samples`, (circuit, sample)."""
    circuits = experiment.circuits.values()
    return np.stack([circuit.synaptic_time(samples) for circuit in circuits])


def changes_of(experiment: Experiment, replicates: Sequence[int]) -> dict[str, npt.NDArray[Any]]:
    """Return the schema's variables of the changes that `replicates` go through."""
    noisy = list(experiment.circuits.values()) if experiment.kind == "simulation" else []
    n_samples = experiment.layout.plan.n_samples
    paths = [experiment.paths[r] for r in replicates]
    return described_changes(
        experiment.environment, noisy, experiment.seed, replicates, n_samples, paths
    )


def warn_of_divergence(experiment: Experiment, reached: Sequence[Reached]) -> None:
    """Warn with one sentence for each circuit and replicate that diverged."""
    sentences = [
        f"circuit {name!r}, replicate {r} diverged at sample {replicate.diverged[c]}: "
        f"{Status(replicate.failures[c]).sentence}; {Status(replicate.failures[c]).remedy}"
        for r, replicate in enumerate(reached)
        for c, name in enumerate(experiment.circuits)
        if replicate.failures[c]
    ]
    if sentences:
        warnings.warn("; ".join(sentences), DivergenceWarning, stacklevel=3)
