"""The simulation: environment -> blocks of samples -> circuits -> recording -> Dataset."""

import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet import dataset as schema
from adaptnet._checks import Floats, Integers, whole_number
from adaptnet.circuits.base import FAILURES, Circuit, IntegratedDynamics, Records
from adaptnet.errors import DivergenceWarning
from adaptnet.metrics import affine_invariant_distance
from adaptnet.progress import progress_bar
from adaptnet.protocols import Environment, Realization
from adaptnet.provenance import provenance
from adaptnet.recording import Plan, Recording, Truth, checked_variables
from adaptnet.seeding import Rng, child_seed, root_seed
from adaptnet.threads import n_cores, single_threaded_blas


def simulate(
    circuits: Circuit | Mapping[str, Circuit],
    environment: Environment | npt.ArrayLike,
    n_samples: int | None = None,
    *,
    n_replicates: int = 1,
    rng: Rng = None,
    record_every: int = 1,
    record: Sequence[str] | None = None,
    block_size: int | None = None,
    n_threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Run circuits, sample by sample, on the inputs of an environment.

    For each sample the neural activity goes to its fixed point, then the synapses change. Every
    circuit gets the same samples, so that circuits are compared in pairs.

    Parameters
    ----------
    circuits : Circuit or mapping of str to Circuit
        One circuit, or several by name.
    environment : Environment or array (sample, neuron)
        Where inputs come from. A plain array comes without truth, so without whitening errors.
    n_samples : int, optional
        Samples a replicate; may be left out where `environment` is an array.
    n_replicates : int
        Independent repetitions, each with samples (and, where the environment has one, a random
        path of contexts) of its own. All circuits start each replicate from the same state.
    rng : None, int, SeedSequence or Generator
        Source of randomness; replicate r uses child r of one SeedSequence, which is stored.
    record_every : int
        Samples between records. Sample 0, before any input, is always recorded.
    record : sequence of str, optional
        Variables to record: whitening_error, frobenius_error, effective_weights, fast_steps,
        covariance. By default both errors, and fast_steps where dynamics are integrated; for an
        array the effective weights.
    block_size : int, optional
        Samples handed to a kernel at a time. Changes memory and speed, never a result.
    n_threads : int, optional
        Replicates run at the same time; by default as many as there are cores. Never changes a
        result.
    progress : bool, optional
        Whether to show a progress bar; by default if standard error is a terminal.

    Returns
    -------
    Dataset
        Dimensions circuit, replicate, sample, neuron, neuron_2 and change; see the documentation
        of the schema. A circuit that diverges keeps what was recorded until then, has its sample
        in ``diverged_sample``, and a `DivergenceWarning` says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, sizes do not fit together, or an
        input is not finite.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> inputs = np.random.default_rng(0).normal(size=(500, 3))
    >>> run = simulate(DirectCircuit(learning_rate=0.01), inputs, record_every=100)
    >>> dict(run.effective_weights.sizes)
    {'circuit': 1, 'replicate': 1, 'sample': 6, 'neuron': 3, 'neuron_2': 3}
    """
    named = named_circuits(circuits)
    n_replicates = whole_number("n_replicates", n_replicates)
    if n_samples is not None:
        n_samples = whole_number("n_samples", n_samples)
    if not isinstance(environment, Environment):
        environment = _given(environment, n_samples, n_replicates)
        n_samples = n_samples or environment.length
    elif n_samples is None:
        raise TypeError("n_samples must be given where inputs come from an environment, got None")
    integrated = any(isinstance(c.dynamics, IntegratedDynamics) for c in named.values())
    plan = Plan(
        n_samples,
        whole_number("record_every", record_every),
        checked_variables(record, environment.truth, integrated=integrated),
    )
    n = environment.n_neurons
    if block_size is None:
        block_size = plan.block_size(n)
    seed = root_seed(rng)
    run = Run(
        kind="simulation",
        circuits=list(named.items()),
        environment=environment,
        seed=seed,
        block_size=whole_number("block_size", block_size),
        recording=Recording(plan, len(named), n_replicates, n, shared_path=environment.shared_path),
    )
    n_threads = n_cores() if n_threads is None else whole_number("n_threads", n_threads)
    with (
        progress_bar(n_samples * n_replicates, progress) as advance,
        single_threaded_blas(),
        ThreadPoolExecutor(min(n_threads, n_replicates)) as pool,
    ):
        tasks = [pool.submit(run.replicate, r, advance) for r in range(n_replicates)]
        try:
            failures = [failure for task in tasks for failure in task.result()]
        except BaseException:
            run.stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    if failures:
        warnings.warn("; ".join(failures), DivergenceWarning, stacklevel=2)
    return labelled(run)


@dataclass(frozen=True)
class Run:
    """What the replicates of a run share."""

    kind: str
    circuits: list[tuple[str, Circuit]]
    environment: Environment
    seed: np.random.SeedSequence
    block_size: int
    recording: Recording
    stopped: threading.Event = field(default_factory=threading.Event)

    def replicate(self, r: int, advance: Callable[[int], object]) -> list[str]:
        """Run replicate `r` to its end; return a sentence for each circuit that diverged."""
        plan, recording = self.recording.plan, self.recording
        n = self.environment.n_neurons
        realization = self.environment.realize(child_seed(self.seed, r))
        recording.changes[r] = changes(realization, plan.n_samples)
        states = [circuit.initial_state(n) for _, circuit in self.circuits]

        start = _truth(realization, np.zeros(1, np.int64), plan)
        recording.write_truth(r, 0, start)
        for c, (_, circuit) in enumerate(self.circuits):
            records = recording.buffers(1)
            records.effective_weights[0] = circuit.effective_weights(states[c])
            recording.write(c, r, 0, records, start)

        failures = []
        processed = 0
        for inputs in realization.blocks(plan.n_samples, self.block_size):
            if self.stopped.is_set():
                break
            _refuse_non_finite(inputs, processed, r)
            samples = plan.samples(processed, processed + len(inputs))
            truth = _truth(realization, samples, plan)
            first = processed // plan.every + 1
            recording.write_truth(r, first, truth)
            for c, (name, circuit) in enumerate(self.circuits):
                if recording.diverged[c, r] >= 0:
                    continue
                records = recording.buffers(len(samples))
                failure, rows = circuit.advance(states[c], inputs, processed, plan.every, records)
                sound = len(plan.samples(processed, processed + rows))
                weights, steps = records
                recording.write(c, r, first, Records(weights[:sound], steps[:sound]), truth)
                if failure:
                    recording.diverged[c, r] = processed + rows
                    failures.append(
                        f"circuit {name!r}, replicate {r} diverged at sample {processed + rows}: "
                        f"{FAILURES[failure]}"
                    )
            processed += len(inputs)
            advance(len(inputs))
        return failures


def changes(realization: Realization, n_samples: int) -> Integers:
    """Return the samples at which the context changes, the contexts left, and those entered."""
    at = realization.change_samples(n_samples)
    return np.stack([at, realization.contexts(at - 1), realization.contexts(at)])


def _truth(realization: Realization, samples: Integers, plan: Plan) -> Truth:
    covariances = realization.covariances(samples) if plan.needs_covariances else None
    return Truth(realization.contexts(samples), covariances)


def _refuse_non_finite(inputs: Floats, processed: int, replicate: int) -> None:
    if not np.isfinite(inputs).all():
        row, neuron = np.argwhere(~np.isfinite(inputs))[0]
        raise ValueError(
            f"inputs must be finite, got {inputs[row, neuron]} at sample {processed + row}, "
            f"neuron {neuron} (replicate {replicate}); remove or interpolate such samples first"
        )


def named_circuits(circuits: Circuit | Mapping[str, Circuit]) -> dict[str, Circuit]:
    """Return circuits by name; a lone one is called after its type."""
    expected = "circuits must be a circuit or a mapping of names to circuits"
    if isinstance(circuits, Circuit):
        return {type(circuits).__name__.removesuffix("Circuit").lower(): circuits}
    if not isinstance(circuits, Mapping):
        raise TypeError(f"{expected}, got {circuits!r}")
    if not circuits:
        raise ValueError(f"{expected}, got an empty one")
    for name, circuit in circuits.items():
        if not (isinstance(name, str) and isinstance(circuit, Circuit)):
            raise TypeError(f"{expected}, got {name!r}: {circuit!r}")
    return dict(circuits)


class _GivenInputs:
    """A plain array of samples in the shape of an environment, its own only realization."""

    truth = "absent"
    shared_path = True
    context_names = ("given",)

    def __init__(self, inputs: Floats) -> None:
        self._inputs = inputs
        self.length = len(inputs)
        self.n_neurons = inputs.shape[1]

    def realize(self, seed: np.random.SeedSequence) -> "_GivenInputs":
        return self

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        for first in range(start, n_samples, block_size):
            yield self._inputs[first : min(first + block_size, n_samples)]

    def covariances(self, samples: Integers) -> Floats:
        raise TypeError("a plain array of inputs has no true covariance")

    def contexts(self, samples: Integers) -> Integers:
        return np.zeros(len(samples), np.int64)

    def change_samples(self, n_samples: int) -> Integers:
        return np.empty(0, np.int64)

    def parameters(self) -> dict[str, Any]:
        digest = hashlib.sha256(self._inputs.tobytes()).hexdigest()
        return {"type": "array", "shape": list(self._inputs.shape), "sha256": digest}


def _given(inputs: npt.ArrayLike, n_samples: int | None, n_replicates: int) -> _GivenInputs:
    """Return an array of inputs as an environment, its size checked against the run's."""
    try:
        array = np.ascontiguousarray(inputs, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            "environment must be an environment or an array (sample, neuron) of real numbers, "
            f"got {inputs!r}"
        ) from None
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"inputs must have the shape (sample, neuron), got {array.shape}")
    if n_samples is not None and n_samples > len(array):
        raise ValueError(
            f"n_samples must be at most {len(array)}, the number of inputs given, got {n_samples}"
        )
    if n_replicates != 1:
        raise ValueError(
            f"n_replicates must be 1 where the inputs are an array, got {n_replicates}: every "
            "replicate would be the same; give an environment instead"
        )
    return _GivenInputs(array)


