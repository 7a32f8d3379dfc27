"""Parameters of scenarios: typed, with a default, a meaning and bounds."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable
from typing import Any

from adaptnet._words import suggestion


def parameter(
    default: Any, meaning: str, *, above: float | None = None, at_most: float | None = None
) -> Any:
    """Return a field of a scenario: a parameter with its default, meaning and bounds.

    Parameters
    ----------
    default : bool, int, float, str or tuple
        The default. The field's annotation says the type: one of these, or ``tuple[T, ...]``.
    meaning : str
        The meaning in a line, for ``adaptnet list``.
    above : float, optional
        The parameter must be greater than this.
    at_most : float, optional
        The parameter must not be greater than this.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Example:
    ...     block_length: int = parameter(1000, "samples between switches", above=0)
    >>> Example().block_length
    1000
    """
    return dataclasses.field(
        default=default, metadata={"meaning": meaning, "above": above, "at_most": at_most}
    )


def names_of(kind: type) -> list[str]:
    """Return the names of a scenario's parameters."""
    return [field.name for field in dataclasses.fields(kind)]


def checked(field: dataclasses.Field[Any], value: Any, kind: Any) -> Any:
    """Return the value of a parameter as its type if it is of that type and within its bounds.

    Raises
    ------
    TypeError, ValueError
        Otherwise, naming the parameter, what was expected and what came.
    """
    value = _typed(field.name, value, kind)
    above, at_most = field.metadata["above"], field.metadata["at_most"]
    if above is not None and not value > above:
        raise ValueError(f"{field.name} must be greater than {above:g}, got {value!r}")
    if at_most is not None and value > at_most:
        raise ValueError(
            f"{field.name} must be at most {at_most:g}, got {value!r}: beyond it a scenario "
            "takes days; simulate from a script if you mean it"
        )
    return value


def require_known(names: Iterable[str], kind: type) -> None:
    """Raise if a name is not that of a parameter; the nearest is suggested."""
    known = names_of(kind)
    for name in names:
        if name not in known:
            raise ValueError(f"there is no parameter {name!r}; {suggestion(name, known)}")


def parsed(name: str, text: str, kind: Any) -> Any:
    """Return the value of a parameter given as text.

    Examples
    --------
    >>> parsed("learning_rate", "1e-3", float), parsed("pictures", "grass,brick", tuple[str, ...])
    (0.001, ('grass', 'brick'))

    Raises
    ------
    TypeError
        If the text cannot be read as a value of that type.
    """
    if typing.get_origin(kind) is tuple:
        (item, _) = typing.get_args(kind)
        return tuple(parsed(name, part.strip(), item) for part in text.split(","))
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise TypeError(f"{name} must be true or false, got {text!r}")
        return text.lower() == "true"
    try:
        return _whole(text) if kind is int else kind(text)
    except (ValueError, OverflowError):
        raise TypeError(f"{name} must be of type {kind.__name__}, got {text!r}") from None


def _whole(text: str) -> int:
    """Return a whole number, also if it is written as 1e5, as numbers of samples often are."""
    if text.lstrip("+-").isdigit():
        return int(text)
    number = float(text)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _typed(name: str, value: Any, kind: Any) -> Any:
    """Return `value` as `kind` if it is of that kind: ints pass for floats, lists for tuples."""
    if typing.get_origin(kind) is tuple:
        (item, _) = typing.get_args(kind)
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} must be a list of {item.__name__}, got {value!r}")
        return tuple(_typed(name, v, item) for v in value)
    is_bool = isinstance(value, bool)
    if kind is float and isinstance(value, int) and not is_bool:
        try:
            value = float(value)
        except OverflowError:
            raise ValueError(f"{name} must be finite, got a number beyond 1e308") from None
    if not isinstance(value, kind) or (kind is int and is_bool):
        raise TypeError(f"{name} must be of type {kind.__name__}, got {value!r}")
    if kind is float and value - value != 0:  # NaN and the infinities
        raise ValueError(f"{name} must be finite, got {value!r}")
    return value
