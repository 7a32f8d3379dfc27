"""Compare two commits in one sitting: ``python -m benchmarks.compare OLD [NEW]``.

Each side runs in a process of its own, from its own files, and they take turns round by round, so
that both see the same moments of the machine. Processor time counts, not time on the wall. Equal
code differs by up to a fifth from one process to the next, by where its arrays happen to lie in
memory, and keeps the difference while the process lives: so every case has several pairs of
processes.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

import click
import numpy as np

from benchmarks.measure import Seconds, machine
from benchmarks.work import CIRCUITS, SIZES

WORKER = Path(__file__).with_name("worker.py")
NOTICED = 1.03  # ratios above this are marked
CASES = {
    "kernels": [f"kernel {circuit} {n}" for circuit in CIRCUITS for n in SIZES],
    "ensemble": [f"ensemble {circuit} {n}" for circuit in CIRCUITS for n in (2, 10, 32)],
    "scenario": ["scenario"],
}


class Side:
    """One of the two: a process that imports everything from `folder`."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            env=os.environ | {"PYTHONPATH": str(folder)},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Side":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def prepare(self, case: str) -> None:
        """Set up `case`, and run it until it is compiled."""
        self._ask("prepare", case)

    def seconds(self) -> float:
        """Return the processor seconds that the case prepared last takes."""
        return self._ask("time", "")

    def _ask(self, request: str, case: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([request, case]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise click.ClickException(f"the process for {case or 'a case'} ended, see above")
        return float(json.loads(answer))


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Give a folder with the files of `commit`, which may be a folder itself."""
    if Path(commit).is_dir():
        yield Path(commit).resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=True)


def compared(case: str, old: Path, new: Path, launches: int, rounds: int) -> Seconds:
    """Return seconds (launch, round, side)."""
    taken = np.empty((launches, rounds, 2))
    for launch in range(launches):
        with Side(old) as old_side, Side(new) as new_side:
            for side in (old_side, new_side):
                side.prepare(case)
            for i in range(rounds):
                taken[launch, i] = old_side.seconds(), new_side.seconds()
    return taken


def cells(taken: Seconds) -> str:
    """Return a row's cells from seconds (launch, round, side)."""
    medians = np.median(taken, axis=1)
    ratios = medians[:, 1] / medians[:, 0]
    least = taken[..., 1].min() / taken[..., 0].min()
    mark = " slower" if min(least, np.median(ratios)) > NOTICED else ""
    range_ = f"{np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})"
    return f"{range_} | {least:.3f}{mark}"


@click.command()
@click.argument("old")
@click.argument("new", default=".")
@click.option("--launches", default=5, show_default=True, help="Pairs of processes per case.")
@click.option("--repetitions", default=5, show_default=True, help="Rounds per pair.")
@click.option("--only", multiple=True, type=click.Choice(list(CASES)), help="Parts to compare.")
@click.option("--case", "picked", multiple=True, help='Cases to compare, as "kernel direct 2".')
def main(
    old: str,
    new: str,
    launches: int,
    repetitions: int,
    only: tuple[str, ...],
    picked: tuple[str, ...],
) -> None:
    """Print how long NEW takes, divided by how long OLD does; either is a commit or a folder."""
    cases = picked or [case for part in only or CASES for case in CASES[part]]
    click.echo(f"Machine: {machine()}. {launches} x {repetitions} rounds; {new} / {old}.\n")
    click.echo("| case | median ratio (least to most) | ratio of least times |\n|---|---|---|")
    with ExitStack() as stack:
        folders = [stack.enter_context(checked_out(commit)) for commit in (old, new)]
        for case in cases:
            taken = compared(case, *folders, launches, repetitions)
            click.echo(f"| {case} | {cells(taken)} |")


if __name__ == "__main__":
    main()
