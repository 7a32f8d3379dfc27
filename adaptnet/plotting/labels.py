"""Labels of axes, and texts and legends that fit into their space."""

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet.plotting import _matplotlib as mpl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure


def thin() -> float:
    """Return the width of lines that only guide the eye."""
    return 0.7 * float(mpl.rcParams["lines.linewidth"])


def label_samples(axis: "Axis", ticks: int | None = 5, rate: float | None = None) -> None:
    """Label an axis of samples as 50k or 1M, at about `ticks` ticks; None leaves their places.

    With a sampling rate the labels are seconds, of the same axis.
    """
    if ticks is not None:
        steps = [1, 2, 2.5, 5, 10]
        axis.set_major_locator(
            mpl.MaxNLocator(ticks, steps=steps) if rate is None else _seconds(ticks, steps, rate)
        )
    if rate is None:
        axis.set_major_formatter(mpl.EngFormatter(sep=""))
    else:
        axis.set_major_formatter(mpl.FuncFormatter(lambda sample, _: f"{sample / rate:.4g}"))


def _seconds(ticks: int, steps: list[float], rate: float) -> Any:
    """Return what places about `ticks` ticks at round seconds of an axis of samples."""
    locator: Any = mpl.MaxNLocator(ticks, steps=steps)
    at_seconds = locator.tick_values
    locator.tick_values = lambda low, high: rate * at_seconds(low / rate, high / rate)
    return locator


def sampling_rate(dataset: xr.Dataset) -> float | None:
    """Return the samples per second of what a run or its times are of, if they are known."""
    rate = dataset.attrs.get("sampling_rate")
    return None if rate is None else float(rate)


def in_seconds(label: str, rate: float | None) -> str:
    """Return the label of an axis of samples, or of the same in seconds if there is a rate.

    Examples
    --------
    >>> in_seconds("samples since the change", None), in_seconds("samples since the change", 100)
    ('samples since the change', 'seconds since the change')
    """
    if rate is None:
        return label
    return "time (s)" if label == "samples processed" else label.replace("samples", "seconds", 1)


def label_decades(axis: "Axis") -> None:
    """Label a logarithmic axis as 0.1, 1, 10; with few decades also at 2 and 5 times these."""
    place_decades(axis)
    axis.set_major_formatter("{x:g}")


def place_decades(axis: "Axis") -> None:
    """Place the labels of a logarithmic axis at powers of ten, and between if these are few."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(mpl.LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_minor_formatter(mpl.NullFormatter())


def data_range(ax: "Axes") -> tuple[float, float]:
    """Return limits, with margins, of all that is drawn on a logarithmic axis and those it shares.

    Limits that were set once no longer grow by themselves, if a second panel needs more.
    """
    panels = ax.get_shared_y_axes().get_siblings(ax)
    low = min(panel.dataLim.minposy for panel in panels)
    high = max(panel.dataLim.y1 for panel in panels)
    high = min(high, 1e200)  # so that margins, names above and ticks stay within floats
    margin = (high / low) ** 0.05 if high > low else 1.5
    return low / margin, high * margin


def wrapped(transition: str) -> str:
    """Return a transition's name in two lines, for titles and labels."""
    return transition.replace(" -> ", "\n→ ").replace("_", " ")


def text_width(text: str, size: float) -> float:
    """Return the width of the widest line of a text, in points, at a font size in points."""
    family = tuple(mpl.rcParams["font.family"])
    return max(_line_width(line, size, family) for line in text.split("\n"))


@functools.lru_cache(maxsize=10_000)
def _line_width(line: str, size: float, family: tuple[str, ...]) -> float:
    if not line.strip():
        return 0.0
    font = mpl.FontProperties(family=list(family))
    return float(mpl.TextPath((0, 0), line, size=size, prop=font).get_extents().width)


def fitting_size(texts: Iterable[str], width: float, *, largest: float | None = None) -> float:
    """Return the font size, at least 0.6 of the largest, at which texts are within a width."""
    largest = float(mpl.rcParams["font.size"]) if largest is None else largest
    widest = max((text_width(text, largest) for text in texts), default=0.0)
    return largest * float(np.clip(width / widest if widest else 1.0, 0.6, 1.0))


def legend_above(figure: "Figure | SubFigure", handles: Sequence[Any], texts: list[str]) -> None:
    """Explain colours and lines above all panels of a new figure, in as many rows as it takes."""
    if not texts:
        return
    largest = float(mpl.rcParams["font.size"])
    width = 72 * figure.figure.get_figwidth() - 2 * largest  # without the paddings of both sides
    size = fitting_size(texts, width - _entry_width("", largest))
    columns = legend_columns(texts, width, size)
    figure.legend(handles, texts, loc="outside upper center", ncols=columns, fontsize=size)
    # What the panels of a figure would lose to more than two rows, the figure grows by.
    rows = -(-len(texts) // columns)
    figure.figure.set_figheight(figure.figure.get_figheight() + max(0, rows - 2) * 1.4 * size / 72)


def legend_columns(texts: list[str], width: float, size: float) -> int:
    """Return into how many columns a legend's entries go, within a width in points."""
    possible = range(len(texts), 1, -1)
    return next((n for n in possible if _legend_width(texts, n, size) <= width), 1)


def _legend_width(texts: list[str], n_columns: int, size: float) -> float:
    """Return how wide a legend is: matplotlib fills one column after the other."""
    columns = [column for column in np.array_split(np.array(texts), n_columns) if len(column)]
    spacing = float(mpl.rcParams["legend.columnspacing"]) * size * (len(columns) - 1)
    return spacing + sum(max(_entry_width(text, size) for text in column) for column in columns)


def _entry_width(text: str, size: float) -> float:
    handle = mpl.rcParams["legend.handlelength"] + mpl.rcParams["legend.handletextpad"]
    return float(handle) * size + text_width(text, size)


def legend_of_panels(figure: "Figure | SubFigure", ax: "Axes", *, is_new: bool) -> None:
    """Explain what `ax` holds: above all panels of a new figure, in `ax` if it is the user's."""
    handles, texts = ax.get_legend_handles_labels()
    if is_new:
        legend_above(figure, handles, [str(text) for text in texts])
    else:  # what another plot has drawn there as well, a threshold for example, is named once
        once = dict(zip(texts, handles, strict=True))
        ax.legend(list(once.values()), list(once), loc="best")


def title_panels(axes: Any, labels: Iterable[Any], columns: int) -> None:
    """Give each panel its transition as a title, in letters that keep titles apart."""
    figure = axes[0].figure.figure
    titles = [wrapped(str(label)) for label in labels]
    width = 72 * 0.85 * figure.get_figwidth() / columns
    size = fitting_size(titles, width, largest=float(mpl.rcParams["font.size"]))
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=size)


def label_panels(
    axes: Any, columns: int, ylabel: str, xlabel: str, rate: float | None = None
) -> None:
    """Label the outer axes of panels that share theirs; those of samples in seconds with a rate."""
    for i, ax in enumerate(axes):
        if i % columns == 0:
            ax.set_ylabel(ylabel)
        if i + columns >= len(axes):
            ax.set_xlabel(in_seconds(xlabel, rate))
            ax.tick_params(labelbottom=True)
        label_samples(ax.xaxis, 4, rate)
