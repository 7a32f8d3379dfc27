"""Where inputs come from: samples whose statistics stay, switch or drift, and the truth of them."""

from typing import Any

from environments.base import Environment, Realization
from environments.images import NaturalImageEnvironment
from environments.stationary import StationaryEnvironment
from environments.switching import SwitchingEnvironment

__all__ = [
    "Environment",
    "NaturalImageEnvironment",
    "Realization",
    "StationaryEnvironment",
    "SwitchingEnvironment",
    "from_parameters",
]


def from_parameters(parameters: dict[str, Any]) -> Environment:
    """Return the environment that gave these parameters, as a run's file stores them.

    Parameters
    ----------
    parameters : dict
        As :meth:`Environment.parameters` returns it: ``type`` and the arguments.

    Raises
    ------
    TypeError, ValueError
        If ``type`` is no environment of this package, or an argument is missing or wrong.

    Examples
    --------
    >>> from_parameters({"type": "StationaryEnvironment", "covariance": [[1.0]]})
    StationaryEnvironment(covariance=<array (1, 1)>)
    """
    if not isinstance(parameters, dict):
        raise TypeError(f"parameters of an environment must be a dict, got {parameters!r:.100}")
    arguments = dict(parameters)
    name = arguments.pop("type", None)
    kinds = {kind.__name__: kind for kind in Environment.__subclasses__()}
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"type must be one of {', '.join(sorted(kinds))}, got {name!r:.100}")
    return kinds[name](**arguments)
