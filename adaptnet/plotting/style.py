"""What all pictures share: the look of a paper or a talk, colours, new axes, labels."""

import builtins
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from adaptnet._words import suggestion
from adaptnet.plotting import _matplotlib as mpl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure

P = ParamSpec("P")
T = TypeVar("T")

# Okabe and Ito's palette, which colour-blind readers tell apart; the two circuits come first.
_NAMED_COLOURS = {
    "direct": "#D55E00",
    "interneuron": "#0072B2",
    "oracle": "#000000",
    "batch": "#009E73",
    "static": "#CC79A7",
}
_OTHER_COLOURS = ("#E69F00", "#56B4E9", "#8C6D31", "#777777")

_SHARED: dict[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.2,
}
STYLES: dict[str, Any] = {
    # A journal's column, printed at that size; panels side by side fill its page.
    "paper": {
        **_SHARED,
        "figure.figsize": (3.3, 2.5),
        "figure.dpi": 200,  # in a notebook a column is then as wide as half of the page
        "font.size": 8,
        "axes.titlesize": 8,
        "lines.linewidth": 1.2,
        "lines.markersize": 4.5,
        "savefig.dpi": 300,
    },
    # A slide, read from the last row.
    "talk": {
        **_SHARED,
        "figure.figsize": (7.5, 5.2),
        "figure.dpi": 100,
        "font.size": 16,
        "axes.titlesize": 16,
        "axes.linewidth": 1.5,
        "lines.linewidth": 2.5,
        "lines.markersize": 10,
        "figure.constrained_layout.h_pad": 0.12,
        "figure.constrained_layout.w_pad": 0.12,
        "savefig.dpi": 120,
    },
}

_is_chosen: ContextVar[bool] = ContextVar("whether a style is in force", default=False)


@contextmanager
def style(name: str | None = "paper") -> Iterator[None]:
    """Draw and save pictures, inside a with block, for a paper or a talk.

    Outside of any such block new figures are drawn for a paper; axes that are passed to a plot keep
    the settings of matplotlib that are in force.

    Parameters
    ----------
    name : str or None
        ``"paper"``, ``"talk"``, or None for matplotlib's own settings, the user's included.

    Raises
    ------
    ValueError
        If there is no such style.

    Examples
    --------
    >>> with style("poster"):
    ...     pass
    Traceback (most recent call last):
    ...
    ValueError: style must be None or one of paper, talk, got 'poster'
    """
    if name is not None and name not in STYLES:
        raise ValueError(f"style must be None or one of {', '.join(STYLES)}, got {name!r}")
    token = _is_chosen.set(True)
    try:
        with mpl.rc_context({} if name is None else STYLES[name]):
            yield
    finally:
        _is_chosen.reset(token)


def in_style(draw: Callable[P, T]) -> Callable[P, T]:
    """Return a function that draws new figures for a paper, unless a style is chosen already."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> T:
        is_users = options.get("ax") is not None or options.get("axes") is not None
        if _is_chosen.get() or is_users:
            return draw(*args, **options)
        with style("paper"):
            return draw(*args, **options)

    return drawn


def circuit_colours(names: list[str]) -> dict[str, str]:
    """Return a colour for each circuit, the same in every picture.

    Examples
    --------
    >>> circuit_colours(["direct", "mine"])
    {'direct': '#D55E00', 'mine': '#E69F00'}
    """
    others = [name for name in names if name not in _NAMED_COLOURS]
    cycle = {n: _OTHER_COLOURS[i % len(_OTHER_COLOURS)] for i, n in enumerate(others)}
    return {name: _NAMED_COLOURS.get(name) or cycle[name] for name in names}


def new_figure(width: float = 1.0, height: float = 1.0) -> "Figure":
    """Return a figure whose sides are multiples of the style's.

    In notebooks, and in programs that use pyplot, pyplot knows the figure: it is shown below its
    cell, or by ``plt.show()``. Other programs need not close it.
    """
    base_width, base_height = mpl.rcParams["figure.figsize"]
    options: dict[str, Any] = {
        "figsize": (width * base_width, height * base_height),
        "layout": "constrained",
    }
    if _uses_pyplot():
        return mpl.pyplot.figure(**options)
    return mpl.Figure(**options)


def close(figure: "Figure | SubFigure") -> None:
    """Let go of a figure that is saved and not to be shown."""
    if _uses_pyplot():
        mpl.pyplot.close(figure.figure)


def _uses_pyplot() -> bool:
    return "matplotlib.pyplot" in sys.modules or hasattr(builtins, "__IPYTHON__")


def new_grid(rows: int = 1, columns: int = 1, **options: Any) -> "tuple[Figure, Any]":
    """Return a figure and its axes (row, column), as large as that many panels need."""
    # Two panels take a column and a half, more take the width of the page.
    figure = new_figure({1: 1.0, 2: 1.5}.get(columns, 2.1), 1.0 if rows == 1 else 0.8 * rows)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def panels_or_new(axes: Any, n: int, columns: int) -> "tuple[Figure | SubFigure, Any]":
    """Return n axes to draw on, new ones on a grid if `axes` is None, and their figure."""
    if axes is not None:
        flat = np.ravel(np.asarray(axes, dtype=object))
        if len(flat) < n:
            raise ValueError(f"axes must hold one for each of {n} panels, got {len(flat)}")
        return flat[0].figure, flat[:n]
    figure, grid = new_grid(-(-n // columns), columns, sharex=True, sharey=True)
    for spare in grid.ravel()[n:]:
        spare.set_visible(False)
    return figure, grid.ravel()[:n]


def axes_or_new(ax: "Axes | None") -> "tuple[Figure | SubFigure, Axes]":
    """Return the axes to draw on, new ones if `ax` is None, and their figure."""
    if ax is not None:
        return ax.figure, ax
    figure, grid = new_grid()
    return figure, grid[0, 0]


def thin() -> float:
    """Return the width of lines that only guide the eye."""
    return 0.7 * float(mpl.rcParams["lines.linewidth"])


def label_samples(axis: "Axis", ticks: int | None = 5) -> None:
    """Label an axis of samples as 50k or 1M, at about `ticks` ticks; None leaves their places."""
    if ticks is not None:
        axis.set_major_locator(mpl.MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(mpl.EngFormatter(sep=""))


def label_decades(axis: "Axis") -> None:
    """Label a logarithmic axis as 0.1, 1, 10; with few decades also at 2 and 5 times these."""
    place_decades(axis)
    axis.set_major_formatter("{x:g}")


def place_decades(axis: "Axis") -> None:
    """Place the labels of a logarithmic axis at powers of ten, and between if these are few."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(mpl.LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_minor_formatter(mpl.NullFormatter())


def wrapped(transition: str) -> str:
    """Return a transition's name in two lines, for titles and labels."""
    return transition.replace(" -> ", "\n→ ").replace("_", " ")


def chosen_circuits(names: list[str], circuit: str | None) -> list[str]:
    """Return the circuits to draw: the one asked for, or all."""
    if circuit is None:
        return names
    if circuit not in names:
        raise ValueError(f"there is no circuit {circuit!r}; {suggestion(circuit, names)}")
    return [circuit]
