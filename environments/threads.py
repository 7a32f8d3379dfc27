"""Linear algebra on one thread: the bits of its results depend on how threads split the work.

From about 90 inputs on BLAS uses as many threads as there are cores, and an environment that is
built on a machine with other cores would have other covariances, in the last bits, than the one
that a stored run was made with.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any


class _Limiter:
    """Counts who needs the limit, which is the process's: the last one that leaves lifts it."""

    def __init__(self) -> None:
        self.changing = threading.Lock()
        self.inside = 0
        self.limits: Any = None


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, in a ``with`` statement or as a decorator."""
    import threadpoolctl

    # Simulations limit BLAS too. The count is kept where both find it: two counts that do not know
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
