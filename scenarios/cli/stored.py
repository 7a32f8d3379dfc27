"""Commands that say what is in a stored run, and whether it comes out again."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.base import SimulationScenario
from scenarios.cli.group import DIFFERS, main, volume
from scenarios.cli.plans import planned, refuse_paths

if TYPE_CHECKING:
    import xarray as xr

    from adaptnet.simulation.verify import Verification
    from environments import Environment


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
def info(path: Path) -> None:
    """Say what a run's file holds and how it was made, or how far an unfinished run is."""
    from adaptnet import load
    from adaptnet._checks import json_object
    from adaptnet.simulation.sinks.disk import progress_made

    unfinished = progress_made(path)
    if unfinished is not None:
        click.echo(_progress(path, *unfinished))
        if not path.exists():
            return
    dataset = load(path)
    attrs = dataset.attrs
    for name in ("title", "scenario", "date_created", "history", "source", "git_commit", "truth"):
        if name in attrs:
            click.echo(f"{name}: {attrs[name]}")
    click.echo(f"seed: {attrs.get('seed_entropy')}, spawn key {attrs.get('seed_spawn_key')}")
    click.echo("sizes: " + ", ".join(f"{size} {dim}" for dim, size in dataset.sizes.items()))
    for name in ("scenario_parameters", "circuits", "versions"):
        if name in attrs:
            click.echo(f"{name}:")
            for entry, value in json_object(attrs[name], f"{name} of {path}").items():
                click.echo(f"    {entry}: {_short(value)}")
    click.echo("variables:")
    for key, variable in dataset.data_vars.items():
        meaning = variable.attrs.get("long_name", "not of this package")
        click.echo(f"    {key} ({', '.join(map(str, variable.dims))}): {meaning}")
    for line in divergences(dataset):
        click.echo(line)


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
@click.option("--replicates", type=int, help="Run only so many again.  [default: all]")
@click.option("--threads", type=int, help="Replicates run at a time.  [default: one a core]")
@click.option("--allow-paths", is_flag=True, help="Read files from any folder that the run names.")
@volume
def verify(path: Path, replicates: int | None, threads: int | None, allow_paths: bool) -> None:
    """Run a stored run again from its parameters; say whether it comes out the same, bit for bit.

    Ends with code 4 where it does not.
    """
    from adaptnet.files.atomic import is_sealed
    from adaptnet.files.storage import reading

    with reading(path) as dataset:
        if not is_sealed(path):
            click.echo(f"{path} has no checksum: it was written, or changed, by other software")
        found = _run_again(path, dataset, replicates, threads, allow_paths)
        of = f"{len(found.replicates)} of {dataset.sizes['replicate']} replicates"
    if not found.differing:
        click.echo(f"{path}: {of} came out again identical, bit for bit")
    else:
        click.echo("\n    ".join([f"{path}: {of} were run again and differ:", *found.differing]))
    if found.software:
        click.echo("\n    ".join(["software or machine are not the same:", *found.software]))
    elif found.differing:
        click.echo("software and machine are the same, as far as is stored: the file was changed")
    if found.differing:
        sys.exit(DIFFERS)


def _run_again(
    path: Path,
    dataset: "xr.Dataset",
    replicates: int | None,
    threads: int | None,
    allow_paths: bool,
) -> "Verification":
    """Return what comes of running again what a file holds."""
    from adaptnet.files.storage import seed
    from adaptnet.simulation.verify import Verification, compare, verify

    plan = planned(str(path), allow_paths) if "scenario" in dataset.attrs else None
    if plan is None or issubclass(plan["type"], SimulationScenario):
        environment = _stored_environment(path, dataset.attrs.get("environment"), allow_paths)
        return verify(dataset, environment, n_replicates=replicates, n_threads=threads)
    scenario = plan["type"].from_values(plan["parameters"])
    again = scenario.run(
        n_replicates=plan["replicates"], rng=seed(dataset.attrs, str(path)), n_threads=threads
    )
    return Verification(tuple(range(plan["replicates"])), tuple(compare(dataset, again)), ())


def _stored_environment(path: Path, stored: Any, allow_paths: bool) -> "Environment":
    """Return the environment that a run's file says."""
    import environments
    from adaptnet._checks import json_object

    parameters = json_object(stored, f"environment of {path}")
    if parameters.get("type") == "array":
        raise ValueError(
            f"the inputs of {path} were an array, of which it holds the checksum alone; "
            "give them to adaptnet.simulation.verify.verify"
        )
    if not allow_paths:
        refuse_paths(parameters, path)
    return environments.from_parameters(parameters)


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
@click.option("--threshold", type=float, help="Error to fall below.  [default: the run's, or 0.1]")
def readapt(path: Path, threshold: float | None) -> None:
    """Print how many samples each circuit takes to readapt after each change."""
    from adaptnet import load
    from adaptnet.report import run_warnings
    from scenarios.tables import readaptation_table

    dataset = load(path)
    level = threshold_of(dataset, threshold)
    click.echo(readaptation_table(dataset, level))
    for sentence in run_warnings(dataset, level):
        click.echo(f"note: {sentence}")


def divergences(dataset: "xr.Dataset") -> list[str]:
    """Return a line for each circuit and replicate that diverged."""
    if "diverged_sample" not in dataset:  # a table of results
        return []
    diverged = dataset["diverged_sample"]
    names, samples = diverged["circuit"].values, diverged.values
    return [
        f"diverged: {names[c]}, replicate {r}, sample {samples[c, r]}"
        for c, r in zip(*(samples >= 0).nonzero(), strict=True)
    ]


def _progress(path: Path, description: dict[str, Any], processed: dict[int, int]) -> str:
    """Return how far an unfinished run is."""
    each, replicates = int(description["n_samples"]), int(description["n_replicates"])
    done = sum(processed.values())
    complete = sum(n == each for n in processed.values())
    return (
        f"{path} is unfinished: {done / (each * replicates):.1%} of {replicates} replicates of "
        f"{each} samples are saved, {complete} replicates are complete, as of the last "
        f"checkpoints; the command that began it goes on ({description.get('history')})"
    )


def threshold_of(dataset: "xr.Dataset", given: float | None) -> float:
    """Return the threshold asked for, or else the one of the run's scenario."""
    if given is not None:
        return given
    from adaptnet._checks import json_object

    stored = json_object(dataset.attrs.get("scenario_parameters", "{}"), "scenario_parameters")
    return float(stored.get("threshold", 0.1))


def _short(value: Any, length: int = 100) -> str:
    text = json.dumps(value)
    return text if len(text) <= length else text[: length - 3] + "..."
