"""The command line. A command's module, and what it imports, is loaded when the command is used."""

from scenarios.cli.codes import DIFFERS, DIVERGED
from scenarios.cli.group import main

__all__ = ["DIFFERS", "DIVERGED", "main"]
