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


def in_threads(work: Callable[[], object], n_threads: int, stopped: threading.Event) -> None:
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


_limiting = threading.Lock()
_limiters: list[Any] = []
_n_inside = 0


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS to one thread: faster beside worker threads, and results free of its splitting.

    The limit is the process's. It is set by the first that enters, in any thread, and lifted by the
    last that leaves.
    """
    from threadpoolctl import threadpool_limits

    global _n_inside
    with _limiting:
        if _n_inside == 0:
            _limiters.append(threadpool_limits(1, user_api="blas"))
        _n_inside += 1
    try:
        yield
    finally:
        with _limiting:
            _n_inside -= 1
            if _n_inside == 0:
                _limiters.pop().restore_original_limits()
