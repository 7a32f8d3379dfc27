"""Statistical adaptation in linear recurrent circuits, direct or through interneurons."""

from importlib.metadata import version

from adaptnet.circuits import Circuit, DirectCircuit, IntegratedDynamics, InterneuronCircuit
from adaptnet.environment_plots import plot_environment
from adaptnet.errors import DivergenceWarning
from adaptnet.metrics import whitening_errors
from adaptnet.plotting import plot_readaptation
from adaptnet.readaptation import readaptation_times
from adaptnet.simulation import simulate
from adaptnet.storage import load, save

__version__ = version("adaptnet")

__all__ = [
    "Circuit",
    "DirectCircuit",
    "DivergenceWarning",
    "IntegratedDynamics",
    "InterneuronCircuit",
    "load",
    "plot_environment",
    "plot_readaptation",
    "readaptation_times",
    "save",
    "simulate",
    "whitening_errors",
]