def labelled(run: Run) -> xr.Dataset:
    """Return what was recorded as a Dataset that says what everything is."""
    recording, environment = run.recording, run.environment
    n_replicates = len(recording.changes)
    n_changes = max(of.shape[1] for of in recording.changes)
    changes = np.full((3, n_replicates, n_changes), -1, dtype=np.int64)
    for r, of in enumerate(recording.changes):
        changes[:, r, : of.shape[1]] = of
    if environment.shared_path:
        changes = changes[:, 0]
    values = {
        **recording.arrays,
        **dict(zip(("change_sample", "context_left", "context_entered"), changes, strict=True)),
        **_noise_floors(run, changes[0]),
        **_described_changes(run, changes[0]),
        "diverged_sample": recording.diverged,
    }
    contexts = schema.context_flags(environment.context_names)
    flags = {
        **dict.fromkeys(("context", "context_left", "context_entered"), contexts),
        "change_direction": schema.context_flags(schema.DIRECTIONS),
    }
    indices = {
        "replicate": n_replicates,
        "neuron": environment.n_neurons,
        "neuron_2": environment.n_neurons,
        "change": n_changes,
    }
    coordinates: dict[str, Any] = {
        "circuit": [name for name, _ in run.circuits],
        "sample": recording.plan.all_samples,
        **{name: np.arange(length) for name, length in indices.items()},
    }
    return xr.Dataset(
        {
            name: schema.variable(
                name,
                recording.dims(name),
                array,
                **flags.get(name, {}),
            )
            for name, array in values.items()
        },
        {
            **{name: schema.variable(name, (name,), array) for name, array in coordinates.items()},
            "synaptic_time": schema.variable(
                "synaptic_time",
                ("circuit", "sample"),
                np.stack([c.synaptic_time(recording.plan.all_samples) for _, c in run.circuits]),
            ),
        },
        {
            "Conventions": schema.CONVENTIONS,
            "adaptnet_schema": schema.SCHEMA,
            "kind": run.kind,
            "title": "Adaptation of recurrent circuits to changing input statistics",
            "truth": environment.truth,
            "circuits": json.dumps({name: c.parameters() for name, c in run.circuits}),
            "environment": json.dumps(environment.parameters()),
            "n_samples": recording.plan.n_samples,
            **provenance(run.seed),
        },
    )


