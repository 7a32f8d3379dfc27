"""Statistical adaptation in linear recurrent circuits, direct or through interneurons."""

from importlib.metadata import version

from adaptnet import theory
from adaptnet.circuits import Circuit, DirectCircuit, IntegratedDynamics, InterneuronCircuit
from adaptnet.errors import DivergenceWarning, IntegrationError, NoiseFloorWarning
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
    "IntegrationError",
    "InterneuronCircuit",
    "NoiseFloorWarning",
    "load",
    "plot_readaptation",
    "readaptation_times",
    "save",
    "simulate",
    "theory",
    "whitening_errors",
]
