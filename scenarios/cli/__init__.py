"""The command line. Heavy packages are imported where they are used, so that --help is quick."""

from scenarios.cli import pictures, running, stored  # noqa: F401, whose commands join the group
from scenarios.cli.group import DIFFERS, DIVERGED, main

__all__ = ["DIFFERS", "DIVERGED", "main"]
