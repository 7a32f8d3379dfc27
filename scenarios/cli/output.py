"""What commands print: texts of files may hold characters that would command the terminal."""

import click


def say(text: str, *, err: bool = False) -> None:
    """Print a line, with control characters made visible."""
    click.echo(visible(text), err=err)


def visible(text: str) -> str:
    r"""Return a text with all but line ends and printable characters escaped.

    Examples
    --------
    >>> visible("\x1b[31mred")
    '\\x1b[31mred'
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
