"""What all measures share: the check of the dataset they are passed, and a table of their names."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import xarray as xr

from adaptnet.files.joined import as_run
from adaptnet.files.validation import validate
from adaptnet.readaptation.changes import require_all_changes
from adaptnet.readaptation.points import over_points, point_dims
from adaptnet.readaptation.selections import restored

F = TypeVar("F", bound=Callable[..., Any])

MEASURES: dict[str, Callable[..., xr.Dataset]] = {}
"""Every measure of a run, by the name that :func:`adaptnet.readaptation.measure` takes."""


def takes_run(function: F) -> F:
    """Let a function whose first argument is a run take selections of runs, and nothing else."""
    return _checking(function, _run)


def _run(dataset: xr.Dataset) -> xr.Dataset:
    """Return a selection of a run, or a join of runs, as a run; or refuse it."""
    run = validate(as_run(restored(dataset)), run=True)
    require_all_changes(run)
    return run


def takes_results(function: F) -> F:
    """Let a function whose first argument is a measure's results take selections of results."""
    return _checking(function, restored)


def at_each_point(function: F) -> F:
    """Let a function of results take those of a sweep: it is called for each of the points."""
    first = next(iter(inspect.signature(function).parameters))

    @wraps(function)
    def joined(*args: Any, **kwargs: Any) -> Any:
        results, rest = (args[0], args[1:]) if args else (kwargs.get(first), ())
        if not (isinstance(results, xr.Dataset) and point_dims(results)):
            return function(*args, **kwargs)
        kwargs.pop(first, None)
        return over_points(function, results, *rest, **kwargs)

    return cast(F, joined)


def measure(name: str) -> Callable[[F], F]:
    """Register a function of a run as the measure `name`, and check what it is passed."""

    def registered(function: F) -> F:
        MEASURES[name] = checked = takes_run(function)
        return checked

    return registered


def _checking(function: F, check: Callable[[xr.Dataset], xr.Dataset]) -> F:
    """Return `function` with its first argument checked, whether passed by position or by name."""
    first = next(iter(inspect.signature(function).parameters))

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if args:
            args = (check(args[0]), *args[1:])
        elif first in kwargs:
            kwargs[first] = check(kwargs[first])
        return function(*args, **kwargs)

    return cast(F, checked)
