"""Statistical adaptation in linear recurrent circuits, direct or through interneurons."""

from importlib.metadata import version

from adaptnet import accessor as _accessor  # noqa: F401, registers Dataset.adaptnet
from adaptnet import theory
from adaptnet.circuits import (
    BatchEstimator,
    Circuit,
    DecoupledInterneuronCircuit,
    DirectCircuit,
    GainCircuit,
    GainPlasticCircuit,
    IntegratedDynamics,
    InterneuronCircuit,
    LeakyInterneuronCircuit,
    Rates,
    RuleCircuit,
    StaticCircuit,
    frames,
)
from adaptnet.errors import (
    DivergenceWarning,
    IntegrationError,
    NoiseFloorWarning,
    PartialWhiteningWarning,
    SweepWarning,
)
from adaptnet.files.storage import load, save
from adaptnet.metrics import whitening_errors
from adaptnet.plotting import plot_environment, plot_readaptation
from adaptnet.readaptation import measure_responses, readaptation_times
from adaptnet.report import report
from adaptnet.simulation.averaged import flow, offline
from adaptnet.simulation.extend import extend
from adaptnet.simulation.simulate import simulate
from adaptnet.simulation.states import respond
from adaptnet.sweeps import Simulation, design, sweep

__version__ = version("adaptnet")

__all__ = [
    "BatchEstimator",
    "Circuit",
    "DecoupledInterneuronCircuit",
    "DirectCircuit",
    "DivergenceWarning",
    "GainCircuit",
    "GainPlasticCircuit",
    "IntegratedDynamics",
    "IntegrationError",
    "InterneuronCircuit",
    "LeakyInterneuronCircuit",
    "NoiseFloorWarning",
    "PartialWhiteningWarning",
    "Rates",
    "RuleCircuit",
    "Simulation",
    "StaticCircuit",
    "SweepWarning",
    "design",
    "extend",
    "flow",
    "frames",
    "load",
    "measure_responses",
    "offline",
    "plot_environment",
    "plot_readaptation",
    "readaptation_times",
    "report",
    "respond",
    "save",
    "simulate",
    "sweep",
    "theory",
    "whitening_errors",
]
