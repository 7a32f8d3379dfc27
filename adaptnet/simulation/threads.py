"""Replicates share the cores, so linear algebra inside them must not take more than one each."""

import os
from contextlib import AbstractContextManager


def n_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def single_threaded_blas() -> AbstractContextManager[object]:
    """Keep BLAS to one thread: faster beside worker threads, and results free of its splitting."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits
