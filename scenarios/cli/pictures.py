"""Commands that draw: runs, pages about runs, environments."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.base import SimulationScenario
from scenarios.cli.group import main
from scenarios.cli.plans import parsed_settings
from scenarios.cli.stored import threshold_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

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
    from adaptnet.files.storage import refuse_existing
    from adaptnet.plotting import style as styled

    dataset = load(path)
    picture = output or path.with_suffix(".gif" if kind == "ellipses" else ".png")
    refuse_existing(picture, overwrite=overwrite)
    with styled(style):
        if kind == "ellipses":
            plotting.animate_ellipses(dataset, picture)
        elif kind is None and "scenario" in dataset.attrs:
            save_picture(_scenario_figure(dataset, threshold, path), picture)
        else:
            level = threshold_of(dataset, threshold)
            save_picture(_figure(dataset, kind or "readaptation", level), picture)
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
    from adaptnet.files.atomic import whole
    from adaptnet.files.storage import refuse_existing

    dataset = adaptnet.load(path)
    page = output or path.with_suffix(".html")
    refuse_existing(page, overwrite=overwrite)
    text = adaptnet.report(dataset, threshold_of(dataset, threshold), style=style)
    with whole(page) as part:
        part.write_text(text, encoding="utf-8")
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


def _changeable(dataset: "xr.Dataset", threshold: float, path: Path) -> float:
    """Return the threshold if results can be seen at another than they were found for."""
    if dataset.attrs.get("kind") == "table":
        raise ValueError(
            f"--threshold cannot change what {path} holds: its times were found for its own "
            f"threshold; run it again: adaptnet run {path} --set threshold={threshold:g}"
        )
    return threshold


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
    scenario = kind.from_values(parsed_settings(kind, settings))
    if not isinstance(scenario, SimulationScenario):
        raise ValueError(f"the scenario {name} has no single environment to draw")
    if seed < 0:
        raise ValueError(f"--seed must not be negative, got {seed}")

    from adaptnet.files.storage import refuse_existing
    from adaptnet.plotting import plot_environment as drawn

    picture = output or Path(f"{name}-environment.png")
    refuse_existing(picture, overwrite=overwrite)
    n_samples = scenario.n_samples if samples is None else samples
    figure, _ = drawn(scenario.environment(), n_samples, seed=seed)
    save_picture(figure, picture)
    click.echo(f"wrote {picture}")


def save_picture(figure: "Figure | SubFigure", picture: Path) -> None:
    """Write a figure whole or not at all."""
    import matplotlib as mpl

    from adaptnet.files.atomic import whole

    dpi = mpl.rcParams["savefig.dpi"]  # a style's, where there is one
    with whole(picture) as part:
        suffix = picture.suffix.removeprefix(".") or "png"
        figure.savefig(part, dpi=150 if dpi == "figure" else dpi, format=suffix)  # type: ignore[union-attr]
