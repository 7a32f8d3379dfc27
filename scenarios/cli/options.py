"""Options that several commands share."""

import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from scenarios.cli.session import show_log

F = TypeVar("F", bound=Callable[..., Any])

a_run = click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
overwrite = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
threads = click.option(
    "--threads", type=int, help="Replicates run at a time.  [default: one per core]"
)
allow_paths = click.option(
    "--allow-paths", is_flag=True, help="Read files from any folder that the run names."
)
settings = click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a parameter."
)
threshold = click.option(
    "--threshold", type=float, help="Error to fall below.  [default: the run's, or 0.1]"
)
style = click.option(
    "--style", type=click.Choice(["paper", "talk"]), default="paper", show_default=True
)


def output(what: str) -> Callable[[F], F]:
    """Return the option -o, whose file is `what`."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), help=f"{what} to write.")


def volume(command: F) -> F:
    """Give a command, or all, the options -v and -q."""
    flag: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _set_volume}
    for names, text in (
        (("-q", "--quiet"), "Show warnings and errors only."),
        (("-v", "--verbose"), "Show more of the log."),
    ):
        command = click.option(*names, help=text, **flag)(command)
    return command


def is_quiet(context: click.Context) -> bool:
    """Return whether -q was given."""
    return bool(context.find_root().obj == "quiet")


def importing(command: F) -> F:
    """Give a command, or all, the option --import."""
    return click.option(
        "--import",
        "modules",
        metavar="MODULE",
        multiple=True,
        expose_value=False,
        is_eager=True,
        callback=_import,
        help="Import a module with circuits, environments or scenarios of your own.",
    )(command)


def _set_volume(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Show as much of the log as -v or -q asks for, before or after a command's name."""
    if wanted:
        context.find_root().obj = option.name
        show_log(logging.WARNING if option.name == "quiet" else logging.DEBUG)


def _import(context: click.Context, option: click.Parameter, modules: tuple[str, ...]) -> None:
    """Import modules by name, from the working directory first, as Python itself would."""
    if not modules:
        return
    # Before the working directory is searched, where a folder may have the name of a package.
    for package in ("adaptnet", "environments", "scenarios.base"):
        importlib.import_module(package)
    if "" not in sys.path:
        sys.path.insert(0, "")
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            if context.find_root().params.get("debug"):
                raise
            raise click.ClickException(
                f"--import {module}: the module cannot be imported "
                f"({type(error).__name__}: {error})"
            ) from error
