"""Commands that list scenarios and run them."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from scenarios.base import Scenario, SimulationScenario
from scenarios.cli.group import DIVERGED, is_quiet, main, volume
from scenarios.cli.pictures import save_picture
from scenarios.cli.plans import parsed_settings, planned
from scenarios.cli.stored import divergences


@main.command("list")
def list_() -> None:
    """List the scenarios and their parameters."""
    import scenarios

    for name in scenarios.names():
        scenario = scenarios.find(name)
        click.echo(f"{name}: {scenario.title()}")
        for field in dataclasses.fields(scenario):
            click.echo(f"    {field.name} = {field.default!r}: {field.metadata['meaning']}")


@main.command()
@click.argument("what", metavar="SCENARIO|FILE.toml|FILE.nc")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="netCDF file to write.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a parameter.")
@click.option("--replicates", type=int, help="Number of replicates.  [default: the scenario's]")
@click.option("--seed", type=int, help="Seed of all randomness.  [default: 0]")
@click.option("--threads", type=int, help="Replicates run at a time.  [default: one a core]")
@click.option("--preview", is_flag=True, help="A shorter, coarser run for a first look.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--allow-paths", is_flag=True, help="Read files from any folder that FILE.nc names.")
@click.option(
    "--progress/--no-progress",
    default=None,
    help="Progress bar.  [default: on a terminal, elsewhere lines]",
)
@click.option(
    "--checkpoint-seconds",
    type=float,
    default=30.0,
    show_default=True,
    help="At most so much of each replicate is lost when the run is killed.",
)
@volume
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
    overwrite: bool,
    allow_paths: bool,
    progress: bool | None,
    checkpoint_seconds: float,
) -> None:
    """Run a scenario; write the run and its picture, and print what came out.

    The scenario goes by its name, or is read with its parameters from a TOML file
    (scenario = "...", replicates, seed, [parameters]), or is run again as a run's file says.

    A run that was stopped, by Ctrl+C or by force, goes on where it was when the same command is
    given again. A run that is finished is not run again.
    """
    plan = planned(what, allow_paths)
    scenario_type: type[Scenario] = plan["type"]
    values = {**plan["parameters"], **(scenario_type.preview if preview else {})}
    scenario = scenario_type.from_values({**values, **parsed_settings(scenario_type, settings)})
    if replicates is not None and replicates < 1:
        raise ValueError(f"--replicates must be at least 1, got {replicates}")

    from adaptnet.files.storage import refuse_existing, save

    target = output or Path(f"{plan['name']}.nc")
    if target.suffix != ".nc":
        raise ValueError(f"--output must end in .nc, got {target}; the picture goes beside it")
    picture = target.with_suffix(".png")
    whole_simulation = issubclass(scenario_type, SimulationScenario)
    finished = whole_simulation and target.exists() and not overwrite
    if not finished:
        refuse_existing(picture, overwrite=overwrite)
    if not whole_simulation:  # not a single simulation, so nothing to go on with in between
        refuse_existing(target, overwrite=overwrite)
    recording: dict[str, Any] = {
        "path": target,
        "overwrite": overwrite,
        "checkpoint_seconds": checkpoint_seconds,
    }
    dataset = scenario.run(
        n_replicates=replicates or plan["replicates"],
        rng=plan["seed"] if seed is None else seed,
        n_threads=threads,
        progress=False if is_quiet(context) and progress is None else progress,
        **(recording if whole_simulation else {}),
    )
    if not whole_simulation:
        save(dataset, target, overwrite=overwrite)
    if not (finished and picture.exists()):
        from adaptnet.plotting import style as styled

        with styled("paper"):  # as `adaptnet plot` draws it
            save_picture(scenario.plot(dataset), picture)
    click.echo(scenario.report(dataset))
    diverged = divergences(dataset)
    click.echo(f"{target} was finished before" if finished else f"wrote {target} and {picture}")
    click.echo("".join(f"{line}\n" for line in diverged), nl=False)
    if diverged:
        sys.exit(DIVERGED)
