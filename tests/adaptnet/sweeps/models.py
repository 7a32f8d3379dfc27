"""What the tests of sweeps sweep: importable, so that worker processes find it."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import xarray as xr

import adaptnet as an
from environments import SwitchingEnvironment


def step(learning_rate: float = 0.001, contrast: float = 4.0) -> an.Simulation:
    """Two neurons whose variance rises once."""
    environment = SwitchingEnvironment([np.eye(2), contrast * np.eye(2)], block_length=200)
    circuits = {
        "direct": an.DirectCircuit(learning_rate=learning_rate),
        "interneuron": an.InterneuronCircuit(n_interneurons=2, learning_rate=learning_rate),
    }
    return an.Simulation(circuits, environment, 400)


def number_of_blocks(block_length: int) -> an.Simulation:
    """Points that differ in their number of changes."""
    environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=block_length)
    return an.Simulation(an.DirectCircuit(learning_rate=0.001), environment, 400)


def marked(folder: str, number: int) -> an.Simulation:
    """Leaves a mark each time it is run, beside the one check before."""
    (Path(folder) / f"{number}-{time.monotonic_ns()}").touch()
    return step(learning_rate=0.0005 * (number + 1))


def lethal(folder: str, number: int) -> an.Simulation:
    """Kills its process, once, at one of the points."""
    mark = Path(folder) / "killed"
    if number == 1 and os.getpid() != int((Path(folder) / "parent").read_text()):
        try:
            mark.touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
        except FileExistsError:
            pass
    return step(learning_rate=0.0005 * (number + 1))


def always_lethal(folder: str, number: int) -> an.Simulation:
    """Kills its process at one of the points."""
    if number == 1 and os.getpid() != int((Path(folder) / "parent").read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(learning_rate=0.0005 * (number + 1))


def last_error(run: xr.Dataset) -> xr.Dataset:
    """Keep the last error of each circuit and replicate."""
    last = run["whitening_error"].isel(sample=-1, drop=True)
    return xr.Dataset({"error": last})


def mean_error(run: xr.Dataset) -> xr.DataArray:
    """Keep the mean over replicates: no measure of single ones."""
    return run["whitening_error"].mean(("replicate", "sample")).rename("mean_error")
