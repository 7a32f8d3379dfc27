"""Where tasks are computed: in this process, or by any executor of ``concurrent.futures``."""

import contextlib
import multiprocessing
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from concurrent.futures.process import ProcessPoolExecutor
from typing import Any, TypeAlias, TypeVar

from adaptnet._checks import whole_number
from adaptnet.errors import DivergenceWarning, NoiseFloorWarning
from adaptnet.files import interrupts

J = TypeVar("J")
T = TypeVar("T")
R = TypeVar("R")

Work: TypeAlias = Callable[[J, T], R]

_MOST_TRIES = 3  # of a task whose worker is lost: it may be what kills them
IN_FLIGHT = 3
"""Tasks per worker that are handed out at a time: no worker waits, and memory is bounded."""

_SECONDS = 0.5  # until an interrupt is noticed at the latest


def computed(
    work: "Work[J, T, R]",
    job: J,
    tasks: Iterable[T],
    executor: Executor | int | None,
    begin: Callable[[T], object] = lambda task: None,
) -> Generator[tuple[T, R | BaseException]]:
    """Yield each task with what ``work(job, task)`` returned, as they are done.

    A task whose worker was lost is done again, three times at most; then, and if an executor
    raises something of its own, the error comes in place of a result.

    Parameters
    ----------
    work : callable
        Importable by name where `executor` is another process.
    job : object
        What all tasks share.
    tasks : iterable
    executor : None, int or Executor
        None for this process, a number of processes of this machine, or any executor.
    begin : callable
        Called with each task before it is handed out.
    """
    if executor is None:
        for task in tasks:
            begin(task)
            yield task, work(job, task)
        return
    own = not isinstance(executor, Executor)
    pool = _Pool(executor)
    try:
        yield from _handed_out(pool, work, job, tasks, begin)
    except BaseException:
        pool.abandon()
        raise
    else:
        if own:
            pool.close()


def n_workers(executor: Any) -> int:
    """Return how many tasks an executor computes at a time, as far as it tells.

    Examples
    --------
    >>> n_workers(None), n_workers(4)
    (1, 4)
    """
    if executor is None:
        return 1
    if isinstance(executor, int):
        return int(executor)
    client = getattr(executor, "_client", None)  # of Dask
    if client is not None:
        return max(1, int(sum(client.ncores().values())))
    return int(getattr(executor, "_max_workers", None) or 1)


def checked_executor(executor: Any) -> Executor | int | None:
    """Return an executor, or a number of processes.

    Raises
    ------
    TypeError, ValueError
        If it is neither.
    """
    if executor is None or (hasattr(executor, "submit") and hasattr(executor, "shutdown")):
        return executor  # type: ignore[no-any-return]
    if hasattr(executor, "get_executor"):
        raise TypeError(
            "executor must be an executor of concurrent.futures or a number of processes, got a "
            "Dask client; pass client.get_executor()"
        )
    try:
        return whole_number("executor", executor)
    except TypeError:
        raise TypeError(
            "executor must be an executor of concurrent.futures, a number of processes or None, "
            f"got {executor!r:.100}"
        ) from None


def require_portable(**parts: Any) -> None:
    """Raise unless everything can be sent to another process.

    Raises
    ------
    TypeError
        With the name of what cannot.
    """
    for name, part in parts.items():
        try:
            pickle.dumps(part)
        except Exception as error:
            raise TypeError(
                f"{name} cannot be sent to another process ({error}); define it at the top level "
                "of a module that can be imported, or leave executor out"
            ) from error
        home = getattr(getattr(part, "func", part), "__module__", None)
        if home == "__main__" and getattr(sys.modules[home], "__file__", None) is None:
            raise TypeError(
                f"{name} is defined in an interactive session, which another process cannot "
                "import; write it into a module and import it from there"
            )


