"""The command that all others belong to: what they share, how they are found, how they end."""

import atexit
import gc
import importlib
import logging
import sys
import tempfile
import traceback
import warnings
from typing import Any, NamedTuple, TextIO

import click

from scenarios.cli.codes import FAULT
from scenarios.cli.options import importing, volume
from scenarios.cli.output import say, visible
from scenarios.cli.session import Terminated, show_log, stopped_by_signals

# Errors that say what is wrong with what was asked for.
_ANSWERED = (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError)
_ERRORS = "adaptnet.errors"  # by name: the package takes a second to import, and --help needs none


class _Home(NamedTuple):
    """Where a command is defined, and what it does, for a help text that loads nothing."""

    module: str
    help: str


COMMANDS = {
    "compile": _Home("compiling", "Compile all kernels now, not when first needed."),
    "info": _Home("stored", "Show what a run's file holds and how it was made."),
    "list": _Home("running", "List the scenarios and their parameters."),
    "plot": _Home("pictures", "Draw a run."),
    "plot-environment": _Home("pictures", "Draw the environment of a scenario."),
    "readapt": _Home("stored", "Print how long circuits take to readapt after each change."),
    "report": _Home("pictures", "Write a page with pictures and tables of a run."),
    "run": _Home("running", "Run a scenario; write the run and its picture."),
    "sweep": _Home("sweeping", "Run a scenario at many points of its parameters."),
    "verify": _Home("stored", "Run a stored run again and compare it, bit for bit."),
}


_BUILT_IN = ("compile", "list")  # functions of Python


class _Commands(click.Group):
    """Commands loaded when used, that answer bad input with a sentence and not a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"scenarios.cli.{COMMANDS[cmd_name].module}")
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(module, f"{name}_" if name in _BUILT_IN else name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, home.help) for name, home in sorted(COMMANDS.items())])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings(), stopped_by_signals():
                warnings.simplefilter("always", UserWarning)
                warnings.showwarning = _show_warning
                _SHOWN.clear()
                return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:  # the log has said what was saved and how to resume
            sys.exit(143 if isinstance(interrupt, Terminated) else 130)
        except BrokenPipeError:  # `adaptnet list | head`: click ends without a word
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params["debug"]:
                raise
            if isinstance(error, _ANSWERED) or type(error).__module__ == _ERRORS:
                raise click.ClickException(_sentence(error)) from error
            say(_request(error), err=True)
            sys.exit(FAULT)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adaptnet")
@volume
@importing
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(context: click.Context, debug: bool) -> None:
    """Run, inspect and draw simulations of adapting neural circuits."""
    # Imported modules stay until the end. Searching them for garbage takes a third of a second at
    # the start and up to a second at the end, after Ctrl+C too.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    if context.obj is None:
        show_log(logging.INFO)


def _sentence(error: Exception) -> str:
    """Return what an error says, with options of the command line in place of arguments."""
    text = visible(str(error)) or type(error).__name__
    return text.replace("overwrite=True", "--overwrite")


def _request(error: Exception) -> str:
    """Return a request to report an error that nobody foresaw; its traceback goes to a file."""
    what = visible(f"{type(error).__name__}: {error}")
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="adaptnet-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
        ) as log:
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        place = "adaptnet --debug shows the traceback"
    else:
        place = f"the traceback is in {log.name}"
    return f"Error: this is a fault of adaptnet, please report it ({what}); {place}"


_SHOWN: set[str] = set()  # warnings of this command


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    text = f"warning: {message}"
    if text not in _SHOWN:  # a table and its notes may each come upon the same
        _SHOWN.add(text)
        say(text, err=True)
