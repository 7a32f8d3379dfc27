"""Results of sweeps as text, for the command line."""

from pathlib import Path

import numpy as np
import xarray as xr

from adaptnet.files.paths import working_folder
from adaptnet.plotting.parameters import value_text
from adaptnet.readaptation import summary
from adaptnet.readaptation.points import point_dims
from adaptnet.reports import samples_text
from adaptnet.sweeps import status
from scenarios.text import text_table

_MOST_ROWS = 24  # beyond, a picture says more


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> duration(0.0123), duration(75), duration(7300)
    ('12 ms', '75 s', '2.0 h')
    """
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    for size, unit, until in ((60, "min", 7200), (3600, "h", 172_800)):
        if seconds < until:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def progress_text(path: Path) -> str:
    """Return how far a sweep is, as a sentence."""
    found = status(path)
    text = (
        f"{found.done} of {found.n_points} points done, {found.running} running, "
        f"{found.missing} missing, {found.failed} failed"
    )
    if not found.missing or np.isnan(found.seconds_left):
        return text
    return f"{text}; about {duration(found.seconds_left)} left"


def is_unfinished_sweep(path: Path) -> bool:
    """Return whether the working folder beside `path` is that of a sweep."""
    return (working_folder(path) / "sweep").is_file()


def sweep_table(dataset: xr.Dataset) -> str:
    """Return the medians of a sweep's times as a table: a row per point, a column per circuit."""
    dims = point_dims(dataset)
    names = [name for name in dims if name != "point"] or _names_along_points(dataset)
    shape = tuple(dataset.sizes[dim] for dim in dims)
    n_points = int(np.prod(shape))
    title = str(dataset.attrs["title"])
    timed = "followed" in dataset and "outcome" in dataset
    if not timed or not (dataset["status"] != "failed").any():
        return f"{title}: {n_points} points"
    if n_points * dataset.sizes["change"] > _MOST_ROWS:
        return f"{title}: {n_points} points, too many to be printed; the picture shows them"
    medians = summary(dataset)["median"].transpose(*dims, "circuit", "change")
    circuits = [str(name) for name in dataset["circuit"].values]
    rows: list[tuple[str, ...]] = []
    for change in range(dataset.sizes["change"]):
        rows.append((_change_name(dataset, change),))
        for index in np.ndindex(*shape):
            at = dict(zip(dims, index, strict=True))
            point = dataset[names].isel(at) if names else dataset.isel(at)
            values = medians.isel(at).isel(change=change).values
            rows.append(
                (*(value_text(point[n].item()) for n in names), *map(_median, values.tolist()))
            )
    return text_table(f"{title}: median samples to readapt", (*names, *circuits), rows)


def _names_along_points(dataset: xr.Dataset) -> list[str]:
    return [
        str(name)
        for name, coordinate in dataset.coords.items()
        if coordinate.dims == ("point",)
        and name != "point"
        and coordinate.dtype.kind in "fiU"
        and name not in ("context", "transition", "direction")
    ]


def _change_name(dataset: xr.Dataset, change: int) -> str:
    names = dataset.coords.get("transition")
    if names is not None and names.dims == ("change",):
        return str(names.values[change])
    return f"change {change}"


def _median(value: float) -> str:
    if np.isnan(value):
        return "-"
    return samples_text(value) if np.isfinite(value) else "not reached"
