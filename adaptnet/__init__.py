"""Statistical adaptation in linear recurrent circuits, direct or through interneurons.

What is public is loaded when it is first asked for: pictures, sweeps and reports take a job that
uses none of them no time.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    from adaptnet import theory
    from adaptnet.accessor import Adaptnet
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
    from adaptnet.reports import report
    from adaptnet.simulation.averaged import flow, offline
    from adaptnet.simulation.extend import extend
    from adaptnet.simulation.simulate import simulate
    from adaptnet.simulation.states import respond
    from adaptnet.sweeps import Simulation, design
    from adaptnet.sweeps.sweep import sweep

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

# What completion offers beside names; not estimators, which need another package.
_PACKAGES = ("circuits", "metrics", "plotting", "readaptation", "sweeps")
_HOMES = {
    "BatchEstimator": "circuits",
    "Circuit": "circuits",
    "DecoupledInterneuronCircuit": "circuits",
    "DirectCircuit": "circuits",
    "DivergenceWarning": "errors",
    "GainCircuit": "circuits",
    "GainPlasticCircuit": "circuits",
    "IntegratedDynamics": "circuits",
    "IntegrationError": "errors",
    "InterneuronCircuit": "circuits",
    "LeakyInterneuronCircuit": "circuits",
    "NoiseFloorWarning": "errors",
    "PartialWhiteningWarning": "errors",
    "Rates": "circuits",
    "RuleCircuit": "circuits",
    "Simulation": "sweeps",
    "StaticCircuit": "circuits",
    "SweepWarning": "errors",
    "design": "sweeps",
    "extend": "simulation.extend",
    "flow": "simulation.averaged",
    "frames": "circuits",
    "load": "files.storage",
    "measure_responses": "readaptation",
    "offline": "simulation.averaged",
    "plot_environment": "plotting",
    "plot_readaptation": "plotting",
    "readaptation_times": "readaptation",
    "report": "reports",
    "respond": "simulation.states",
    "save": "files.storage",
    "simulate": "simulation.simulate",
    "sweep": "sweeps.sweep",
    "whitening_errors": "metrics",
}


def __getattr__(name: str) -> Any:
    if name.startswith("_"):  # asked of any module by inspect and others; `__main__` would run
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOMES.get(name, name)}"
    try:
        module = importlib.import_module(home)
    except ModuleNotFoundError as error:
        if error.name != home:
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = globals()[name] = getattr(module, name) if name in _HOMES else module
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES, "__version__"])


def _methods(dataset: xr.Dataset) -> "Adaptnet":
    """Return the measures and plots of `dataset` as methods."""
    methods: Adaptnet = importlib.import_module(f"{__name__}.accessor").Adaptnet(dataset)
    return methods


xr.register_dataset_accessor("adaptnet")(_methods)  # type: ignore[no-untyped-call]
