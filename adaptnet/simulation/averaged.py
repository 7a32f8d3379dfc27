"""Synaptic flows and offline learning, as runs of the same schema as a simulation's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats, Integers, positive_definite, positive_number, whole_number
from adaptnet.circuits.base import Circuit
from adaptnet.circuits.plastic import PlasticCircuit
from adaptnet.files.schema import ERRORS
from adaptnet.kernels.status import Status
from adaptnet.protocols import Environment, Realization
from adaptnet.seeding import Rng, root_seed
from adaptnet.simulation.experiment import Experiment, experiment
from adaptnet.simulation.label import labelled, warn_of_divergence
from adaptnet.simulation.plan import Plan, checked_variables
from adaptnet.simulation.rows import blank, fill, truth_at
from adaptnet.simulation.simulate import named_circuits
from adaptnet.simulation.sinks.base import Reached
from adaptnet.simulation.sinks.memory import MemorySink
from adaptnet.simulation.threads import single_threaded_blas
from adaptnet.theory.integration import TOLERANCE, integrate, is_stable, smallest_weight
from adaptnet.theory.registry import law_of

_BLOCK = 1024  # samples per call for covariances


@single_threaded_blas()
def flow(
    circuits: Circuit | Mapping[str, Circuit],
    environment: Environment | npt.ArrayLike,
    n_samples: int,
    *,
    n_replicates: int = 1,
    rng: Rng = None,
    record_every: int = 1,
    record: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
) -> xr.Dataset:
    """Integrate the synaptic flows of circuits: what learning does on average as eta -> 0.

    Takes the arguments of :func:`adaptnet.simulate` and returns a run like it does, so that a
    simulation and its theory can be compared, analysed and drawn in the same way. One sample is eta
    units of synaptic time (eta / B in batches of B), and the run has both coordinates; for a finer
    axis of synaptic time, choose a smaller learning rate.

    Parameters
    ----------
    circuits : Circuit or mapping of str to Circuit
        One circuit, or several by name; their learning rates set the pace.
    environment : Environment or array (neuron, neuron)
        Whose covariance the flow follows, through switches and drifts; or one constant covariance.
    n_samples : int
        Samples that the flow is followed for.
    n_replicates : int
        Paths of contexts, in environments that draw them at random.
    rng : None, int, SeedSequence or Generator
        Source of the paths: a simulation with the same `rng` follows the same ones.
    record_every : int
        Samples between records.
    record : sequence of str, optional
        Variables to record: whitening_error, frobenius_error, effective_weights, covariance; by
        default both errors.
    tolerance : float
        Relative error allowed in a step of the integration.

    Returns
    -------
    Dataset
        A run; see the documentation of the schema. Its attribute ``kind`` is ``"flow"``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, or theory does not cover a circuit.
    IntegrationError
        If the flow could not be integrated.

    Examples
    --------
    >>> from adaptnet import InterneuronCircuit
    >>> circuit = InterneuronCircuit(initial_weights=10.0, learning_rate=0.01)
    >>> run = flow(circuit, np.eye(2), n_samples=200, record_every=50)
    >>> run["synaptic_time"].values
    array([[0. , 0.5, 1. , 1.5, 2. ]])
    >>> run["whitening_error"].values.squeeze().round(3)
    array([0.99 , 0.931, 0.645, 0.197, 0.032])
    """
    tolerance = positive_number("tolerance", tolerance, below=1e-2)

    def path(
        circuit: PlasticCircuit, start: Floats, realization: Realization, samples: Integers
    ) -> Iterator[Floats]:
        return _flow_path(circuit, start, realization, samples, n_samples, tolerance)

    return _run("flow", path, circuits, environment, n_samples, n_replicates, rng, record_every,
                record)  # fmt: skip


@single_threaded_blas()
def offline(
    circuits: Circuit | Mapping[str, Circuit],
    environment: Environment | npt.ArrayLike,
    n_samples: int,
    *,
    n_replicates: int = 1,
    rng: Rng = None,
    record_every: int = 1,
    record: Sequence[str] | None = None,
) -> xr.Dataset:
    """Run circuits on covariances instead of samples: each update has C_yy in place of yy'.

    Free of noise, but in steps of the learning rate: what it shows beyond the flow are the limits
    of stability. Arguments, result and errors are those of :func:`flow`; a circuit that leaves the
    positive definite cone is marked as diverged, as in a simulation.

    Parameters
    ----------
    circuits : Circuit or mapping of str to Circuit
        One circuit, or several by name.
    environment : Environment or array (neuron, neuron)
        Whose covariance is learned from, sample by sample; or one constant covariance.
    n_samples : int
        Covariances that are learned from: one an update, or a batch of them.
    n_replicates : int
        Paths of contexts, in environments that draw them at random.
    rng : None, int, SeedSequence or Generator
        Source of the paths.
    record_every : int
        Updates between records.
    record : sequence of str, optional
        Variables to record, as in :func:`flow`.

    Returns
    -------
    Dataset
        A run; see the documentation of the schema. Its attribute ``kind`` is ``"offline"``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, or theory does not cover a circuit.

    Examples
    --------
    >>> from adaptnet import DirectCircuit
    >>> circuit = DirectCircuit(initial_weights=2.0, learning_rate=0.5)
    >>> run = offline(circuit, np.eye(2), n_samples=4)
    >>> run["whitening_error"].values.squeeze().round(3)
    array([0.75 , 0.621, 0.421, 0.179, 0.028])
    """
    return _run("offline", _offline_path, circuits, environment, n_samples, n_replicates, rng,
                record_every, record)  # fmt: skip


_Change = Callable[[Floats, Floats], Floats]
_Path = Callable[[PlasticCircuit, Floats, Realization, Integers], Iterator[Floats]]


def _run(
    kind: str,
    path: _Path,
    circuits: Circuit | Mapping[str, Circuit],
    environment: Environment | npt.ArrayLike,
    n_samples: int,
    n_replicates: int,
    rng: Rng,
    record_every: int,
    record: Sequence[str] | None,
) -> xr.Dataset:
    """Return the run in which each circuit's recorded weights are those of `path`'s states."""
    named = named_circuits(circuits)
    for circuit in named.values():
        law_of(circuit)
        if circuit.follows_path:
            raise ValueError(
                "learning rates must not depend on the path of contexts for a flow or offline "
                f"learning, got {circuit!r}; simulate, or follow stretches one by one"
            )
    if not isinstance(environment, Environment):
        environment = _Constant(positive_definite("environment", environment))
    if environment.truth == "absent":
        raise ValueError("environment must know its covariances, got one without truth")
    plan = Plan(
        whole_number("n_samples", n_samples),
        whole_number("record_every", record_every),
        checked_variables(record, environment.truth, named),
    )
    described = experiment(
        named,
        environment,
        root_seed(rng),
        plan,
        whole_number("n_replicates", n_replicates),
        kind=kind,
        attributes={},
    )
    _refuse_kernel_records(described)
    sink = MemorySink(described.layout)
    reached = [_follow(described, path, r, sink) for r in range(described.layout.n_replicates)]
    warn_of_divergence(described, reached)
    return labelled(described, sink.arrays, reached, described.layout.plan.all_samples)


def _refuse_kernel_records(described: Experiment) -> None:
    """Raise if anything is to be recorded that only samples, one by one, have."""
    known = {*ERRORS, "covariance", "effective_weights", "context"}
    for name in described.layout.names:
        if name not in known:
            raise ValueError(
                f"record must not name {name!r}: the flow and offline learning follow effective "
                f"weights alone, with the activity at its fixed point; simulate to record {name}"
            )


def _follow(described: Experiment, path: _Path, replicate: int, sink: MemorySink) -> Reached:
    """Record one replicate of every circuit; return how each ended."""
    layout, circuits = described.layout, described.circuits
    samples = layout.plan.all_samples
    realization = described.realization(replicate)
    truth = truth_at(realization, samples, layout)
    rows = blank(layout, replicate, truth)
    reached = Reached(layout.plan.n_samples, [-1] * len(circuits), [0] * len(circuits))
    for c, circuit in enumerate(circuits.values()):
        assert isinstance(circuit, PlasticCircuit), "theory covers no other"
        law = law_of(circuit)
        states = path(circuit, law.start(circuit, layout.n_neurons), realization, samples)
        weights = np.array([law.effective_weights(state) for state in states])
        fill(rows, c, {"effective_weights": weights}, "effective_weights", truth)
        if len(weights) < len(samples):
            reached.diverged[c] = int(samples[len(weights)])
            reached.failures[c] = int(Status.WEIGHTS_NOT_POSITIVE_DEFINITE)
    sink.write(replicate, 0, rows)
    return reached


def _flow_path(
    circuit: PlasticCircuit,
    start: Floats,
    realization: Realization,
    samples: Integers,
    n_samples: int,
    tolerance: float,
) -> Iterator[Floats]:
    """Yield the states at `samples` along the flow, integrated piece by piece."""
    law, state = law_of(circuit), start
    yield state
    for first, end, moving in _pieces(realization, n_samples):
        (held,) = realization.covariances(np.array([first]))
        stops = law.stops(state)
        change = law.drift if stops is None else law.mean_change

        def drift(
            since: float,
            at: Floats,
            held: Floats | None = None if moving else held,
            first: int = first,
            end: int = end,
            change: _Change = change,
        ) -> Floats:
            sample = first + since
            C = _between(realization, sample, first, end) if held is None else held
            return circuit.learning_rates(sample) / circuit.batch_size * change(at, C)

        trajectory = integrate(
            law,
            drift,
            state,
            (0, end - first),  # from 0, where floats are finest: a jump may ask for tiny steps
            samples[(samples > first) & (samples <= end)] - first,
            tolerance=tolerance,
            smallest=smallest_weight(law.effective_weights(state), held),
            stops=stops,
        )
        yield from trajectory.states
        state = trajectory.end


def _pieces(realization: Realization, n_samples: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the first sample and the end of each piece of a path, and whether C moves within it.

    A path is cut where changes begin and end, and where C jumps between two stretches of constant
    C: an integrator takes many small steps to get across a jump or a bend.
    """
    moves = np.zeros(n_samples + 1, bool)  # whether C differs from that of the sample before
    for block in range(0, n_samples, _BLOCK):
        samples = np.arange(max(block - 1, 0), min(block + _BLOCK, n_samples))
        covariances = realization.covariances(samples)
        moves[samples[1:]] = (covariances[1:] != covariances[:-1]).any(axis=(1, 2))
    jumps = 1 + np.flatnonzero(moves[1:-1] & ~moves[:-2] & ~moves[2:])
    ends = getattr(realization, "change_ends", realization.change_samples)(n_samples)
    changes = np.union1d(realization.change_samples(n_samples), ends[ends < n_samples])
    cuts = np.union1d(changes, jumps).tolist()
    for first, end in pairwise([0, *cuts, n_samples]):
        yield first, end, bool(moves[first + 1 : end].any())


