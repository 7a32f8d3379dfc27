"""What all pictures share: colours, sizes for paper and talk, new axes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
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
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.2,
    "figure.dpi": 100,
}
STYLES: dict[str, Any] = {
    # A journal's column, printed at that size; panels side by side fill its page.
    "paper": {
        **_SHARED,
        "figure.figsize": (3.3, 2.5),
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
    # Two panels take a column and a half, more the width of the page.
    size = width * {1: 1.0, 2: 1.5}.get(columns, 2.1), height * (1 if rows == 1 else 0.8 * rows)
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def panels_or_new(axes: Any, n: int, columns: int) -> "tuple[Figure | SubFigure, Any]":
    """Return n axes to draw on, new ones on a grid where none are given, and their figure."""
    if axes is not None:
        if len(axes) < n:
            raise ValueError(f"axes must hold one for each of {n} panels, got {len(axes)}")
        return axes[0].figure, axes
    figure, grid = new_grid(-(-n // columns), columns, sharex=True, sharey=True)
    for spare in grid.ravel()[n:]:
        spare.set_visible(False)
    return figure, grid.ravel()


def axes_or_new(ax: "Axes | None") -> "tuple[Figure | SubFigure, Axes]":
    """Return the axes to draw on, new ones where none are given, and their figure."""
    if ax is not None:
        return ax.figure, ax
    figure, grid = new_grid()
    return figure, grid[0, 0]


def thin() -> float:
    """Return the width of lines that only guide the eye."""
    import matplotlib as mpl

    return 0.7 * float(mpl.rcParams["lines.linewidth"])


def label_samples(axis: "Axis", ticks: int | None = 5) -> None:
    """Label an axis of samples as 50k or 1M, at about so many ticks; None leaves their places."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    if ticks is not None:
        axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(EngFormatter(sep=""))


def label_decades(axis: "Axis") -> None:
    """Label a logarithmic axis as 0.1, 1, 10, and 2 and 5 between where there are few decades."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def wrapped(transition: str) -> str:
    """Return a transition's name in two lines, for titles and labels."""
    return transition.replace(" -> ", "\n→ ").replace("_", " ")
