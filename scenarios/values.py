"""The values of a swept parameter, as text on the command line and in TOML files."""

import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scenarios.base import Scenario
from scenarios.parameters import parsed

_SPACINGS: dict[str, Callable[..., Any]] = {"geom": np.geomspace, "lin": np.linspace}
_EXPECTED = "NAME=VALUE,VALUE,... or NAME=geom:FIRST:LAST:NUMBER or NAME=lin:FIRST:LAST:NUMBER"


def swept_values(scenario: type[Scenario], texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values to sweep over from the texts of options ``--over``.

    Values of a parameter that is itself a list are separated by semicolons.

    Raises
    ------
    TypeError, ValueError
        If a text cannot be read, or a parameter comes twice.

    Examples
    --------
    >>> import scenarios
    >>> switching = scenarios.find("switching")
    >>> swept_values(switching, ["learning_rate=1e-5,1e-4", "condition=geom:1:100:3"])
    {'learning_rate': [1e-05, 0.0001], 'condition': [1.0, 10.0, 100.0]}
    >>> swept_values(switching, ["n_neurons=lin:2:10:3", "circuits=direct;direct,gain"])
    {'n_neurons': [2, 6, 10], 'circuits': [('direct',), ('direct', 'gain')]}
    """
    over: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not (equals and name and values):
            raise ValueError(f"--over must be given as {_EXPECTED}, got {text!r}")
        if name in over:
            raise ValueError(f"--over names {name} twice; give all its values at once")
        over[name] = _values(name, values, kind_of(scenario, name))
    return over


def swept_table(scenario: type[Scenario], table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the values to sweep over from a TOML table: lists, or texts as for ``--over``.

    Raises
    ------
    TypeError, ValueError
        If a text cannot be read.
    """
    return {
        name: _values(name, value, kind_of(scenario, name)) if isinstance(value, str) else value
        for name, value in table.items()
    }


def kind_of(scenario: type[Scenario], name: str) -> Any:
    """Return the type of a scenario's parameter, None if it is one of its circuits'."""
    return typing.get_type_hints(scenario).get(name)


def fixed_values(scenario: type[Scenario], settings: Sequence[str]) -> dict[str, Any]:
    """Return what options ``--set`` fix, parameters of circuits among them.

    Raises
    ------
    TypeError, ValueError
        If a text cannot be read.
    """
    fixed = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set must be given as name=value, got {setting!r}")
        fixed[name] = _value(name, text, kind_of(scenario, name))
    return fixed


def _values(name: str, text: str, kind: Any) -> list[Any]:
    spacing, colon, rest = text.partition(":")
    if colon and spacing in _SPACINGS:
        return _spaced(name, spacing, rest, kind)
    between = ";" if typing.get_origin(kind) is tuple else ","
    return [_value(name, part.strip(), kind) for part in text.split(between)]


def _spaced(name: str, spacing: str, text: str, kind: Any) -> list[Any]:
    expected = f"{name} must be given as {spacing}:FIRST:LAST:NUMBER"
    try:
        first, last, number = text.split(":")
        low, high, n = float(first), float(last), int(number)
    except ValueError:
        raise ValueError(f"{expected}, got {spacing}:{text}") from None
    if n < 1 or not (np.isfinite([low, high]).all()) or (spacing == "geom" and min(low, high) <= 0):
        positive = " positive" * (spacing == "geom")
        raise ValueError(f"{expected} with{positive} numbers, got {spacing}:{text}")
    values = _SPACINGS[spacing](low, high, n)
    if kind is int:
        return list(dict.fromkeys(round(value) for value in values.tolist()))
    return [float(f"{value:.15g}") for value in values]


def _value(name: str, text: str, kind: Any) -> Any:
    """Return a value as the type of its parameter or, if that is not known, as it looks."""
    if kind is not None:
        return parsed(name, text, kind)
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)
