"""Commands about a stored run: what it holds, how circuits readapt, whether it is reproduced."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy.typing as npt
import xarray as xr

import environments
import scenarios
from adaptnet import load
from adaptnet._checks import json_object
from adaptnet.files.reading import read_outline, reading
from adaptnet.files.seals import is_sealed
from adaptnet.files.storage import seed
from adaptnet.reports import run_warnings
from adaptnet.simulation.sinks.existing import progress_made
from adaptnet.simulation.verify import Verification, compare
from adaptnet.simulation.verify import verify as run_again
from environments import Environment
from scenarios.base import Scenario, SimulationScenario
from scenarios.cli import options
from scenarios.cli.codes import DIFFERS
from scenarios.cli.output import say
from scenarios.cli.plans import planned, refuse_paths
from scenarios.sweep_text import is_unfinished_sweep, progress_text
from scenarios.text import measure_table, readaptation_table, wrapped

_ATTRIBUTES = ("title", "scenario", "date_created", "history", "source", "git_commit", "truth")


@click.command()
@options.a_run
def info(path: Path) -> None:
    """Show what a run's file holds and how it was made, or how far an unfinished run is."""
    if is_unfinished_sweep(path):
        say(f"{path} is an unfinished sweep: {progress_text(path)}")
        if not path.exists():
            return
    unfinished = progress_made(path)
    if unfinished is not None:
        say(_progress(path, *unfinished))
        if not path.exists():
            return
    outline = read_outline(path)
    attrs = outline.attributes
    for name in _ATTRIBUTES:
        if name in attrs:
            say(f"{name}: {attrs[name]}")
    say(f"seed: {attrs.get('seed_entropy')}, spawn key {attrs.get('seed_spawn_key')}")
    say("sizes: " + ", ".join(f"{size} {dim}" for dim, size in outline.sizes.items()))
    for name in ("scenario_parameters", "circuits", "versions"):
        if name in attrs:
            say(f"{name}:")
            for entry, value in json_object(attrs[name], f"{name} of {path}").items():
                say(f"    {entry}: {_short(value)}")
    say("variables:")
    for key, (dims, long_name) in outline.variables.items():
        say(f"    {key} ({', '.join(dims)}): {long_name or 'not a variable of this package'}")
    for line in _diverged(outline.circuits, outline.diverged):
        say(line)


@click.command()
@options.a_run
@click.option("--replicates", type=int, help="Number of replicates to run.  [default: all]")
@options.threads
@options.allow_paths
@options.importing
@options.volume
def verify(path: Path, replicates: int | None, threads: int | None, allow_paths: bool) -> None:
    """Run a stored run again from its parameters, and compare the two bit for bit.

    The exit code is 4 if they differ.
    """
    with reading(path) as dataset:
        if dataset.attrs.get("kind") == "sweep":
            raise ValueError(
                f"{path} is a sweep, which is not run again as a whole; sweep to a new file with "
                "the same arguments, and compare the two"
            )
        if not is_sealed(path):
            say(f"{path} has no checksum: other software wrote or changed it")
        found = _verified(path, dataset, replicates, threads, allow_paths)
        n_replicates = dataset.sizes.get("replicate", len(found.replicates))
        share = f"{len(found.replicates)} of {n_replicates} replicates"
    if not found.differing:
        say(f"{path}: {share} were run again and are identical, bit for bit")
    else:
        say("\n    ".join([f"{path}: {share} were run again and differ:", *found.differing]))
    if found.software:
        say("\n    ".join(["software or machine differ:", *found.software]))
    elif found.differing:
        say("software and machine are the same, as far as is stored: the file was changed")
    if found.differing:
        sys.exit(DIFFERS)


@click.command()
@options.a_run
@options.threshold
@click.option(
    "--hold",
    type=int,
    default=1,
    show_default=True,
    help="Records in a row that must be below the threshold.",
)
@click.option("--measure", default="first_passage", show_default=True, help="What to measure.")
@click.option("--intervals", is_flag=True, help="Show the 95 % interval of each median.")
@click.option("--seconds", is_flag=True, help="Show times of recordings in seconds.")
@options.importing
def readapt(path: Path, threshold: float | None, measure: str, **shown: Any) -> None:
    """Print how long each circuit takes to readapt after each change, and how sure that is.

    Other measures, such as excess_area or maximum_loss, are printed as medians over replicates.
    """
    dataset = load(path)
    if measure != "first_passage":
        say(wrapped(measure_table(dataset, measure)))
        return
    level = threshold_of(dataset, threshold)
    say(wrapped(_table(dataset, level, path, **shown)))
    for sentence in run_warnings(dataset, level):
        say(wrapped(f"note: {sentence}"))


