"""The look of all pictures: sizes and fonts for a paper or a talk, a colour for each circuit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from adaptnet.plotting import _matplotlib as mpl

P = ParamSpec("P")
T = TypeVar("T")

# Okabe and Ito's palette, which colour-blind readers tell apart; the two circuits come first.
_NAMED_COLOURS = {
    "direct": "#D55E00",
    "interneuron": "#0072B2",
    "oracle": "#000000",
    "batch": "#009E73",
    "static": "#CC79A7",
    "responses": "#000000",
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
    unnamed = [name for name in names if name not in _NAMED_COLOURS]
    cycle = {n: _OTHER_COLOURS[i % len(_OTHER_COLOURS)] for i, n in enumerate(unnamed)}
    return {name: _NAMED_COLOURS.get(name) or cycle[name] for name in names}
