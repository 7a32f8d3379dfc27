"""What the replicates of a run share: circuits, environment, seed and what is recorded."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adaptnet._checks import Integers
from adaptnet.circuits.base import Circuit
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
    kind: str = "simulation"
    block_size: int | None = None
    """Samples handed to a kernel at a time; None for as many as take a moment."""
    attributes: Mapping[str, str] = field(default_factory=dict)

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
    kind: str = "simulation",
    block_size: int | None = None,
    attributes: Mapping[str, str],
) -> Experiment:
    """Return an experiment that records what `plan` says and, by default, every change."""
    shared = environment.shared_path
    distinct = range(1 if shared else n_replicates)
    paths = paths_of(environment, seed, distinct, plan.n_samples)
    if record_changes:
        plan = dataclasses.replace(plan, between=_between(paths, plan))
    layout = run_layout(plan, circuits, environment.n_neurons, n_replicates, shared=shared)
    return Experiment(
        circuits,
        environment,
        seed,
        layout,
        paths,
        record_changes,
        kind,
        block_size,
        attributes or {},
    )


def _between(paths: Sequence[Path], plan: Plan) -> Integers:
    """Return samples at which a covariance begins or ends to change, unless recorded anyway."""
    moving = np.unique(np.concatenate([samples for path in paths for samples in path]))
    inside = (moving > 0) & (moving < plan.n_samples)
    between: Integers = moving[inside & (moving % plan.every != 0)]
    return between
