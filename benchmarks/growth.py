"""How cost grows: with neurons, interneurons, replicates, threads, and samples (memory)."""

import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.measure import interleaved
from benchmarks.peers import adaptnet
from benchmarks.work import covariance, work


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the slope of log time against log size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def in_neurons(circuit: str, repetitions: int) -> tuple[list[int], list[float]]:
    """Return sizes from 32 to 256 and median microseconds per sample."""
    sizes = [32, 64, 96, 128, 192, 256]
    return sizes, _medians({n: work(circuit, n, n_samples=1500) for n in sizes}, repetitions)


def in_interneurons(repetitions: int) -> tuple[list[int], list[float]]:
    """Return numbers of interneurons at 64 neurons, and median microseconds per sample."""
    sizes = [64, 128, 256, 512]
    works = {k: work("interneuron", 64, k=k, n_samples=1500) for k in sizes}
    return sizes, _medians(works, repetitions)


def _medians(works: dict, repetitions: int) -> list[float]:  # type: ignore[type-arg]
    runs = {str(size): adaptnet(one) for size, one in works.items()}
    seconds = interleaved(runs, repetitions)
    return [float(np.median(seconds[str(s)]) / len(w.inputs) * 1e6) for s, w in works.items()]


def in_replicates(runs: Sequence[tuple[int, int]], repetitions: int) -> list[float]:
    """Return median seconds of whole simulations of (replicates, threads) at 32 neurons."""
    import adaptnet as an
    from environments import StationaryEnvironment

    environment = StationaryEnvironment(covariance(32, np.random.default_rng(0)))

    def simulated(n_replicates: int, n_threads: int) -> None:
        an.simulate(
            {"direct": an.DirectCircuit(), "interneuron": an.InterneuronCircuit()},
            environment,
            40_000,
            n_replicates=n_replicates,
            rng=0,
            record_every=1_000,
            n_threads=n_threads,
        )

    works = {str(run): (lambda run=run: simulated(*run)) for run in runs}
    return [float(np.median(taken)) for taken in interleaved(works, repetitions).values()]


def peak_memory(n_samples: int) -> float:
    """Return the peak resident MiB of a process that simulates so many samples (Linux only)."""
    code = (
        "import numpy as np, adaptnet as an\n"
        "from environments import StationaryEnvironment\n"
        "circuits = {'direct': an.DirectCircuit(), 'interneuron': an.InterneuronCircuit()}\n"
        f"an.simulate(circuits, StationaryEnvironment(np.eye(10)), {n_samples}, rng=0, "
        f"record_every={n_samples // 100})\n"
        # Not getrusage's figure, in which a process begins with what its parent had in memory.
        "print(*(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    return float(done.stdout) / 1024
