"""The circuits: checked parameters around the kernels that compute them."""

from __future__ import annotations

import difflib
from typing import Any

from adaptnet.circuits import frames
from adaptnet.circuits.base import Circuit, concrete_subclasses
from adaptnet.circuits.baselines import BatchEstimator, StaticCircuit
from adaptnet.circuits.decoupled import DecoupledInterneuronCircuit
from adaptnet.circuits.direct import DirectCircuit
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.circuits.gain import GainCircuit
from adaptnet.circuits.gain_plastic import GainPlasticCircuit
from adaptnet.circuits.interneuron import InterneuronCircuit
from adaptnet.circuits.leaky import LeakyInterneuronCircuit
from adaptnet.circuits.plastic import PlasticCircuit
from adaptnet.circuits.rates import Rates
from adaptnet.circuits.rule import RuleCircuit

__all__ = [
    "BatchEstimator",
    "Circuit",
    "DecoupledInterneuronCircuit",
    "DirectCircuit",
    "GainCircuit",
    "GainPlasticCircuit",
    "IntegratedDynamics",
    "InterneuronCircuit",
    "LeakyInterneuronCircuit",
    "PlasticCircuit",
    "Rates",
    "RuleCircuit",
    "StaticCircuit",
    "frames",
    "from_parameters",
]


def __dir__() -> list[str]:
    return __all__


def from_parameters(parameters: dict[str, Any]) -> Circuit:
    """Return the circuit that gave these parameters, as a run's file stores them.

    Every concrete subclass of :class:`Circuit` that has been imported is known, whoever wrote it.

    Parameters
    ----------
    parameters : dict
        As :meth:`Circuit.parameters` returns it: ``type`` and the arguments.

    Raises
    ------
    TypeError, ValueError
        If ``type`` is not a known circuit, or an argument is unknown or wrong.

    Examples
    --------
    >>> from_parameters({"type": "DirectCircuit", "initial_weights": 2.0}).initial_weights
    2.0
    """
    if not isinstance(parameters, dict):
        raise TypeError(f"parameters of a circuit must be a dict, got {parameters!r:.100}")
    arguments = dict(parameters)
    name = arguments.pop("type", None)
    kinds = {kind.__name__: kind for kind in concrete_subclasses(Circuit)}
    if not isinstance(name, str) or name not in kinds:
        near = difflib.get_close_matches(str(name), kinds, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"type must be one of {', '.join(sorted(kinds))}, got {name!r:.100}{hint}")
    if not kinds[name].is_rebuilt:
        raise ValueError(
            f"the circuit is a rule of one's own, {arguments.get('rule')!r:.100}, which the run's "
            "file names but does not hold; simulate again with the rule itself"
        )
    if isinstance(arguments.get("dynamics"), dict):
        arguments["dynamics"] = IntegratedDynamics(**arguments["dynamics"])
    for argument, value in arguments.items():
        if isinstance(value, dict) and "per" in value:
            arguments[argument] = Rates(**value)
    circuit: Circuit = kinds[name](**arguments)
    return circuit
