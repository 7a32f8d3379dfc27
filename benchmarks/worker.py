"""One side of a comparison: time what is asked for on standard input, line by line.

Run as a script, so that `adaptnet` and `benchmarks` are those of the folder on the path.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.pop(0)  # the folder of this file, whose neighbours are not those to be timed

AT_LEAST = 0.05  # seconds that quick functions are called for in a round


def function_of(case: str) -> Callable[[], object]:
    """Return what `case` names, prepared."""
    from benchmarks import ensemble, peers, scenario
    from benchmarks.work import work

    part, *of_work = case.split()
    if part == "scenario":
        path = Path(tempfile.mkdtemp()) / "run.nc"
        return lambda: scenario.ours(path)
    circuit, n = of_work[0], int(of_work[1])
    if part == "ensemble":
        return ensemble.ours(work(circuit, n, n_samples=160_000))
    return peers.adaptnet(work(circuit, n))


def seconds_per_call(function: Callable[[], object], calls: int) -> float:
    """Return processor seconds per call."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - start) / calls


def main() -> None:
    """Answer requests until there are no more."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    answers, sys.stdout = sys.stdout, sys.stderr
    function: Callable[[], object] = list
    calls = 1
    for line in sys.stdin:
        request, case = json.loads(line)
        if request == "prepare":
            function = function_of(case)
            function()  # compiles
            calls = max(1, int(AT_LEAST / max(seconds_per_call(function, 1), 1e-6)))
        taken = seconds_per_call(function, calls) if request == "time" else 0.0
        answers.write(json.dumps(taken) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
