"""The circuits: validated parameters around the kernels of the same names."""

from adaptnet.circuits.base import Circuit, IntegratedDynamics
from adaptnet.circuits.direct import DirectCircuit
from adaptnet.circuits.interneuron import InterneuronCircuit

__all__ = ["Circuit", "DirectCircuit", "IntegratedDynamics", "InterneuronCircuit"]
