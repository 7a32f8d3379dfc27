"""The command that compiles all kernels before they are needed."""

import click

from adaptnet.simulation.compilation import compile_kernels
from adaptnet.simulation.threads import n_cores
from scenarios.cli import options
from scenarios.cli.output import say


@click.command("compile")
@click.option("--workers", type=int, help="Processes that compile.  [default: one per core]")
@options.volume
def compile_(workers: int | None) -> None:
    """Compile the kernels of all circuits now, and not when they are first needed.

    They are kept beside the package or, if it cannot be written, in the user's cache folder; where
    jobs of a cluster share that folder, none of them compiles any more.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"--workers must be at least 1, got {workers}")
    n_kernels = 0
    for done in compile_kernels(workers or n_cores()):
        n_kernels += done.n_kernels
        say(f"{done.circuit}: {done.n_kernels} kernels compiled in {done.seconds:.0f} s")
    say("all kernels were compiled before" if n_kernels == 0 else "all kernels are compiled now")
