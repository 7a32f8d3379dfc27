"""What all pictures share: colours, sizes for paper and talk, new axes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

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
    "figure.dpi": 100,
}
STYLES: dict[str, Any] = {
    # A journal's column and a half, read at arm's length.
    "paper": {
        **_SHARED,
        "figure.figsize": (4.5, 2.9),
        "font.size": 8,
        "axes.titlesize": 8,
        "lines.linewidth": 1.2,
        "savefig.dpi": 200,
    },
    # A slide, read from the last row.
    "talk": {
        **_SHARED,
        "figure.figsize": (9.0, 5.4),
        "font.size": 16,
        "axes.titlesize": 16,
        "lines.linewidth": 2.5,
        "savefig.dpi": 120,
    },
}


@contextmanager
def style(name: str = "paper") -> Iterator[None]:
    """Draw and save pictures, inside a with block, for a paper or a talk.

    Parameters
    ----------
    name : str
        ``"paper"`` or ``"talk"``.

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
    ValueError: style must be one of paper, talk, got 'poster'
    """
    if name not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {name!r}")
    import matplotlib as mpl

    with mpl.rc_context(STYLES[name]):
        yield


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


def new_grid(rows: int = 1, columns: int = 1, **options: Any) -> "tuple[Figure, Any]":
    """Return a figure and its axes (row, column), as large as so many pictures need."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    width, height = mpl.rcParams["figure.figsize"]
    # Panels side by side share a page: each is narrower than a picture of its own.
    size = (
        width * (1 if columns == 1 else 0.55 * columns),
        height * (1 if rows == 1 else 0.7 * rows),
    )
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def axes_or_new(ax: "Axes | None") -> "tuple[Figure | SubFigure, Axes]":
    """Return the axes to draw on, new ones where none are given, and their figure."""
    if ax is not None:
        return ax.figure, ax
    figure, grid = new_grid()
    return figure, grid[0, 0]


def wrapped(transition: str) -> str:
    """Return a transition's name in two lines, for titles and labels."""
    return transition.replace(" -> ", "\n→ ").replace("_", " ")
