"""Worker threads, one for each core, and linear algebra that stays inside its thread."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from adaptnet.files import interrupts

_SECONDS = 0.5  # Windows notices no signal while a thread waits


def n_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    work: Callable[[], object], n_threads: int, stopped: interrupts.Flag | threading.Event
) -> None:
    """Call `work` in several threads, and return when the last of them has ended.

    An error in one of them, or an interrupt, sets `stopped`, which `work` looks at; it is raised
    once all have ended, so that nothing they use is closed under them.
    """
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
            stopped.set()

    threads = [threading.Thread(target=guarded) for _ in range(n_threads)]
    with interrupts.held(stopped.set):
        for number, thread in enumerate(threads):
            try:
                thread.start()
            except RuntimeError:  # the system gives no more of them
                if number == 0:
                    raise
                del threads[number:]
                break
        for thread in threads:
            while thread.is_alive():
                try:
                    thread.join(_SECONDS)
                except BaseException as error:  # raised into this thread by other means
                    errors.append(error)
                    stopped.set()
        interrupts.check()
    if errors:
        raise errors[0]


class _Limiter:
    """Counts who needs the limit, which is the process's: the last one that leaves lifts it."""

    def __init__(self) -> None:
        self.changing = threading.Lock()
        self.inside = 0
        self.limits: Any = None


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS to one thread: faster beside worker threads, and results free of its splitting.

    From about 90 neurons on the bits of a product depend on how threads share it. Everything that a
    result depends on is computed in here, in a ``with`` statement or a decorated function.
    """
    import threadpoolctl

    # Environments limit BLAS too. The count is kept where both find it: two counts that do not know
    # of each other would lift the limit too early, or never.
    limiter = vars(threadpoolctl).setdefault("one_blas_thread", _Limiter())
    with limiter.changing:
        if limiter.inside == 0:
            _take_control(threadpoolctl)
            limiter.limits = threadpoolctl.threadpool_limits(1, user_api="blas")
        limiter.inside += 1
    try:
        yield
    finally:
        with limiter.changing:
            limiter.inside -= 1
            if limiter.inside == 0:
                _take_control(threadpoolctl)
                limiter.limits.restore_original_limits()
                _take_control(threadpoolctl)  # and leave it to nobody


def _take_control(threadpoolctl: Any) -> None:
    """Let this thread be the next to set limits.

    From version 3.8 on, threadpoolctl lets only the thread that was first to limit OpenBLAS do so
    again as long as it lives, and ignores all others in silence.
    """
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(controller, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)