class _Pool:
    """An executor that is replaced, if it is this module's own, when its workers die."""

    def __init__(self, executor: Executor | int) -> None:
        self._n = executor if isinstance(executor, int) else 0
        self.executor = self._made() if isinstance(executor, int) else executor
        self._has_worked = False
        self.capacity = IN_FLIGHT * max(1, n_workers(executor))

    def _made(self) -> Executor:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        return ProcessPoolExecutor(self._n, mp_context=context, initializer=_quiet)

    def mend(self) -> None:
        """Replace a broken pool of this module's."""
        if self._n:
            self.executor.shutdown(wait=False, cancel_futures=True)
            self.executor = self._made()
            if not self._has_worked:
                self._require_work()

    def _require_work(self) -> None:
        """Raise if workers die of themselves, and not of a task."""
        try:
            self.executor.submit(int).result()
        except BrokenExecutor as error:
            raise RuntimeError(
                "the worker processes end as soon as they start; a script that starts any must do "
                'so under `if __name__ == "__main__":`, since they import it'
            ) from error
        self._has_worked = True

    @property
    def is_mended(self) -> bool:
        """Whether a broken pool can be replaced."""
        return bool(self._n)

    def abandon(self) -> None:
        """Stop computing, as soon as may be, after an error or an interrupt."""
        processes = list((getattr(self.executor, "_processes", None) or {}).values())
        if self._n:
            self.executor.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                with contextlib.suppress(OSError, ValueError):
                    process.terminate()
            for process in processes:
                process.join(5)

    def close(self) -> None:
        """End the processes of this module's pool."""
        if self._n:
            self.executor.shutdown()


def _quiet() -> None:
    """Prepare a worker process: its parent alone answers Ctrl+C, and warns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", DivergenceWarning)
    warnings.simplefilter("ignore", NoiseFloorWarning)


def _handed_out(
    pool: _Pool,
    work: "Work[J, T, R]",
    job: J,
    tasks: Iterable[T],
    begin: Callable[[T], object],
) -> Iterator[tuple[T, R | BaseException]]:
    waiting = iter(tasks)
    again: list[tuple[T, int]] = []
    flying: dict[Future[R], tuple[T, int]] = {}
    try:
        while True:
            lost = _fill(pool, work, job, waiting, again, flying, begin)
            if not flying and not again and not lost:
                return
            done, _ = wait(list(flying), _SECONDS, FIRST_COMPLETED)
            interrupts.check()
            for future in done:
                task, tries = flying.pop(future)
                error = _error(future)
                if error is None:
                    yield task, future.result()
                elif isinstance(error, BrokenExecutor):
                    if not pool.is_mended:
                        raise error
                    lost = True
                    again.append((task, tries))
                elif tries + 1 < _MOST_TRIES:
                    again.append((task, tries + 1))
                else:
                    yield task, error
            if lost:
                yield from _mended(pool, work, job, again, flying)
    finally:
        for future in flying:
            future.cancel()


def _fill(
    pool: _Pool,
    work: "Work[J, T, R]",
    job: J,
    waiting: Iterator[T],
    again: list[tuple[T, int]],
    flying: "dict[Future[R], tuple[T, int]]",
    begin: Callable[[T], object],
) -> bool:
    """Hand out tasks until enough are; return whether the pool turned out to be broken."""
    while len(flying) < pool.capacity:
        if again:
            task, tries = again.pop()
        else:
            try:
                task, tries = next(waiting), 0
            except StopIteration:
                return False
            begin(task)
        try:
            flying[pool.executor.submit(work, job, task)] = task, tries
        except BrokenExecutor:
            again.append((task, tries))
            if not pool.is_mended:
                raise
            return True
    return False


def _error(future: "Future[Any]") -> BaseException | None:
    try:
        return future.exception()
    except BaseException as error:  # cancelled, by a scheduler that went away for one
        return error


def _mended(
    pool: _Pool,
    work: "Work[J, T, R]",
    job: J,
    again: list[tuple[T, int]],
    flying: "dict[Future[R], tuple[T, int]]",
) -> Iterator[tuple[T, R | BaseException]]:
    """Start a new pool; what was in flight is computed one by one, to find what kills workers."""
    for future, (task, tries) in list(flying.items()):
        if future.done() and _error(future) is None:
            yield task, future.result()
        else:
            again.append((task, tries))
    flying.clear()
    suspects, again[:] = list(again), []
    pool.mend()
    for task, tries in suspects:
        for attempt in range(tries, _MOST_TRIES):
            try:
                result = pool.executor.submit(work, job, task).result()
            except BrokenExecutor as error:
                pool.mend()
                if attempt + 1 == _MOST_TRIES:
                    yield task, error
            else:
                yield task, result
                break
