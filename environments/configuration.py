"""Configurations: environments, schedules, paths, transitions and sources as plain JSON values."""

import difflib
import html
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np


class Configuration(ABC):
    """An immutable configuration, to and from the parameters that a run's file stores."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values, with its ``type``."""

    def __repr__(self) -> str:
        return _shown(self.parameters())

    def _repr_html_(self) -> str:
        """Return the parameters as a table, which notebooks show."""
        parameters = self.parameters()
        title = html.escape(parameters.pop("type"))
        rows = ((name, _shown(value)) for name, value in (self._facts() | parameters).items())
        cells = (f"<tr><th>{html.escape(n)}</th><td>{html.escape(t)}</td></tr>" for n, t in rows)
        return f"<b>{title}</b><table>{''.join(cells)}</table>"

    def _facts(self) -> dict[str, Any]:
        """Return what is shown beside the parameters."""
        return {}


def build(parameters: Any) -> Any:
    """Build what `parameters` describe, nested ones included; plain values are returned unchanged.

    Raises
    ------
    ValueError
        If ``type`` is not the name of a configuration, or an array is known by its checksum alone.

    Examples
    --------
    >>> from environments.schedules import Blocks
    >>> build({"type": "Blocks", "block_length": 10, "order": None})
    Blocks(block_length=10, order=None)
    """
    if isinstance(parameters, list) and parameters and isinstance(parameters[0], dict):
        return [build(item) for item in parameters]
    if not isinstance(parameters, dict):
        return parameters
    arguments = dict(parameters)
    name = arguments.pop("type", None)
    if name is None and "sha256" in arguments:
        raise ValueError(
            f"an array of shape {tuple(arguments.get('shape', ()))} was given from memory, and "
            "only its checksum is stored; build the environment again from the array itself"
        )
    kinds = {kind.__name__: kind for kind in concrete(Configuration)}
    if name not in kinds:
        near = difflib.get_close_matches(str(name), kinds, n=1)
        raise ValueError(
            f"type must be one of {', '.join(sorted(kinds))}, got {name!r}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return kinds[name](**{key: build(value) for key, value in arguments.items()})


def concrete(kind: Any) -> Iterator[Any]:
    """Yield the subclasses of a class, at any depth, that can be instantiated.

    A class that is defined again, as in a notebook, comes again, the newest last.
    """
    for sub in kind.__subclasses__():
        if not inspect.isabstract(sub):
            yield sub
        yield from concrete(sub)


def _shown(value: Any) -> str:
    """Return parameters as the call that builds them, matrices by their shape."""
    if isinstance(value, dict) and "type" in value:
        inside = (f"{key}={_shown(item)}" for key, item in value.items() if key != "type")
        return f"{value['type']}({', '.join(inside)})"
    if isinstance(value, list) and value and isinstance(value[0], list):
        return f"<array {np.shape(value)}>"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"[{', '.join(map(_shown, value))}]"
    return repr(value)
