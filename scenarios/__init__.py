"""Named experiments: an environment, circuits and an analysis each, and the command line.

A scenario is a subclass of :class:`Scenario`. It may live anywhere: `scenarios/catalogue/` holds
those that come with the package, `docs/extending.md` shows one outside of it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios.base import Scenario, SimulationScenario
    from scenarios.parameters import parameter
    from scenarios.registry import find, names
    from scenarios.shared import Race, Rotated
    from scenarios.tables import Replicates, Table, TableScenario

__all__ = [
    "Race",
    "Replicates",
    "Rotated",
    "Scenario",
    "SimulationScenario",
    "Table",
    "TableScenario",
    "find",
    "names",
    "parameter",
]

_HOMES = {
    "Race": "shared",
    "Replicates": "tables",
    "Rotated": "shared",
    "Scenario": "base",
    "SimulationScenario": "base",
    "Table": "tables",
    "TableScenario": "tables",
    "find": "registry",
    "names": "registry",
    "parameter": "parameters",
}


def __getattr__(name: str) -> Any:
    """Load what is public when it is first asked for: `adaptnet --help` needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"scenarios.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
