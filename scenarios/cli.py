"""The command line. Heavy packages are imported where they are used, so that --help is quick."""

import dataclasses
import json
import logging
import sys
import tomllib
import typing
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from scenarios.base import Scenario, SimulationScenario
from scenarios.session import Terminated, ending_on_sigterm, tell

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

    from adaptnet.verification import Verification
    from environments import Environment

DIVERGED = 3
"""Exit code of a run that is saved but in which a circuit diverged."""

DIFFERS = 4
"""Exit code of a verification that finds a run other than it is stored."""


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
            with warnings.catch_warnings(), ending_on_sigterm():
                warnings.simplefilter("always", UserWarning)
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:  # what was saved, and how to go on, is told already
            sys.exit(143 if isinstance(interrupt, Terminated) else 130)
        except (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError) as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(str(error) or type(error).__name__) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adaptnet")
@click.option("-v", "--verbose", is_flag=True, help="Tell more.")
@click.option("-q", "--quiet", is_flag=True, help="Tell of warnings and errors only.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(verbose: bool, quiet: bool, debug: bool) -> None:
    """Run, inspect and draw simulations of adapting neural circuits."""
    tell(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


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
    plan = _plan(what, allow_paths)
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
    quiet = context.find_root().params["quiet"]
    dataset = scenario.run(
        n_replicates=replicates or plan["replicates"],
        rng=plan["seed"] if seed is None else seed,
        n_threads=threads,
        progress=False if quiet and progress is None else progress,
        **(recording if whole_simulation else {}),
    )
    if not whole_simulation:
        save(dataset, target, overwrite=overwrite)
    with dataset:  # closed here, not whenever and in whatever thread it is collected
        if not (finished and picture.exists()):
            _save_picture(scenario.plot(dataset), picture)
        click.echo(scenario.report(dataset))
        diverged = _diverged(dataset)
    click.echo(f"{target} was finished before" if finished else f"wrote {target} and {picture}")
    click.echo("".join(f"{line}\n" for line in diverged), nl=False)
    if diverged:
        sys.exit(DIVERGED)


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
def info(path: Path) -> None:
    """Say what a run's file holds and how it was made, or how far an unfinished run is."""
    from adaptnet import load
    from adaptnet._checks import json_object
    from adaptnet.durable import progress_made

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
        click.echo(f"    {key} ({', '.join(map(str, variable.dims))}): {variable.long_name}")
    for line in _diverged(dataset):
        click.echo(line)


@main.command()
@click.argument("path", metavar="RUN.nc", type=click.Path(path_type=Path))
@click.option("--replicates", type=int, help="Run only so many again.  [default: all]")
@click.option("--threads", type=int, help="Replicates run at a time.  [default: one a core]")
@click.option("--allow-paths", is_flag=True, help="Read files from any folder that the run names.")
def verify(path: Path, replicates: int | None, threads: int | None, allow_paths: bool) -> None:
    """Run a stored run again from its parameters; say whether it comes out the same, bit for bit.

    Ends with code 4 where it does not.
    """
    from adaptnet.files import is_sealed
    from adaptnet.storage import reading

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
    from adaptnet.storage import seed
    from adaptnet.verification import Verification, compare, verify

    plan = _plan(str(path), allow_paths) if "scenario" in dataset.attrs else None
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
            "give them to adaptnet.verification.verify"
        )
    if not allow_paths:
        _refuse_paths(parameters, path)
    return environments.from_parameters(parameters)


def _refuse_paths(stored: Any, source: Path) -> None:
    """Raise if stored parameters name a file outside the working directory."""
    if isinstance(stored, dict):
        stored = list(stored.values())
    if isinstance(stored, list | tuple):
        for value in stored:
            _refuse_paths(value, source)
    elif isinstance(stored, str) and (Path(stored).is_absolute() or ".." in Path(stored).parts):
        raise ValueError(
            f"{source} asks for a file outside this folder, {stored!r}; if you trust it, "
            "give --allow-paths"
        )


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
            _save_picture(_scenario_figure(dataset, threshold, path), picture)
        else:
            level = _threshold(dataset, threshold)
            _save_picture(_figure(dataset, kind or "readaptation", level), picture)
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
    from adaptnet._checks import json_object

    values = json_object(dataset.attrs.get("scenario_parameters"), f"scenario_parameters of {path}")
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
    _save_picture(figure, picture)
    click.echo(f"wrote {picture}")


def _save_picture(figure: "Figure | SubFigure", picture: Path) -> None:
    """Write a figure whole or not at all."""
    import matplotlib as mpl

    from adaptnet.files import whole

    dpi = mpl.rcParams["savefig.dpi"]  # a style's, where there is one
    with whole(picture) as part:
        suffix = picture.suffix.removeprefix(".") or "png"
        figure.savefig(part, dpi=150 if dpi == "figure" else dpi, format=suffix)  # type: ignore[union-attr]


def _diverged(dataset: "xr.Dataset") -> list[str]:
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


def _plan(what: str, allow_paths: bool) -> dict[str, Any]:
    """Return the scenario, its parameters, replicates, seed and name that `what` asks for."""
    import scenarios

    path = Path(what)
    plan: dict[str, Any] = {"parameters": {}, "replicates": None, "seed": 0, "name": what}
    if path.suffix == ".toml":
        return plan | _from_toml(path) | {"name": path.stem}
    if path.suffix == ".nc":
        return plan | _from_run(path, allow_paths)
    return plan | {"type": scenarios.find(what)}


def _from_toml(path: Path) -> dict[str, Any]:
    import scenarios
    from scenarios.base import suggestion

    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
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


def _from_run(path: Path, allow_paths: bool) -> dict[str, Any]:
    """Return what a run's file says of how to run it again."""
    import scenarios
    from adaptnet._checks import json_object, whole_number
    from adaptnet.storage import attributes, seed

    attrs = attributes(path)
    if "scenario" not in attrs:
        raise ValueError(
            f"{path} was not made by a scenario but by a script, which alone can run it again"
        )
    parameters = json_object(attrs.get("scenario_parameters"), f"scenario_parameters of {path}")
    if not allow_paths:
        _refuse_paths(parameters, path)
    return {
        "type": scenarios.find(str(attrs["scenario"])),
        "parameters": parameters,
        "replicates": whole_number(f"n_replicates of {path}", attrs.get("n_replicates")),
        "seed": seed(attrs, str(path)),
        "name": str(attrs["scenario"]),
    }


def _parsed(scenario: type[Scenario], settings: tuple[str, ...]) -> dict[str, Any]:
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
    from adaptnet._checks import json_object

    stored = json_object(dataset.attrs.get("scenario_parameters", "{}"), "scenario_parameters")
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
