"""The measures and plots of a dataset as its methods: ``dataset.adaptnet``."""

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import xarray as xr

from adaptnet import plotting, readaptation
from adaptnet.files.parameters import circuit_parameters


class Adaptnet:
    """The measures and plots of a run, or of a measure's results, as methods.

    Each is the function of the same name in `adaptnet.readaptation` or `adaptnet.plotting`, with
    the dataset as its first argument.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> inputs = np.random.default_rng(0).normal(size=(50, 2))
    >>> run = an.simulate(an.DirectCircuit(), inputs)
    >>> run.adaptnet.parameters()["direct"]["learning_rate"]
    0.001
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Return the parameters of each circuit, by name."""
        return circuit_parameters(self._dataset)


def functions_of_datasets() -> Iterator[Callable[..., Any]]:
    """Yield every public measure and plot whose first argument is a dataset."""
    for module in (readaptation, plotting):
        for name in module.__all__:
            function = getattr(module, name)
            if not inspect.isfunction(function):
                continue
            first = next(iter(inspect.signature(function).parameters.values()))
            if first.annotation in ("xr.Dataset", xr.Dataset):  # as it was written, or evaluated
                yield function


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` as a method that passes the dataset as the first argument."""

    @functools.wraps(function)
    def method(self: Adaptnet, *arguments: Any, **options: Any) -> Any:
        return function(self._dataset, *arguments, **options)

    signature = inspect.signature(function)
    first, *rest = signature.parameters.values()
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(parameters=[itself, *rest])  # type: ignore[attr-defined]
    method.__doc__ = _without_parameter(inspect.getdoc(function) or "", first.name)
    method.__qualname__ = f"{Adaptnet.__qualname__}.{function.__name__}"
    return method


def _without_parameter(text: str, name: str) -> str:
    r"""Return a numpydoc docstring without one of its parameters.

    Examples
    --------
    >>> _without_parameter("x : int\n    One.\n\n    More.\ny : int\n    Two.", "x")
    'y : int\n    Two.'
    """
    return re.sub(rf"^{name} : .*\n((?:[ ].*)?\n)*?(?=\S)", "", text, count=1, flags=re.MULTILINE)


for _function in functions_of_datasets():
    setattr(Adaptnet, _function.__name__, _method(_function))
