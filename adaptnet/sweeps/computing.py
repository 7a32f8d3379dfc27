"""The missing parts of a sweep, computed and kept as they come."""

import contextlib
import math
import warnings
from concurrent.futures import Executor

from adaptnet.errors import DivergenceWarning, NoiseFloorWarning
from adaptnet.simulation.executors import computed, n_workers
from adaptnet.simulation.progress import progress_display
from adaptnet.sweeps.collection import Collection
from adaptnet.sweeps.parts import Part, decoded, encoded
from adaptnet.sweeps.plan import Sweep
from adaptnet.sweeps.store import Name
from adaptnet.sweeps.tasks import FAILED, Job, run_task

_LANES = 4  # replicates that kernels advance side by side: groups are multiples of it
_TASKS_PER_WORKER = 4  # so that workers end at about the same time


def compute(
    parts: Collection,
    job: Job,
    executor: Executor | int | None,
    per_task: int | None,
    share: tuple[int, int] | None,
    progress: bool | None,
) -> None:
    """Compute what is missing, keeping each part as it comes."""
    planned = parts.sweep
    n_points = len(range((share or (1, 1))[0] - 1, len(parts.keys), (share or (1, 1))[1]))
    size = replicates_per_task(planned, per_task, n_points, n_workers(executor))
    # Counted in replicates, of which a point may be done in several parts.
    left = sum(task.stop - task.first for task in parts.tasks(planned.n_replicates, share))
    with (
        warnings.catch_warnings(),
        progress_display(left, progress, "replicates") as advance,
    ):
        warnings.simplefilter("ignore", DivergenceWarning)
        warnings.simplefilter("ignore", NoiseFloorWarning)
        results = computed(
            run_task,
            job,
            parts.tasks(size, share),
            executor,
            lambda task: parts.store.begin(Name(task.key, task.first, task.stop)),
        )
        with contextlib.closing(results):
            for task, result in results:
                if isinstance(result, BaseException):
                    message = f"its worker was lost three times ({result})"
                    result = encoded(Part({}, {}, FAILED, message))
                failed = decoded(result).status == FAILED
                parts.add(Name(task.key, task.first, task.stop), result, failed=failed)
                advance(task.stop - task.first)


def replicates_per_task(planned: Sweep, asked: int | None, n_points: int, workers: int) -> int:
    """Return how many replicates of a point are computed together.

    Raises
    ------
    ValueError
        If fewer are asked for than what is kept can be split by.
    """
    if not planned.splits:
        if asked is not None and asked < planned.n_replicates:
            raise ValueError(
                "replicates_per_task needs a measure of single replicates to be kept, but "
                f"{planned.keep.name} is a function of the whole run; leave it out"
            )
        return planned.n_replicates
    if asked is not None:
        return asked
    groups = math.ceil(_TASKS_PER_WORKER * workers / max(1, n_points)) if workers > 1 else 1
    size = math.ceil(planned.n_replicates / groups)
    return min(planned.n_replicates, _LANES * math.ceil(size / _LANES))
