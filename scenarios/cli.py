"""The command line. Heavy packages are imported where they are used, so that --help is quick."""

import dataclasses
import json
import sys
import tomllib
import typing
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    import xarray as xr

    from scenarios.base import Scenario

DIVERGED = 3
"""Exit code of a run that is saved but in which a circuit diverged."""


_KINDS = (
    "readaptation",
    "aligned",
    "survival",
    "transitions",
    "scaling",
    "matrices",
    "spectrum",
    "ellipses",
)


class _Commands(click.Group):
    """Commands that answer bad input with a sentence, and keep tracebacks for bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", UserWarning)
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adaptnet")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Run, inspect and draw simulations of adapting neural circuits."""


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
@click.option(
    "--progress/--no-progress", default=None, help="Progress bar.  [default: on a terminal]"
)
def run(
    what: str,
    output: Path | None,
    settings: tuple[str, ...],
    replicates: int | None,
    seed: int | None,
    threads: int | None,
    preview: bool,
    overwrite: bool,
    progress: bool | None,
) -> None:
    """Run a scenario; write the run and its picture, and print what came out.

    The scenario goes by its name, or is read with its parameters from a TOML file
    (scenario = "...", replicates, seed, [parameters]), or is run again as a run's file says.
    """
    plan = _plan(what)
    scenario_type: type[Scenario] = plan["type"]
    values = {**plan["parameters"], **(scenario_type.preview if preview else {})}
    scenario = scenario_type.from_values({**values, **_parsed(scenario_type, settings)})
    if replicates is not None and replicates < 1:
        raise ValueError(f"--replicates must be at least 1, got {replicates}")

    from adaptnet.storage import refuse_existing, save

    target = output or Path(f"{plan['name']}.nc")
    if target.suffix != ".nc":
        raise ValueError(f"--output must end in .nc, got {target}; the picture goes beside it")
    picture = target.with_suffix(".png")
    for path in (target, picture):
        refuse_existing(path, overwrite=overwrite)
    dataset = scenario.run(
        n_replicates=replicates or plan["replicates"],
        rng=plan["seed"] if seed is None else seed,
        n_threads=threads,
        progress=progress,
    )
    save(dataset, target, overwrite=overwrite)
    scenario.plot(dataset).savefig(picture, dpi=150)  # type: ignore[union-attr]
    click.echo(scenario.report(dataset))
    click.echo(f"wrote {target} and {picture}")
    if "diverged_sample" in dataset and (dataset["diverged_sample"] >= 0).any():
        sys.exit(DIVERGED)


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
def info(path: Path) -> None:
    """Say what a run's file holds and how it was made."""
    from adaptnet import load

    dataset = load(path)
    attrs = dataset.attrs
    for name in ("title", "scenario", "date_created", "history", "source", "git_commit", "truth"):
        if name in attrs:
            click.echo(f"{name}: {attrs[name]}")
    click.echo(f"seed: {attrs['seed_entropy']}, spawn key {attrs['seed_spawn_key']}")
    click.echo("sizes: " + ", ".join(f"{size} {dim}" for dim, size in dataset.sizes.items()))
    for name in ("scenario_parameters", "circuits", "versions"):
        if name in attrs:
            click.echo(f"{name}:")
            for key, value in json.loads(attrs[name]).items():
                click.echo(f"    {key}: {_short(value)}")
    click.echo("variables:")
    for key, variable in dataset.data_vars.items():
        click.echo(f"    {key} ({', '.join(map(str, variable.dims))}): {variable.long_name}")
    if "diverged_sample" not in dataset:
        return
    diverged = dataset["diverged_sample"]
    for index in zip(*(diverged.values >= 0).nonzero(), strict=True):
        circuit, replicate = diverged["circuit"].values[index[0]], index[1]
        click.echo(f"diverged: {circuit}, replicate {replicate}, sample {diverged.values[index]}")


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
@click.option("--threshold", type=float, help="Error to fall below.  [default: the run's, or 0.1]")
def readapt(path: Path, threshold: float | None) -> None:
    """Print how many samples each circuit takes to readapt after each change."""
    from adaptnet import load
    from adaptnet.report import run_warnings
    from scenarios.tables import readaptation_table

    dataset = load(path)
    level = _threshold(dataset, threshold)
    click.echo(readaptation_table(dataset, level))
    for sentence in run_warnings(dataset, level):
        click.echo(f"note: {sentence}")


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture to write.")
@click.option("--threshold", type=float, help="Error to mark.  [default: the run's, or 0.1]")
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    help="What to draw.  [default: what the run's scenario draws]",
)
@click.option("--style", type=click.Choice(["paper", "talk"]), default="paper", show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def plot(
    path: Path,
    output: Path | None,
    threshold: float | None,
    kind: str | None,
    style: str,
    overwrite: bool,
) -> None:
    """Draw a run as its scenario draws it; a run without one, by the circuits' errors."""
    from adaptnet import load, plotting
    from adaptnet.plotting import style as styled
    from adaptnet.storage import refuse_existing

    dataset = load(path)
    picture = output or path.with_suffix(".gif" if kind == "ellipses" else ".png")
    refuse_existing(picture, overwrite=overwrite)
    with styled(style):
        if kind == "ellipses":
            plotting.animate_ellipses(dataset, picture)
        elif kind is None and "scenario" in dataset.attrs:
            _scenario_figure(dataset, threshold, path).savefig(picture)
        else:
            level = _threshold(dataset, threshold)
            _figure(dataset, kind or "readaptation", level).savefig(picture)
    click.echo(f"wrote {picture}")


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="HTML file to write.")
@click.option("--threshold", type=float, help="Error to fall below.  [default: the run's, or 0.1]")
@click.option("--style", type=click.Choice(["paper", "talk"]), default="paper", show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def report(
    path: Path, output: Path | None, threshold: float | None, style: str, overwrite: bool
) -> None:
    """Write a page with pictures, tables and provenance of a run, to read offline."""
    import adaptnet
    from adaptnet.storage import refuse_existing

    dataset = adaptnet.load(path)
    page = output or path.with_suffix(".html")
    refuse_existing(page, overwrite=overwrite)
    text = adaptnet.report(dataset, _threshold(dataset, threshold), style=style)
    page.write_text(text, encoding="utf-8")
    click.echo(f"wrote {page}")


def _scenario_figure(dataset: "xr.Dataset", threshold: float | None, path: Path) -> Any:
    """Return the figure that the run's scenario draws of it."""
    import scenarios

    values = json.loads(dataset.attrs["scenario_parameters"])
    if threshold is not None:
        values["threshold"] = _changeable(dataset, threshold, path)
    return scenarios.find(dataset.attrs["scenario"]).from_values(values).plot(dataset)


def _figure(dataset: "xr.Dataset", kind: str, threshold: float) -> Any:
    from adaptnet import plotting, readaptation_times

    if kind == "readaptation":
        return plotting.plot_readaptation(dataset, threshold)[0]
    if kind == "aligned":
        return plotting.plot_aligned(dataset, threshold)[0]
    if kind == "matrices":
        return plotting.plot_matrices(dataset)[0]
    if kind == "spectrum":
        return plotting.plot_spectrum(dataset)[0]
    draw: dict[str, Any] = {
        "survival": plotting.plot_survival,
        "transitions": plotting.plot_transition_matrix,
        "scaling": plotting.plot_scaling,
    }
    return draw[kind](readaptation_times(dataset, threshold))[0]


@main.command("plot-environment")
@click.argument("name", metavar="SCENARIO")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture file to write.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a parameter.")
@click.option("--samples", type=int, help="Samples to draw.  [default: the scenario's run]")
@click.option("--seed", type=int, default=0, show_default=True, help="The replicate to draw.")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def plot_environment(
    name: str,
    output: Path | None,
    settings: tuple[str, ...],
    samples: int | None,
    seed: int,
    overwrite: bool,
) -> None:
    """Draw a scenario's environment: spectrum, contexts, distance from the start, covariances."""
    import scenarios
    from scenarios.base import SimulationScenario

    kind = scenarios.find(name)
    scenario = kind.from_values(_parsed(kind, settings))
    if not isinstance(scenario, SimulationScenario):
        raise ValueError(f"the scenario {name} has no single environment to draw")
    if seed < 0:
        raise ValueError(f"--seed must not be negative, got {seed}")

    from adaptnet.plotting import plot_environment as drawn
    from adaptnet.storage import refuse_existing

    picture = output or Path(f"{name}-environment.png")
    refuse_existing(picture, overwrite=overwrite)
    n_samples = scenario.n_samples if samples is None else samples
    figure, _ = drawn(scenario.environment(), n_samples, seed=seed)
    figure.savefig(picture, dpi=150)
    click.echo(f"wrote {picture}")


def _plan(what: str) -> dict[str, Any]:
    """Return the scenario, its parameters, replicates, seed and name that `what` asks for."""
    import scenarios

    path = Path(what)
    plan: dict[str, Any] = {"parameters": {}, "replicates": None, "seed": 0, "name": what}
    if path.suffix == ".toml":
        return plan | _from_toml(path) | {"name": path.stem}
    if path.suffix == ".nc":
        return plan | _from_run(path)
    return plan | {"type": scenarios.find(what)}


def _from_toml(path: Path) -> dict[str, Any]:
    import scenarios
    from scenarios.base import suggestion

    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    kinds = {"scenario": str, "replicates": int, "seed": int, "parameters": dict}
    for key, value in given.items():
        if key not in kinds:
            raise ValueError(f"{path}: there is no key {key!r}; {suggestion(key, kinds)}")
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise TypeError(f"{path}: {key} must be of type {kinds[key].__name__}, got {value!r}")
    if "scenario" not in given:
        raise ValueError(f'{path} must name a scenario: scenario = "switching"')
    return given | {"type": scenarios.find(given["scenario"])}


def _from_run(path: Path) -> dict[str, Any]:
    """Return what a run's file says of how to run it again."""
    import numpy as np

    import scenarios
    from adaptnet import load

    dataset = load(path)
    attrs = dataset.attrs
    if "scenario" not in attrs:
        raise ValueError(
            f"{path} was not made by a scenario but by a script, which alone can run it again"
        )
    seed: np.random.SeedSequence = np.random.SeedSequence(
        json.loads(attrs["seed_entropy"]), spawn_key=json.loads(attrs["seed_spawn_key"])
    )
    return {
        "type": scenarios.find(attrs["scenario"]),
        "parameters": json.loads(attrs["scenario_parameters"]),
        "replicates": int(attrs["replicates"]),
        "seed": seed,
        "name": attrs["scenario"],
    }


def _parsed(scenario: "type[Scenario]", settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters set on the command line, of the types that the scenario gives them."""
    from scenarios.base import parsed, suggestion

    kinds = typing.get_type_hints(scenario)
    names = [field.name for field in dataclasses.fields(scenario)]
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set must be given as name=value, got {setting!r}")
        if name not in names:
            raise ValueError(f"there is no parameter {name!r}; {suggestion(name, names)}")
        values[name] = parsed(name, text, kinds[name])
    return values


def _threshold(dataset: "xr.Dataset", given: float | None) -> float:
    """Return the threshold asked for, or else the one of the run's scenario."""
    if given is not None:
        return given
    stored = json.loads(dataset.attrs.get("scenario_parameters", "{}"))
    return float(stored.get("threshold", 0.1))


def _changeable(dataset: "xr.Dataset", threshold: float, path: Path) -> float:
    """Return the threshold if results can be seen at another than they were found for."""
    if dataset.attrs.get("kind") == "table":
        raise ValueError(
            f"--threshold cannot change what {path} holds: its times were found for its own "
            f"threshold; run it again: adaptnet run {path} --set threshold={threshold:g}"
        )
    return threshold


def _short(value: Any, length: int = 100) -> str:
    text = json.dumps(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    click.echo(f"warning: {message}", err=True)