def _table(dataset: xr.Dataset, threshold: float, path: Path, **shown: Any) -> str:
    """Return the table that the scenario of a run prints of it, or that of all its circuits."""
    name = dataset.attrs.get("scenario")
    if name not in scenarios.names():  # made by a script, or by a scenario that is not imported
        return readaptation_table(dataset, threshold, **shown)
    scenario = scenario_of(dataset, path, threshold=threshold)
    if not isinstance(scenario, SimulationScenario):
        return readaptation_table(dataset, threshold, **shown)
    return scenario.readaptation(dataset, **shown)


def scenario_of(dataset: xr.Dataset, path: Path, **changed: Any) -> Scenario:
    """Return the scenario that a run stores, with some parameters changed."""
    values = json_object(dataset.attrs.get("scenario_parameters"), f"scenario_parameters of {path}")
    return scenarios.find(dataset.attrs["scenario"]).from_values({**values, **changed})


def divergences(dataset: xr.Dataset) -> list[str]:
    """Return a line per circuit and replicate that diverged."""
    if "diverged_sample" not in dataset:  # a table of results
        return []
    diverged = dataset["diverged_sample"]
    return _diverged(diverged["circuit"].values, diverged.values)


def _diverged(names: Sequence[Any] | npt.NDArray[Any], samples: npt.NDArray[Any]) -> list[str]:
    return [
        f"diverged: {names[c]}, replicate {r}, sample {samples[c, r]}"
        for c, r in zip(*(samples >= 0).nonzero(), strict=True)
    ]


def threshold_of(dataset: xr.Dataset, threshold: float | None) -> float:
    """Return the threshold asked for, or else the one of the run's scenario."""
    if threshold is not None:
        return threshold
    stored = json_object(dataset.attrs.get("scenario_parameters", "{}"), "scenario_parameters")
    return float(stored.get("threshold", 0.1))


def _verified(
    path: Path,
    dataset: xr.Dataset,
    replicates: int | None,
    threads: int | None,
    allow_paths: bool,
) -> Verification:
    """Return the comparison of a stored run with a new one of the same parameters."""
    plan = planned(str(path), allow_paths) if "scenario" in dataset.attrs else None
    if plan is None or issubclass(plan.scenario, SimulationScenario):
        environment = stored_environment(path, dataset.attrs.get("environment"), allow_paths)
        return run_again(dataset, environment, n_replicates=replicates, n_threads=threads)
    again = plan.scenario.from_values(plan.parameters).run(
        n_replicates=plan.replicates, rng=seed(dataset.attrs, str(path)), n_threads=threads
    )
    return Verification(tuple(range(plan.replicates or 0)), tuple(compare(dataset, again)), ())


def stored_environment(path: Path, stored: Any, allow_paths: bool) -> Environment:
    """Return the environment whose parameters the file of a run holds."""
    parameters = json_object(stored, f"environment of {path}")
    if parameters.get("type") == "array":
        raise ValueError(
            f"the inputs of {path} were an array, of which it holds the checksum alone; "
            "pass them to adaptnet.simulation.verify.verify"
        )
    if not allow_paths:
        refuse_paths(parameters, path)
    return environments.from_parameters(parameters)


def _progress(path: Path, description: dict[str, Any], processed: dict[int, int]) -> str:
    """Return how far an unfinished run is."""
    n_samples, n_replicates = int(description["n_samples"]), int(description["n_replicates"])
    share = sum(processed.values()) / (n_samples * n_replicates)
    complete = sum(n == n_samples for n in processed.values())
    return (
        f"{path} is unfinished: {share:.1%} of {n_replicates} replicates of {n_samples} samples "
        f"are saved, {complete} replicates are complete, as of the last checkpoints; the command "
        f"that began it resumes it ({description.get('history')})"
    )


def _short(value: Any, length: int = 100) -> str:
    text = json.dumps(value)
    return text if len(text) <= length else text[: length - 3] + "..."
