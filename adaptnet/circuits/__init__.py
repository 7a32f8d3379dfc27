"""The circuits: validated parameters around the kernels of the same names."""

from adaptnet.circuits.base import Circuit, IntegratedDynamics
from adaptnet.circuits.batch import BatchEstimator
from adaptnet.circuits.direct import DirectCircuit
from adaptnet.circuits.interneuron import InterneuronCircuit
from adaptnet.circuits.static import StaticCircuit

__all__ = [
    "BatchEstimator",
    "Circuit",
    "DirectCircuit",
    "IntegratedDynamics",
    "InterneuronCircuit",
    "StaticCircuit",
]
