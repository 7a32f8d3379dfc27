"""Wording that messages, tables and pictures share."""

import difflib
import html
from collections.abc import Iterable, Mapping


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


def html_table(title: str, rows: Mapping[str, str]) -> str:
    """Return names and texts as a table for notebooks.

    Examples
    --------
    >>> html_table("Circuit", {"leak": "<= 1"})
    '<b>Circuit</b><table><tr><th>leak</th><td>&lt;= 1</td></tr></table>'
    """
    cells = (f"<th>{html.escape(n)}</th><td>{html.escape(text)}</td>" for n, text in rows.items())
    lines = "".join(f"<tr>{line}</tr>" for line in cells)
    return f"<b>{html.escape(title)}</b><table>{lines}</table>"
