"""The parameters that a run holds of its circuits."""

from typing import Any

import xarray as xr

from adaptnet._checks import json_object


def circuit_parameters(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return the parameters of each circuit of a run, by the circuit's name."""
    stored = json_object(dataset.attrs.get("circuits"), "circuits of the run")
    if not all(isinstance(parameters, dict) for parameters in stored.values()):
        raise ValueError(f"circuits of the run is damaged: it holds no parameters, {stored!r:.100}")
    return stored
