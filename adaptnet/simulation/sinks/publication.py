"""A finished run goes from its working folder into its file."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.files import interrupts, probe, seals, whole
from adaptnet.files.writing import chunks, writing
from adaptnet.simulation.plan import Layout
from adaptnet.simulation.sinks import rows
from adaptnet.simulation.sinks.base import placed
from adaptnet.simulation.sinks.folder import Folder

_BYTES = 2**20  # of rows in memory at a time
_RECORDS = 2**14  # whose samples are in memory at a time


def rehearse(folder: Folder, description: Mapping[str, Any]) -> None:
    """Write a file of a run's attributes and names alone: what cannot be written says so now.

    Raises
    ------
    OSError, TypeError, ValueError
        If the netCDF library cannot write them.
    """
    names = list(json.loads(description["circuits"]))
    dataset = xr.Dataset(coords={"circuit": ("circuit", names)}, attrs=dict(description))
    folder.part.unlink(missing_ok=True)
    with writing(folder.part, dataset):
        pass
    folder.part.unlink()


def publish(
    target: Path,
    folder: Folder,
    layout: Layout,
    dataset: xr.Dataset,
    synaptic_times: Callable[[Integers], Floats],
    *,
    overwrite: bool,
) -> None:
    """Put the run in `folder` into the file `target`, which appears when it is complete.

    Parameters
    ----------
    target : Path
    folder : Folder
    layout : Layout
    dataset : Dataset
        All but the records and their times.
    synaptic_times : callable
        From samples to the synaptic time of each circuit.
    overwrite : bool
        Whether a file that has appeared under the name meanwhile may be replaced.
    """
    n_records = layout.plan.n_records
    growing = {name: dataset.variables[name] for name in layout.names}
    growing |= {name: dataset.variables[name] for name in ("sample", "synaptic_time")}
    folder.part.unlink(missing_ok=True)
    with writing(folder.part, dataset, chunks(growing, n_records)) as variables:
        at_once = max(1, _BYTES // layout.row(0).itemsize)
        for replicate in range(layout.n_replicates):
            checkpoint = folder.checkpoint(folder.state(replicate))
            for first, block in rows.read(
                folder.rows(replicate),
                layout.row(replicate),
                n_records,
                at_once,
                checkpoint.rows_sha256,
            ):
                for name in block.dtype.names or ():
                    index, values = placed(layout, name, replicate, first, block)
                    variables[name][index] = values
        for first, samples in layout.plan.pieces(_RECORDS):
            interrupts.check()
            last = first + len(samples)
            variables["sample"][first:last] = samples
            variables["synaptic_time"][:, first:last] = synaptic_times(samples)
    seals.seal(folder.part)
    interrupts.check()
    whole.publish(folder.part, target, overwrite=overwrite)
    probe.trust(target)
