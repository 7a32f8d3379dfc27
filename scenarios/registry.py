"""Where scenarios are found: in the catalogue, in modules that were imported, in other packages."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from importlib.metadata import entry_points

from adaptnet._words import suggestion
from scenarios import catalogue
from scenarios.base import Scenario

ENTRY_POINTS = "adaptnet.scenarios"
"""Group of entry points under which another package names modules with scenarios in them."""


def names() -> list[str]:
    """Return the names of all scenarios: of the catalogue, and of what else was imported.

    Examples
    --------
    >>> import scenarios
    >>> "switching" in scenarios.names()
    True
    """
    return sorted(_known())


def find(name: str) -> type[Scenario]:
    """Return the scenario of that name.

    Raises
    ------
    ValueError
        If there is no such scenario (the nearest name is suggested), or there are two.

    Examples
    --------
    >>> import scenarios
    >>> scenarios.find("switching").title()
    'Covariance rotates at equal spectrum, then contrast falls tenfold and rises again.'
    """
    known = _known()
    if name not in known:
        raise ValueError(
            f"there is no scenario {name!r}; {suggestion(name, known)}; one of your own is known "
            "once its module is imported, as by adaptnet --import MODULE"
        )
    homes = {kind.__module__: kind for kind in known[name]}
    if len(homes) > 1:
        raise ValueError(
            f"there are {len(homes)} scenarios {name!r}, in {' and '.join(sorted(homes))}; "
            "rename one of the classes"
        )
    return known[name][-1]  # defined last, where a notebook's cell was run twice


@functools.cache
def load_scenarios() -> None:
    """Import the modules of the catalogue, and those that installed packages name."""
    for module in pkgutil.iter_modules(catalogue.__path__):
        importlib.import_module(f"{catalogue.__name__}.{module.name}")
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as error:  # another's package: its faults must not stop every command
            warnings.warn(
                f"the scenarios {entry.name!r} of {entry.value} cannot be imported: {error!r}",
                stacklevel=2,
            )


def _known() -> dict[str, list[type[Scenario]]]:
    """Return all concrete subclasses of Scenario by name, in the order of their definition."""
    load_scenarios()
    known: dict[str, list[type[Scenario]]] = {}
    for kind in _subclasses(Scenario):  # type: ignore[type-abstract]
        if not inspect.isabstract(kind):
            known.setdefault(kind.name(), []).append(kind)
    return known


def _subclasses(kind: type[Scenario]) -> Iterator[type[Scenario]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
