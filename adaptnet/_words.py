"""Wording that messages, tables and pictures share."""

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the known names as a hint, with the nearest first.

    Examples
    --------
    >>> suggestion("swiching", ["natural-images", "switching"])
    "did you mean 'switching'? known are natural-images, switching"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"known are {', '.join(names)}"


def thousands(number: float) -> str:
    r"""Return a number rounded to an integer, with thin spaces between its thousands, SI style.

    Examples
    --------
    >>> thousands(12345.6).split("\N{NARROW NO-BREAK SPACE}"), thousands(999)
    (['12', '346'], '999')
    """
    return f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
