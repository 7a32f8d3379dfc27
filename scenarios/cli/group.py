"""The command that all others belong to: what they share, and how they end."""

import atexit
import gc
import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

import click

from scenarios.cli.session import Terminated, ending_on_sigterm, tell

F = TypeVar("F", bound=Callable[..., Any])

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
        except BrokenPipeError:  # `adaptnet list | head`: click ends without a word
            raise
        except (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError) as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(str(error) or type(error).__name__) from error


def _tell(context: click.Context, option: click.Parameter, given: bool) -> None:
    """Show as much of the log as -v or -q asks for, before or after a command's name."""
    if given:
        context.find_root().obj = option.name
        tell(logging.WARNING if option.name == "quiet" else logging.DEBUG)


def volume(command: F) -> F:
    """Give a command, or all, the options -v and -q."""
    given: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _tell}
    for names, text in (
        (("-q", "--quiet"), "Tell of warnings and errors only."),
        (("-v", "--verbose"), "Tell more."),
    ):
        command = click.option(*names, help=text, **given)(command)
    return command


def is_quiet(context: click.Context) -> bool:
    """Return whether -q was given."""
    return bool(context.find_root().obj == "quiet")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adaptnet")
@volume
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(context: click.Context, debug: bool) -> None:
    """Run, inspect and draw simulations of adapting neural circuits."""
    # What is imported stays. Python looks for garbage in it again and again, a third of a second at
    # the start, and up to a second at the end, after Ctrl+C too.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    if context.obj is None:
        tell(logging.INFO)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    click.echo(f"warning: {message}", err=True)
