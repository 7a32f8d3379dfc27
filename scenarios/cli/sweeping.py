"""The command that sweeps parameters of a scenario."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import click
import xarray as xr

import adaptnet
from adaptnet import plotting
from adaptnet.files.paths import refuse_existing
from adaptnet.sweeps.plan import Sweep, planned
from adaptnet.sweeps.sources import shown
from scenarios.cli import options
from scenarios.cli.codes import DIVERGED, FAILED
from scenarios.cli.output import say
from scenarios.cli.saving import save_picture
from scenarios.cli.sweep_plans import SweepPlan, sweep_plan
from scenarios.sweep_text import duration, progress_text, sweep_table
from scenarios.text import wrapped

_SECONDS_TO_CONNECT = 30
_MOST_MESSAGES = 10  # of points that failed; the file has all


@click.command()
@click.argument("what", metavar="SCENARIO|FILE.toml")
@click.option(
    "--over",
    metavar="NAME=VALUES",
    multiple=True,
    help="Sweep a parameter: VALUE,VALUE,... or geom:FIRST:LAST:NUMBER or lin:FIRST:LAST:NUMBER.",
)
@options.output("netCDF file")
@options.settings
@click.option("--replicates", type=int, help="Replicates at each point.  [default: the scenario's]")
@click.option("--seed", type=int, help="Seed of all randomness.  [default: 0]")
@click.option("--keep", metavar="MEASURE", help="What is kept.  [default: readaptation_times]")
@click.option("--flow", "with_flow", is_flag=True, help="Keep what theory's flow does as well.")
@click.option("--independent", is_flag=True, help="Give each point samples of its own.")
@click.option("--keep-runs", type=click.Path(path_type=Path), help="Folder to keep the runs in.")
@click.option("--workers", type=int, help="Processes on this machine.  [default: this one]")
@click.option("--dask", metavar="ADDRESS|FILE", help="Dask scheduler, or its scheduler file.")
@click.option("--slice", "share", metavar="N/M", help="Do every Mth point only, from the Nth on.")
@click.option("--status", "show_status", is_flag=True, help="Show how far the sweep is.")
@click.option("--dry-run", is_flag=True, help="Print the points, and run nothing.")
@click.option(
    "--pilot", type=int, metavar="N", help="Run about N points; estimate the time of all."
)
@options.overwrite
@click.option(
    "--progress/--no-progress",
    default=None,
    help="Progress bar.  [default: on a terminal; elsewhere lines]",
)
@options.importing
@options.volume
@click.pass_context
def sweep(
    context: click.Context,
    /,
    what: str,
    output: Path | None,
    workers: int | None,
    dask: str | None,
    share: str | None,
    show_status: bool,
    dry_run: bool,
    pilot: int | None,
    overwrite: bool,
    progress: bool | None,
    **asked: Any,
) -> None:
    """Simulate at many points of a space of parameters; write one file and its picture.

    FILE.toml holds a scenario, and a table [sweep] with what is varied: over, points or design.

    What is done is on disk at once. The same command goes on after Ctrl+C or a kill, and with
    further values or replicates computes only those. --slice 3/64 is for job arrays: the command
    without it gathers what they have done. The exit code is 3 if a circuit diverged somewhere, 5
    if a point failed.
    """
    if show_status and Path(what).suffix == ".nc":
        say(progress_text(Path(what)))
        return
    plan = sweep_plan(what, **asked)
    target = output or Path(f"{plan.name}.nc")
    if target.suffix != ".nc":
        raise ValueError(f"--output must end in .nc, got {target}; the picture goes beside it")
    if show_status:
        say(progress_text(target))
        return
    checked = _checked(plan)
    if dry_run:
        _print_points(checked)
        return
    if pilot is not None:
        _pilot(plan, checked, target, pilot, workers)
        return
    picture = target.with_suffix(".png")
    part = _share(share)
    if part is None and not target.exists():
        refuse_existing(picture, overwrite=overwrite)
    with _executor(workers, dask) as executor:
        dataset = adaptnet.sweep(
            plan.scenario,
            plan.over,
            path=target,
            executor=executor,
            share=part,
            progress=False if options.is_quiet(context) and progress is None else progress,
            overwrite=overwrite,
            **plan.options,
        )
    if part is None:
        drawn = _draw(dataset, picture)
        say(wrapped(sweep_table(dataset)))
        say(f"wrote {target} and {picture}" if drawn else f"wrote {target}")
    else:
        say(f"slice {share} is done; {progress_text(target)}")
    _end(dataset)


def _checked(plan: SweepPlan) -> Sweep:
    """Return the sweep as the package plans it, or refuse it before anything runs."""
    wanted = {name: plan.options.get(name) for name in ("fixed", "n_replicates")}
    return planned(
        plan.scenario,
        plan.over,
        wanted["fixed"],
        plan.options.get("keep", "readaptation_times"),
        wanted["n_replicates"],
        plan.options.get("rng", 0),
        plan.options.get("independent", False),
        plan.options.get("with_flow", False),
    )


def _print_points(checked: Sweep) -> None:
    for i, point in enumerate(checked.points):
        say(f"{i + 1}: {shown(point)}")
    say(f"{len(checked.points)} points of {checked.n_replicates} replicates")


def _pilot(plan: SweepPlan, checked: Sweep, target: Path, number: int, workers: int | None) -> None:
    """Run some of the points, which the sweep then has already, and say how long all will take."""
    if number < 1:
        raise ValueError(f"--pilot must be at least 1, got {number}")
    n_points = len(checked.points)
    part = (1, max(1, n_points // number))
    dataset = adaptnet.sweep(plan.scenario, plan.over, path=target, share=part, **plan.options)
    seconds = dataset["seconds"].values.ravel()
    done = seconds[seconds > 0]
    mean = float(done.mean())
    processes = workers or 1
    say(
        f"{done.size} of {n_points} points took {duration(mean)} each; the other "
        f"{n_points - done.size} will take about "
        f"{duration(mean * (n_points - done.size) / processes)} in "
        f"{'one process' if processes == 1 else f'{processes} processes'}"
    )
    _end(dataset)


def _share(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    number, slash, of_all = text.partition("/")
    if not (slash and number.isdigit() and of_all.isdigit()):
        raise ValueError(f"--slice must be given as N/M, such as 3/64, got {text!r}")
    return int(number), int(of_all)


@contextlib.contextmanager
def _executor(workers: int | None, dask: str | None) -> Iterator[Executor | int | None]:
    """Give what computes the points."""
    if workers is not None and workers < 1:
        raise ValueError(f"--workers must be at least 1, got {workers}")
    if dask is None:
        yield workers
        return
    if workers is not None:
        raise ValueError("--workers and --dask exclude each other; the cluster has workers already")
    try:
        connect: Any = importlib.import_module("distributed").Client
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            '--dask needs the package distributed: python -m pip install "adaptnet[cluster]"'
        ) from None
    where = {"scheduler_file": dask} if Path(dask).exists() else {"address": dask}
    try:
        client: Any = connect(**where, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise OSError(f"no Dask scheduler answers at {dask} ({error}); is it running?") from error
    with client:
        yield client.get_executor()


def _draw(dataset: xr.Dataset, picture: Path) -> bool:
    """Draw a sweep if it can be drawn; return whether it can."""
    try:
        with plotting.style("paper"):
            figure, _ = plotting.plot_sweep(dataset)
            save_picture(figure, picture)
    except ValueError as error:  # more parameters than can be drawn, or nothing was kept
        say(f"not drawn: {error}", err=True)
        return False
    return True


def _end(dataset: xr.Dataset) -> None:
    """Exit with the code that tells whether points failed or diverged."""
    words = dataset["status"].values.ravel().tolist()
    messages = dataset["message"].values.ravel().tolist()
    wrong = [(w, m) for w, m in zip(words, messages, strict=True) if w in ("failed", "diverged")]
    for word, message in wrong[:_MOST_MESSAGES]:
        say(f"{word}: {message}")
    if len(wrong) > _MOST_MESSAGES:
        say(f"and {len(wrong) - _MOST_MESSAGES} more points; the variable message has all")
    if "failed" in words:
        sys.exit(FAILED)
    if wrong:
        sys.exit(DIVERGED)
