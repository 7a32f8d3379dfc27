"""Pictures of runs and of their measures; each returns its figure and axes.

``PLOTS`` names those of a run or of its readaptation times, as the command line does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from adaptnet.plotting.animation import animate_ellipses
from adaptnet.plotting.curves import plot_aligned, plot_readaptation
from adaptnet.plotting.environments import plot_environment
from adaptnet.plotting.matrices import plot_matrices, plot_spectrum
from adaptnet.plotting.style import STYLES, circuit_colours, style
from adaptnet.plotting.sweeps import plot_sweep
from adaptnet.plotting.times import plot_scaling, plot_survival, plot_transition_matrix


class Plot(NamedTuple):
    """A picture that results can be drawn as."""

    draw: Callable[..., Any]
    takes: str
    """What it draws: ``"run"``, or ``"times"`` as `readaptation_times` returns them."""


PLOTS = {
    "readaptation": Plot(plot_readaptation, "run"),
    "aligned": Plot(plot_aligned, "run"),
    "survival": Plot(plot_survival, "times"),
    "transitions": Plot(plot_transition_matrix, "times"),
    "scaling": Plot(plot_scaling, "times"),
    "matrices": Plot(plot_matrices, "run"),
    "spectrum": Plot(plot_spectrum, "run"),
    "ellipses": Plot(animate_ellipses, "run"),
}

__all__ = [
    "PLOTS",
    "STYLES",
    "Plot",
    "animate_ellipses",
    "circuit_colours",
    "plot_aligned",
    "plot_environment",
    "plot_matrices",
    "plot_readaptation",
    "plot_scaling",
    "plot_spectrum",
    "plot_survival",
    "plot_sweep",
    "plot_transition_matrix",
    "style",
]


def __dir__() -> list[str]:
    return __all__
