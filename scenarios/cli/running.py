"""Commands that list scenarios and run them."""

import dataclasses
import inspect
import logging
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

import scenarios
from adaptnet.files.paths import refuse_existing
from adaptnet.files.reading import attributes
from adaptnet.plotting import style
from adaptnet.simulation.extend import extend
from scenarios.base import SimulationScenario
from scenarios.cli import options
from scenarios.cli.codes import DIVERGED
from scenarios.cli.output import say
from scenarios.cli.plans import Plan, parsed_settings, planned
from scenarios.cli.saving import save_picture
from scenarios.cli.stored import divergences, stored_environment
from scenarios.text import notes_if_censored, wrapped

_log = logging.getLogger("adaptnet.scenarios")


def _completed(
    context: click.Context, argument: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return what the Tab key offers: scenarios, and then files."""
    known = [name for name in scenarios.names() if name.startswith(incomplete)]
    return [*map(CompletionItem, known)] or [CompletionItem(incomplete, type="file")]


@click.command("list")
@click.argument("name", metavar="[SCENARIO]", required=False)
@options.importing
def list_(name: str | None) -> None:
    """List the scenarios and their parameters, or describe one of them."""
    if name is not None:
        say(f"{inspect.getdoc(scenarios.find(name))}\n")
    for each in scenarios.names() if name is None else [name]:
        scenario = scenarios.find(each)
        say(f"{each}: {scenario.title()}" if name is None else "parameters:")
        for field in dataclasses.fields(scenario):
            say(f"    {field.name} = {field.default!r}: {field.metadata['meaning']}")


@click.command()
@click.argument("what", metavar="SCENARIO|FILE.toml|FILE.nc", shell_complete=_completed)
@options.output("netCDF file")
@options.settings
@click.option("--replicates", type=int, help="Number of replicates.  [default: the scenario's]")
@click.option("--seed", type=int, help="Seed of all randomness.  [default: 0]")
@options.threads
@click.option("--preview", is_flag=True, help="A shorter, coarser run for a first look.")
@click.option(
    "--record",
    metavar="NAME,...",
    help="Record more than the errors, such as effective_weights.",
)
@click.option(
    "--more",
    type=int,
    metavar="N",
    help="Append N samples per replicate to the finished run FILE.nc, and nothing else.",
)
@options.overwrite
@options.allow_paths
@click.option(
    "--progress/--no-progress",
    default=None,
    help="Progress bar.  [default: on a terminal; elsewhere lines]",
)
@click.option(
    "--checkpoint-seconds",
    type=float,
    default=30.0,
    show_default=True,
    help="Seconds of each replicate that are lost at most if the run is killed.",
)
@options.importing
@options.volume
@click.pass_context
def run(
    context: click.Context,
    what: str,
    output: Path | None,
    settings: tuple[str, ...],
    replicates: int | None,
    seed: int | None,
    threads: int | None,
    preview: bool,
    record: str | None,
    more: int | None,
    overwrite: bool,
    allow_paths: bool,
    progress: bool | None,
    checkpoint_seconds: float,
) -> None:
    """Run a scenario; write the run and its picture, and print the results.

    SCENARIO is the name of a scenario. FILE.toml holds a name and parameters (scenario = "...",
    replicates, seed, [parameters]). FILE.nc is a run, which is run again as its file says.

    A run that was stopped, by Ctrl+C or by force, is resumed by the same command. A finished run
    is not run again; --more makes it longer, to the bits of a run of all samples.
    """
    shown = False if options.is_quiet(context) and progress is None else progress
    if more is not None:
        _extend(Path(what), more, threads, shown, checkpoint_seconds, allow_paths)
        return
    plan = _adjusted(planned(what, allow_paths), settings, preview, replicates, seed)
    scenario = plan.scenario.from_values(plan.parameters)
    target = output or Path(f"{plan.name}.nc")
    if target.suffix != ".nc":
        raise ValueError(f"--output must end in .nc, got {target}; the picture goes beside it")
    picture = target.with_suffix(".png")
    is_simulation = isinstance(scenario, SimulationScenario)
    finished = target.exists() and not overwrite
    if not finished:
        refuse_existing(picture, overwrite=overwrite)
    recording: dict[str, Any] = {"path": target, "overwrite": overwrite}
    if is_simulation:
        recording["checkpoint_seconds"] = checkpoint_seconds
    if record is not None:
        if not is_simulation:
            raise ValueError(f"--record needs a scenario of one simulation, which {what} is not")
        names = [name.strip() for name in record.split(",")]
        recording["record"] = [*dict.fromkeys(["whitening_error", "frobenius_error", *names])]
    dataset = scenario.run(
        n_replicates=plan.replicates,
        rng=plan.seed,
        n_threads=threads,
        progress=shown,
        **recording,
    )
    if not (finished and picture.exists()):
        with style("paper"):  # as `adaptnet plot` draws it
            save_picture(scenario.plot(dataset), picture)
    say(wrapped(scenario.report(dataset)))
    if is_simulation:
        for sentence in notes_if_censored(dataset, scenario.threshold):
            say(wrapped(f"note: {sentence}"))
    say(f"{target} was finished before" if finished else f"wrote {target} and {picture}")
    diverged = divergences(dataset)
    for line in diverged:
        say(line)
    if diverged:
        sys.exit(DIVERGED)


def _extend(
    path: Path,
    n_more: int,
    threads: int | None,
    progress: bool | None,
    checkpoint_seconds: float,
    allow_paths: bool,
) -> None:
    """Append samples to the run in a file."""
    if path.suffix != ".nc":
        raise ValueError(f"--more needs the file of a finished run, FILE.nc, got {path}")
    environment = stored_environment(path, attributes(path).get("environment"), allow_paths)
    longer = extend(
        path,
        environment,
        n_more,
        n_threads=threads,
        progress=progress,
        checkpoint_seconds=checkpoint_seconds,
    )
    say(f"{path} has {longer.attrs['n_samples']} samples per replicate now")
    diverged = divergences(longer)
    for line in diverged:
        say(line)
    if diverged:
        sys.exit(DIVERGED)


def _adjusted(
    plan: Plan, settings: tuple[str, ...], preview: bool, replicates: int | None, seed: int | None
) -> Plan:
    """Return the plan with what was set on the command line."""
    if replicates is not None and replicates < 1:
        raise ValueError(f"--replicates must be at least 1, got {replicates}")
    parameters = {
        **plan.parameters,
        **(plan.scenario.preview if preview else {}),
        **parsed_settings(plan.scenario, settings),
    }
    return plan._replace(
        parameters=parameters,
        replicates=plan.replicates if replicates is None else replicates,
        seed=plan.seed if seed is None else seed,
    )
