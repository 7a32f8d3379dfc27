"""New figures and axes, or those that a user passes."""

import builtins
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptnet._words import suggestion
from adaptnet.plotting import _matplotlib as mpl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


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


def panels_or_new(axes: Any, n: int, columns: int = 3) -> "tuple[Figure | SubFigure, Any, int]":
    """Return the figure, n axes to draw on, and how many of them are side by side.

    New axes, at most `columns` in a row, are made if `axes` is None.
    """
    columns = min(columns, n)
    if axes is None:
        figure, grid = new_grid(-(-n // columns), columns, sharex=True, sharey=True)
        for spare in grid.ravel()[n:]:
            spare.set_visible(False)
        return figure, grid.ravel()[:n], columns
    flat = np.ravel(np.asarray(axes, dtype=object))
    if len(flat) < n:
        raise ValueError(f"axes must hold one for each of {n} panels, got {len(flat)}")
    place = flat[0].get_subplotspec()
    columns = place.get_gridspec().ncols if place else 1
    return flat[0].figure, flat[:n], columns


def axes_or_new(ax: "Axes | None") -> "tuple[Figure | SubFigure, Axes]":
    """Return the axes to draw on, new ones if `ax` is None, and their figure."""
    if ax is not None:
        return ax.figure, ax
    figure, grid = new_grid()
    return figure, grid[0, 0]


def chosen_circuits(names: list[str], circuit: str | None) -> list[str]:
    """Return the circuits to draw: the one asked for, or all."""
    if circuit is None:
        return names
    if circuit not in names:
        raise ValueError(
            f"circuit must be one of the run's, got {circuit!r}; {suggestion(circuit, names)}"
        )
    return [circuit]
