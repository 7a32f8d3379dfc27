"""Interleaved timings on one core: medians and ranges, and the machine they were taken on."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]


def one_core() -> AbstractContextManager[None]:
    """Keep this process to one core; the context that is returned gives it all its cores."""
    if not hasattr(os, "sched_setaffinity"):
        return nullcontext()
    every = os.sched_getaffinity(0)
    one = {max(every)}
    os.sched_setaffinity(0, one)

    @contextmanager
    def all_cores() -> Iterator[None]:
        os.sched_setaffinity(0, every)
        try:
            yield
        finally:
            os.sched_setaffinity(0, one)

    return all_cores()


def interleaved(
    runs: Mapping[str, Callable[[], object]],
    repetitions: int,
    at_least: float = 0.02,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Seconds]:
    """Return seconds per call for each of `runs`, taken in turn, A B C A B C ...

    Quick functions are called as often as fills `at_least` seconds, and the mean is taken.
    """
    calls = {}
    for name, run in runs.items():
        for _ in range(2):  # the first call may compile
            start = clock()
            run()
            taken = clock() - start
            if taken > 1.0:
                break
        calls[name] = max(1, int(at_least / taken))
    seconds = {name: np.empty(repetitions) for name in runs}
    for repetition in range(repetitions):
        for name, run in runs.items():
            start = clock()
            for _ in range(calls[name]):
                run()
            seconds[name][repetition] = (clock() - start) / calls[name]
    return seconds


def machine() -> str:
    """Return the processor's name and the system's."""
    model = platform.processor() or platform.machine()
    try:
        with Path("/proc/cpuinfo").open() as file:
            model = next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        pass
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )
