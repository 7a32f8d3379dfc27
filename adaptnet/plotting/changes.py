"""Changes of context along an axis of samples: lines, shades, and the names of contexts."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from adaptnet._checks import Integers
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.labels import data_range, text_width, thin
from adaptnet.readaptation.segments import segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAME = "name of a context"
_SHADE = "0.92"  # of transitions: light enough for a band of quartiles to be seen on it
# Width and height of axes by those of their figure, before it is laid out: a little too small.
_WIDTH, _HEIGHT = 0.75, 0.6


def without_next_context(dataset: xr.Dataset) -> xr.Dataset:
    """Return a run without its last record if that sees a context that is never entered."""
    _, stops = segments(dataset)
    if stops.size and stops.max() == dataset["sample"].values[-1]:
        return dataset.isel(sample=slice(-1))
    return dataset


def mark_changes(ax: "Axes", dataset: xr.Dataset, replicate: int | None = None) -> None:
    """Mark changes by lines, and shade those that take time; names stand above the curves.

    With `replicate` None only changes that all replicates share are marked.
    """
    if replicate is None and "replicate" in dataset["change_sample"].dims:
        return
    starts, ends = (_of_replicate(dataset, n, replicate) for n in ("change_sample", "change_end"))
    known = starts >= 0  # another replicate may have more changes
    # One line with gaps, since lines of their own took 1.9 ms each where there were a thousand.
    marks = np.repeat(starts[known].astype(float), 3)
    marks[2::3] = np.nan
    heights = np.tile([0.0, 1.0, np.nan], len(marks) // 3)
    ax.plot(
        marks,
        heights,
        color="0.6",
        linestyle=":",
        marker="",
        linewidth=thin(),
        zorder=0,
        transform=ax.get_xaxis_transform(),
    )
    for start, end in zip(starts[known], ends[known], strict=True):
        if end > start:
            end = min(end, dataset.attrs["n_samples"])
            ax.axvspan(start, end, facecolor=_SHADE, edgecolor="none", zorder=-1)


def name_contexts(ax: "Axes", dataset: xr.Dataset, replicate: int | None = None) -> None:
    """Write the names of contexts above the curves, if there is room for most of them.

    Comes last: the axis, which must be logarithmic, is extended by a strip that holds the names.
    """
    if replicate is None and "replicate" in dataset["change_sample"].dims:
        return
    starts, entered, left = (
        _of_replicate(dataset, name, replicate)
        for name in ("change_sample", "context_entered", "context_left")
    )
    meanings = [
        name.replace("_", " ") for name in dataset["context"].attrs["flag_meanings"].split()
    ]
    if len(meanings) < 2 or not (starts >= 0).any():
        return
    entered, left, starts = (values[starts >= 0] for values in (entered, left, starts))
    contexts = [int(left[0]), *entered.tolist()]
    first, last = ax.get_xlim()
    edges = np.clip([first, *starts, last], first, last)
    lengths = np.diff(edges)
    figure = ax.figure.figure
    points = 72 * _WIDTH * figure.get_figwidth() * ax.get_position().width / 0.775
    room = points * lengths / (last - first)
    # Segments much shorter than others go without a name; if others have no room, all do.
    long = lengths >= 0.5 * lengths.mean()
    for share in (0.9, 0.7):
        size = share * float(mpl.rcParams["font.size"])
        names = [
            _broken(meanings[context], width - 0.5 * size, size)
            for context, width in zip(contexts, room, strict=True)
        ]
        fits = np.array([name is not None for name in names])
        if fits[long].all():
            break
    else:
        return
    middles = (edges[:-1] + edges[1:]) / 2
    lines = max(name.count("\n") for name in names if name is not None) + 1
    strip = (1.3 * lines + 0.3) * size
    height = 72 * _HEIGHT * figure.get_figheight() * ax.get_position().height / 0.77
    low, _ = ax.get_ylim()
    _, high = data_range(ax)
    decades = np.log10(high / low) / max(0.3, 1 - strip / height)
    ax.set_ylim(top=10 ** min(np.log10(low) + decades, 250.0))
    for text in [text for text in ax.texts if text.get_gid() == _NAME]:
        text.remove()  # those of another run on the same axes
    for middle, name in zip(middles, names, strict=True):
        if name is None:
            continue
        ax.text(
            middle,
            0.99,
            name,
            gid=_NAME,
            transform=ax.get_xaxis_transform(),
            size=size,
            color="0.35",
            ha="center",
            va="top",
            linespacing=1.1,
        )


def _broken(name: str, width: float, size: float) -> str | None:
    """Return a name that is within a width, in several lines if it must be, or None."""
    return next((n for n in (name, name.replace(" ", "\n")) if text_width(n, size) <= width), None)


def _of_replicate(dataset: xr.Dataset, name: str, replicate: int | None) -> Integers:
    values = dataset[name]
    if "replicate" in values.dims:
        values = values.isel(replicate=replicate or 0)
    return np.asarray(values.values, dtype=np.int64)
