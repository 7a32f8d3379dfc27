"""Environments: inputs whose statistics stay, switch or drift, and the truth about them."""

from __future__ import annotations

from typing import Any

from environments.base import Environment
from environments.concatenate import Concatenate
from environments.configuration import build
from environments.data.truth import SamplingFloorWarning
from environments.drifting import DriftingEnvironment
from environments.images import NaturalImageEnvironment
from environments.noisy import NoisyEnvironment
from environments.recorded import RecordedEnvironment
from environments.samples import (
    ChunkedRealization,
    ColouredRealization,
    Realization,
    SequentialRealization,
    Sources,
)
from environments.stationary import StationaryEnvironment
from environments.switching import SwitchingEnvironment

__all__ = [
    "ChunkedRealization",
    "ColouredRealization",
    "Concatenate",
    "DriftingEnvironment",
    "Environment",
    "NaturalImageEnvironment",
    "NoisyEnvironment",
    "Realization",
    "RecordedEnvironment",
    "SamplingFloorWarning",
    "SequentialRealization",
    "Sources",
    "StationaryEnvironment",
    "SwitchingEnvironment",
    "from_parameters",
]


def __dir__() -> list[str]:
    return __all__


def from_parameters(parameters: dict[str, Any]) -> Environment:
    """Build an environment from its parameters, as a run's file stores them.

    Parameters
    ----------
    parameters : dict
        As :meth:`Environment.parameters` returns it: ``type`` and the arguments.

    Raises
    ------
    TypeError, ValueError
        If ``type`` is not the name of an environment, or an argument is missing or wrong.

    Examples
    --------
    >>> from_parameters({"type": "StationaryEnvironment", "covariance": [[1.0]]}).n_neurons
    1
    """
    environment = build(parameters)
    if not isinstance(environment, Environment):
        raise ValueError(f"parameters must be an environment's, got those of {environment!r}")
    return environment
