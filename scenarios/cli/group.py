"""The command that all others belong to: what they share, and how they end."""

import logging
import sys
import warnings
from typing import Any, TextIO

import click

from scenarios.cli.session import Terminated, ending_on_sigterm, tell

DIVERGED = 3
"""Exit code of a run that is saved but in which a circuit diverged."""

DIFFERS = 4
"""Exit code of a verification that finds a run other than it is stored."""


class _Commands(click.Group):
    """Commands that answer bad input with a sentence, and keep tracebacks for bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings(), ending_on_sigterm():
                warnings.simplefilter("always", UserWarning)
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:  # what was saved, and how to go on, is told already
            sys.exit(143 if isinstance(interrupt, Terminated) else 130)
        except (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError) as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(str(error) or type(error).__name__) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adaptnet")
@click.option("-v", "--verbose", is_flag=True, help="Tell more.")
@click.option("-q", "--quiet", is_flag=True, help="Tell of warnings and errors only.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(verbose: bool, quiet: bool, debug: bool) -> None:
    """Run, inspect and draw simulations of adapting neural circuits."""
    tell(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    click.echo(f"warning: {message}", err=True)
