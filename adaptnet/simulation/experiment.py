"""What the replicates of a run share: circuits, environment, seed and what is recorded."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adaptnet._checks import Integers, whole_number
from adaptnet.circuits.base import Circuit, State, copied
from adaptnet.protocols import Environment, Realization
from adaptnet.seeding import child_seed
from adaptnet.simulation.changes import Path, paths_of
from adaptnet.simulation.plan import Layout, Plan, run_layout


@dataclass(frozen=True)
class Experiment:
    """Circuits in an environment, and what is recorded of them."""

    circuits: Mapping[str, Circuit]
    environment: Environment
    seed: np.random.SeedSequence
    layout: Layout
    paths: Sequence[Path]
    """The changes of every replicate, or of the first alone if all share them."""
    record_changes: bool = True
    record_around: tuple[int, int] | None = None
    """Every sample from so many before each change to so many after it is recorded."""
    kind: str = "simulation"
    block_size: int | None = None
    """Samples handed to a kernel at a time; None for as many as take a moment."""
    output_timescale: float | None = None
    """Samples over which outputs fade from their second moments, if those are followed."""
    starting: Sequence[Sequence[State]] | None = None
    """States (replicate, circuit) before the first sample, unless they follow from parameters."""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def initial_states(self, replicate: int) -> list[State]:
        """Return fresh states of the circuits of a replicate before its first sample."""
        if self.starting is None:
            n = self.layout.n_neurons
            return [circuit.initial_state(n) for circuit in self.circuits.values()]
        return [copied(state) for state in self.starting[replicate]]

    def realization(self, replicate: int) -> Realization:
        """Return the samples and the truth of a replicate, the same at every call."""
        return self.environment.realize(child_seed(self.seed, replicate))


def experiment(
    circuits: Mapping[str, Circuit],
    environment: Environment,
    seed: np.random.SeedSequence,
    plan: Plan,
    n_replicates: int,
    *,
    record_changes: bool = True,
    record_around: tuple[int, int] | None = None,
    kind: str = "simulation",
    block_size: int | None = None,
    output_timescale: float | None = None,
    attributes: Mapping[str, str],
    starting: Sequence[Sequence[State]] | None = None,
) -> Experiment:
    """Return an experiment that records what `plan` says and, by default, every change.

    With `record_around`, every sample of a window around each change is recorded as well.
    """
    shared = environment.shared_path
    distinct = range(1 if shared else n_replicates)
    paths = paths_of(environment, seed, distinct, plan.n_samples)
    moving = [np.concatenate([*path]) for path in paths] if record_changes else []
    if record_around is not None:
        moving += [_windows(path.begin, *record_around) for path in paths]
    if moving:
        plan = dataclasses.replace(plan, between=_between(np.concatenate(moving), plan))
    layout = run_layout(plan, circuits, environment.n_neurons, n_replicates, shared=shared)
    return Experiment(
        circuits,
        environment,
        seed,
        layout,
        paths,
        record_changes,
        record_around,
        kind,
        block_size,
        output_timescale,
        starting,
        attributes or {},
    )


def window_around(value: Any) -> tuple[int, int] | None:
    """Return the numbers of samples before and after changes that are all recorded, or None.

    Examples
    --------
    >>> window_around([10, 200])
    (10, 200)
    """
    if value is None:
        return None
    if not isinstance(value, Sequence) or len(value) != 2:
        raise TypeError(
            "record_around must be two numbers of samples, before and after each change, got "
            f"{value!r:.50}"
        )
    before, after = (whole_number("record_around", n, minimum=0) for n in value)
    return before, after


def _windows(changes: Integers, before: int, after: int) -> Integers:
    """Return every sample from `before` samples before each change to `after` samples after it."""
    window: Integers = (changes[:, None] + np.arange(-before, after + 1)).ravel()
    return window


def _between(wanted: Integers, plan: Plan) -> Integers:
    """Return the samples wanted besides those that are recorded anyway."""
    samples = np.unique(wanted)
    inside = (samples > 0) & (samples < plan.n_samples)
    between: Integers = samples[inside & (samples % plan.every != 0)]
    return between