def _between(realization: Realization, sample: float, first: int, end: int) -> Floats:
    """Return C at a real-valued sample of a piece, on the cubic through the four samples about it.

    Straight lines would be accurate enough, but an integrator of high order would stop at each
    sample, where lines meet. The last cubic of a piece also covers its last sample.
    """
    lowest = max(first, min(int(sample) - 1, end - 4))
    nodes = np.arange(lowest, min(lowest + 4, end))
    off_diagonal = ~np.eye(len(nodes), dtype=bool)
    apart = np.where(off_diagonal, nodes[:, None] - nodes, 1)
    shares = np.prod(np.where(off_diagonal, sample - nodes, 1.0) / apart, axis=1)
    covariance: Floats = np.tensordot(shares, realization.covariances(nodes), 1)
    return covariance


def _offline_path(
    circuit: PlasticCircuit, start: Floats, realization: Realization, samples: Integers
) -> Iterator[Floats]:
    """Yield the states at `samples`, fewer if the weights leave the positive definite cone."""
    law, state = law_of(circuit), start
    recorded, batch = set(samples.tolist()), circuit.batch_size
    weighted, rates = np.zeros_like(realization.covariances(np.zeros(1, np.int64))[0]), 0.0
    yield state
    for block in range(0, int(samples[-1]), _BLOCK):
        inside = np.arange(block, min(block + _BLOCK, samples[-1]))
        for t, covariance in zip(inside, realization.covariances(inside), strict=True):
            eta = float(circuit.learning_rates(t))
            weighted, rates = weighted + eta * covariance, rates + eta
            if (t + 1) % batch == 0 and rates > 0:  # updates are linear in the covariance
                state = law.offline_step(state, weighted / rates, rates / batch)
            if (t + 1) % batch == 0:
                weighted, rates = np.zeros_like(weighted), 0.0
            if not is_stable(law.effective_weights(state)):
                return
            if int(t) + 1 in recorded:
                yield state


class _Constant:
    """A constant covariance in the shape of an environment, without samples."""

    truth = "exact"
    shared_path = True
    context_names = ("only",)

    def __init__(self, covariance: Floats) -> None:
        self._covariance = covariance
        self.n_neurons = len(covariance)

    def realize(self, seed: np.random.SeedSequence) -> _Constant:
        return self

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        raise TypeError("a covariance alone has no samples; use an environment")

    def covariances(self, samples: Integers) -> Floats:
        return np.repeat(self._covariance[None], len(samples), axis=0)

    def contexts(self, samples: Integers) -> Integers:
        return np.zeros(len(samples), np.int64)

    def change_samples(self, n_samples: int) -> Integers:
        return np.empty(0, np.int64)

    def parameters(self) -> dict[str, Any]:
        return {"type": "covariance", "covariance": self._covariance.tolist()}