def _noise_floors(run: Run, change_samples: Integers) -> dict[str, Floats]:
    """Return the circuits' floors of each error after each change, where there is noise and truth.

    Realizations are pure functions of their seeds, so that they can be asked anew.
    """
    if run.kind != "simulation" or run.environment.truth == "absent":
        return {}
    floors = np.full((len(schema.FLOORS), len(run.circuits), *change_samples.shape), np.nan)
    known: dict[tuple[int, bytes], tuple[float, ...] | None] = {}
    for r, those in enumerate(np.atleast_2d(change_samples)):
        realization = run.environment.realize(child_seed(run.seed, r))
        rows = (r,) if change_samples.ndim == 2 else ()
        for i, covariance in enumerate(realization.covariances(those[those >= 0])):
            for c, (_, circuit) in enumerate(run.circuits):
                key = (c, covariance.tobytes())
                if key not in known:
                    known[key] = circuit.noise_floor(covariance)
                floors[(slice(None), c, *rows, i)] = known[key] or np.nan
    return dict(zip(schema.FLOORS, floors, strict=True))


def _described_changes(run: Run, change_samples: Integers) -> dict[str, Floats | Integers]:
    """Return distance and direction of each change, shaped as `change_samples`, if truth is known.

    Realizations are pure functions of their seeds, so that they can be asked anew.
    """
    if run.environment.truth == "absent":
        return {}
    distance = np.full(change_samples.shape, np.nan)
    direction = np.full(change_samples.shape, -1, dtype=np.int64)
    for r, of in enumerate(np.atleast_2d(change_samples)):
        realization = run.environment.realize(child_seed(run.seed, r))
        rows = (r,) if change_samples.ndim == 2 else ()
        for change, at in enumerate(of[of >= 0]):
            left, entered = realization.covariances(np.array([at - 1, at]))
            distance[(*rows, change)] = affine_invariant_distance(left, entered)
            growth = np.trace(entered) / np.trace(left) - 1
            level = abs(growth) < 1e-9  # rounding in a rotated covariance is far below
            direction[(*rows, change)] = 0 if level else 1 if growth > 0 else 2
    return {"change_distance": distance, "change_direction": direction}
