"""The replicates of one simulation, computed in other processes by groups."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from adaptnet.circuits.base import State
from adaptnet.files.sizes import require_memory
from adaptnet.simulation.executors import IN_FLIGHT, computed, n_workers
from adaptnet.simulation.experiment import Experiment
from adaptnet.simulation.loop import Loop
from adaptnet.simulation.observed import nothing_observed, with_observed
from adaptnet.simulation.plan import Layout, groups_of
from adaptnet.simulation.progress import progress_display
from adaptnet.simulation.rows import Rows
from adaptnet.simulation.sinks.base import Reached, Sink
from adaptnet.simulation.threads import single_threaded_blas


class Ended(NamedTuple):
    """A replicate at its end: how it came there, its states, and all its rows."""

    reached: Reached
    states: list[State]
    rows: Rows


class _Collected(Sink):
    """The rows of some replicates, in memory."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows: dict[int, list[Rows]] = {}

    def write(self, replicate: int, first: int, rows: Rows) -> None:
        """Keep rows, which come in order."""
        self.rows.setdefault(replicate, []).append(rows.copy())

    def keep(
        self, replicate: int, reached: Reached, states: Sequence[State], *, at_once: bool
    ) -> None:
        """Keep no state: a group is computed as a whole or again."""


@single_threaded_blas()
def run_group(experiment: Experiment, replicates: Sequence[int]) -> dict[int, Ended] | Exception:
    """Return some replicates of an experiment, run to their end; or the error that one ended in."""
    sink = _Collected(experiment.layout)
    loop = Loop(experiment, sink)
    try:
        reached = loop.run(replicates, 1, progress=False)
    except Exception as error:
        return error
    return {
        number: Ended(end, loop.states[number], np.concatenate(sink.rows[number]))
        for number, end in zip(replicates, reached, strict=True)
    }


def distribute(
    experiment: Experiment, sink: Sink, executor: Executor | int, progress: bool | None
) -> dict[int, Ended]:
    """Run all replicates that a sink has nothing of yet; write their rows into it.

    What is returned has no rows any more.

    Raises
    ------
    Exception
        As a simulation in this process does; or because a group lost its worker three times.
    """
    layout, unseen = experiment.layout, nothing_observed(experiment)
    waiting = [
        number
        for number in range(layout.n_replicates)
        if sink.restore(number, with_observed(experiment.initial_states(number), unseen)) is None
    ]
    workers = n_workers(executor)
    n = experiment.environment.n_neurons
    size = max(circuit.group_size(n) for circuit in experiment.circuits.values())
    groups = groups_of(waiting, size, workers) if waiting else []
    in_flight = min(len(waiting), size * IN_FLIGHT * workers)
    require_memory(
        f"the records of {in_flight} replicates, which are on their way from workers at a time,",
        in_flight * layout.n_bytes // layout.n_replicates,
        "raise record_every, record fewer variables, or use fewer workers",
    )
    ended: dict[int, Ended] = {}
    n_samples = layout.plan.n_samples
    with progress_display(n_samples * len(waiting), progress) as advance:
        for _, result in computed(run_group, experiment, groups, executor):
            if isinstance(result, BaseException):
                raise result
            for number, end in result.items():
                sink.write(number, 0, end.rows)
                # At its end, what was observed of a replicate is of no use any more.
                sink.keep(number, end.reached, with_observed(end.states, unseen), at_once=True)
                ended[number] = end._replace(rows=end.rows[:0])
                advance(n_samples)
    return ended
