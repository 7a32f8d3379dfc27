"""What a sweep costs per point besides its simulations, beside xyzpy and joblib.

``python -m benchmarks.sweeps`` runs 200 points of a few milliseconds each: alone in a loop, through
this package (kept on disk point by point), through Dask, and through peers that do the same work.
Then longer points on one and on two processes. Wall time, since processes are compared.
"""

import contextlib
import importlib
import io
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import click
import numpy as np
import xarray as xr

import adaptnet as an
from benchmarks.measure import interleaved
from environments import SwitchingEnvironment

N_POINTS = 200
N_LONG = 16
SHORT, LONG = 2_000, 1_200_000  # samples a context
RATES = np.geomspace(1e-4, 1e-3, N_POINTS)
LONG_RATES = np.geomspace(1e-5, 1e-4, N_LONG)


def rise(learning_rate: float, block_length: int = SHORT) -> an.Simulation:
    """Return a circuit that readapts to a rise of the variance."""
    contexts = [np.eye(10), 4 * np.eye(10)]
    environment = SwitchingEnvironment(contexts, block_length=block_length)
    circuit = an.DirectCircuit(learning_rate=learning_rate)
    return an.Simulation(circuit, environment, 2 * block_length, record_every=block_length // 20)


def last_error(run: xr.Dataset) -> xr.DataArray:
    """Return the error at the end."""
    return run["whitening_error"].isel(sample=-1, drop=True)


def point(learning_rate: float) -> float:
    """Return the error at the end, as a user's own function would."""
    simulation = rise(learning_rate)
    run = an.simulate(
        simulation.circuits,
        simulation.environment,
        simulation.n_samples,
        record_every=simulation.record_every,
        rng=0,
        n_threads=1,
        progress=False,
    )
    return float(last_error(run).squeeze())


def ours(executor: Executor | int | None = None, rates: Any = RATES, **fixed: int) -> None:
    """Sweep as users do: into a file, each point on disk as soon as it is done."""
    with tempfile.TemporaryDirectory() as folder:
        an.sweep(
            rise,
            {"learning_rate": rates},
            fixed=fixed,
            keep=last_error,
            path=Path(folder) / "sweep.nc",
            executor=executor,
            progress=False,
        )


def loop() -> None:
    """Run the simulations alone: what any sweep must do."""
    for rate in RATES:
        point(rate)


def xyzpy_in_memory() -> None:
    """Return a Dataset by xyzpy, which keeps nothing until the end."""
    runner = importlib.import_module("xyzpy").Runner(point, var_names=["error"])
    runner.run_combos({"learning_rate": RATES}, verbosity=0)


def xyzpy_on_disk() -> None:
    """Return a Dataset by a crop of xyzpy, which keeps each point on disk."""
    xyzpy = importlib.import_module("xyzpy")
    with tempfile.TemporaryDirectory() as folder:
        crop = xyzpy.Runner(point, var_names=["error"]).Crop(parent_dir=folder, name="rise")
        crop.sow_combos({"learning_rate": RATES}, verbosity=0)
        crop.grow_missing(verbosity=0)
        with contextlib.redirect_stderr(io.StringIO()):  # it draws a bar that cannot be left out
            crop.reap()


def joblib_on_disk() -> None:
    """Return a list by joblib, each point kept on disk by its memory."""
    joblib = importlib.import_module("joblib")
    with tempfile.TemporaryDirectory() as folder:
        kept = joblib.Memory(folder, verbose=0).cache(point)
        joblib.Parallel(n_jobs=1)(joblib.delayed(kept)(rate) for rate in RATES)


def per_point(rounds: int) -> str:
    """Return a table of milliseconds per point, in all and besides the simulations."""
    distributed = importlib.import_module("distributed")
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
            )
        )
        client = stack.enter_context(distributed.Client(cluster, set_as_default=False))
        runs: dict[str, Callable[[], None]] = {
            "loop": loop,
            "adaptnet": ours,
            "adaptnet, Dask": lambda: ours(client.get_executor()),
            "xyzpy, in memory": xyzpy_in_memory,
            "xyzpy, crop on disk": xyzpy_on_disk,
            "joblib, memory on disk": joblib_on_disk,
        }
        ours(client.get_executor(), RATES[:4])  # the worker loads the kernels
        taken = {name: np.array(s) for name, s in interleaved(runs, rounds).items()}
    lines = ["| | ms per point | besides the simulation |", "|---|---|---|"]
    for name, seconds in taken.items():
        each = seconds / N_POINTS * 1e3
        besides = each - taken["loop"] / N_POINTS * 1e3  # round by round
        lines.append(
            f"| {name} | {_spread(each)} | {'-' if name == 'loop' else _spread(besides)} |"
        )
    return "\n".join(lines)


def two_workers(rounds: int) -> str:
    """Return a table of the time of two processes by that of one, start of processes included."""
    runs: dict[str, Callable[[], None]] = {
        name: lambda executor=executor: ours(executor, LONG_RATES, block_length=LONG)
        for name, executor in (("in process", None), ("one", 1), ("two", 2))
    }
    taken = {name: np.array(s) for name, s in interleaved(runs, rounds).items()}
    lines = ["| workers | seconds | two workers / this |", "|---|---|---|"]
    for name, seconds in taken.items():
        lines.append(f"| {name} | {_spread(seconds)} | {_spread(taken['two'] / seconds)} |")
    return "\n".join(lines)


def _spread(values: Any) -> str:
    return f"{np.median(values):.2f} ({values.min():.2f} to {values.max():.2f})"


@click.command()
@click.option("--rounds", type=int, default=5, show_default=True)
def main(rounds: int) -> None:
    """Print both tables."""
    click.echo(per_point(rounds) + "\n")
    click.echo(two_workers(rounds))


if __name__ == "__main__":
    # By its own name, so that workers can import the functions.
    importlib.import_module("benchmarks.sweeps").main()
