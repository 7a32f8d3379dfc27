"""Named experiments: an environment, circuits and an analysis each, and the command line."""

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.base import Scenario

__all__ = ["find", "names"]


def names() -> list[str]:
    """Return the names of all scenarios: one per module of the catalogue.

    Examples
    --------
    >>> "switching" in names()
    True
    """
    from scenarios import catalogue

    modules = (module.name for module in pkgutil.iter_modules(catalogue.__path__))
    return sorted(name.replace("_", "-") for name in modules)


def find(name: str) -> "type[Scenario]":
    """Return the scenario that goes by `name`.

    Raises
    ------
    ValueError
        If there is none; the nearest name is suggested.

    Examples
    --------
    >>> find("switching").title()
    'Covariance rotates at equal spectrum, then contrast falls tenfold and rises again.'
    """
    from scenarios.base import Scenario, suggestion

    if name not in names():
        raise ValueError(f"there is no scenario {name!r}; {suggestion(name, names())}")
    module = importlib.import_module(f"scenarios.catalogue.{name.replace('-', '_')}")
    (scenario,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Scenario)
        and kind.__module__ == module.__name__
    )
    return scenario
