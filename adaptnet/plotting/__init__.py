"""Pictures of runs and of their measures; each gives back its figure and axes."""

from adaptnet.plotting.animation import animate_ellipses
from adaptnet.plotting.curves import plot_aligned, plot_readaptation
from adaptnet.plotting.environments import plot_environment
from adaptnet.plotting.matrices import plot_matrices, plot_spectrum
from adaptnet.plotting.style import STYLES, circuit_colours, style
from adaptnet.plotting.times import plot_scaling, plot_survival, plot_transition_matrix

__all__ = [
    "STYLES",
    "animate_ellipses",
    "circuit_colours",
    "plot_aligned",
    "plot_environment",
    "plot_matrices",
    "plot_readaptation",
    "plot_scaling",
    "plot_spectrum",
    "plot_survival",
    "plot_transition_matrix",
    "style",
]
