"""The circuits: validated parameters around the kernels of the same names."""

from typing import Any

from adaptnet.circuits.base import Circuit
from adaptnet.circuits.baselines import BatchEstimator, StaticCircuit
from adaptnet.circuits.direct import DirectCircuit
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.circuits.interneuron import InterneuronCircuit

__all__ = [
    "BatchEstimator",
    "Circuit",
    "DirectCircuit",
    "IntegratedDynamics",
    "InterneuronCircuit",
    "StaticCircuit",
    "from_parameters",
]


def from_parameters(parameters: dict[str, Any]) -> Circuit:
    """Return the circuit that gave these parameters, as a run's file stores them.

    Parameters
    ----------
    parameters : dict
        As :meth:`Circuit.parameters` returns it: ``type`` and the arguments.

    Raises
    ------
    TypeError, ValueError
        If ``type`` is no circuit of this package, or an argument is unknown or wrong.

    Examples
    --------
    >>> from_parameters({"type": "DirectCircuit", "initial_weights": 2.0}).initial_weights
    2.0
    """
    if not isinstance(parameters, dict):
        raise TypeError(f"parameters of a circuit must be a dict, got {parameters!r:.100}")
    arguments = dict(parameters)
    name = arguments.pop("type", None)
    kinds = {kind.__name__: kind for kind in Circuit.__subclasses__()}
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"type must be one of {', '.join(sorted(kinds))}, got {name!r:.100}")
    if isinstance(arguments.get("dynamics"), dict):
        arguments["dynamics"] = IntegratedDynamics(**arguments["dynamics"])
    return kinds[name](**arguments)
