"""Commands that draw: runs, pages about runs, environments."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import xarray as xr

import adaptnet
import scenarios
from adaptnet import plotting, readaptation_times
from adaptnet._words import suggestion
from adaptnet.files.paths import refuse_existing
from adaptnet.files.whole import whole
from scenarios.base import SimulationScenario
from scenarios.cli import options
from scenarios.cli.output import say
from scenarios.cli.plans import parsed_settings
from scenarios.cli.saving import save_picture
from scenarios.cli.stored import scenario_of, threshold_of

_Draw = Callable[[xr.Dataset, float], Any]


def _of_times(draw: Callable[[xr.Dataset], Any]) -> _Draw:
    return lambda dataset, threshold: draw(readaptation_times(dataset, threshold))


# What each kind draws, from a run and a threshold, to a figure and its axes.
_KINDS: dict[str, _Draw] = {
    "readaptation": plotting.plot_readaptation,
    "aligned": plotting.plot_aligned,
    "survival": _of_times(plotting.plot_survival),
    "transitions": _of_times(plotting.plot_transition_matrix),
    "scaling": _of_times(plotting.plot_scaling),
    "spectrum": lambda dataset, _: plotting.plot_spectrum(dataset),
}


@click.command()
@options.a_run
@options.output("Picture")
@options.threshold
@click.option(
    "--kind",
    type=click.Choice([*_KINDS, "matrices", "ellipses"]),
    help="What to draw.  [default: what the run's scenario draws]",
)
@click.option("--change", type=int, help="Change to draw, from 0 (matrices, ellipses, sweeps).")
@click.option(
    "--circuit", "circuits", metavar="NAME", multiple=True, help="Circuit to draw.  [default: all]"
)
@click.option("--dpi", type=click.IntRange(10, 2400), help="Dots per inch.  [default: the style's]")
@options.style
@options.overwrite
@options.importing
def plot(
    path: Path,
    output: Path | None,
    threshold: float | None,
    kind: str | None,
    change: int | None,
    circuits: tuple[str, ...],
    dpi: int | None,
    style: str,
    overwrite: bool,
) -> None:
    """Draw a run: the picture of its scenario if it has one, or else the errors of its circuits."""
    dataset = _with_circuits(adaptnet.load(path), circuits, path)
    is_sweep = dataset.attrs.get("kind") == "sweep"
    if change is not None and kind not in ("matrices", "ellipses") and not is_sweep:
        raise ValueError("--change needs --kind matrices or --kind ellipses, or a sweep")
    suffix = ".gif" if kind == "ellipses" else ".png"
    picture = output or _free_name(path, kind, suffix, overwrite=overwrite)
    refuse_existing(picture, overwrite=overwrite)
    with plotting.style(style):
        if kind == "ellipses":
            plotting.animate_ellipses(dataset, picture, change or 0)
        elif kind == "matrices":
            save_picture(plotting.plot_matrices(dataset, change or 0)[0], picture, dpi)
        elif is_sweep:
            if kind is not None:
                raise ValueError(f"--kind draws runs, but {path} is a sweep; leave it out")
            save_picture(plotting.plot_sweep(dataset, change=change)[0], picture, dpi)
        elif kind is None and "scenario" in dataset.attrs and not circuits:
            save_picture(_scenario_figure(dataset, threshold, path), picture, dpi)
        else:
            draw = _KINDS[kind or "readaptation"]
            save_picture(draw(dataset, threshold_of(dataset, threshold))[0], picture, dpi)
    say(f"wrote {picture}")


@click.command()
@options.a_run
@options.output("HTML file")
@options.threshold
@options.style
@options.overwrite
def report(
    path: Path, output: Path | None, threshold: float | None, style: str, overwrite: bool
) -> None:
    """Write a page with pictures, tables and provenance of a run, to read offline."""
    dataset = adaptnet.load(path)
    page = output or path.with_suffix(".html")
    refuse_existing(page, overwrite=overwrite)
    figures = []
    if dataset.attrs.get("kind") == "sweep":
        with plotting.style(style):
            figures.append((plotting.plot_sweep(dataset)[0], str(dataset.attrs["title"])))
    if dataset.attrs.get("kind") == "table" and "scenario" in dataset.attrs:
        with plotting.style(style):
            caption = scenarios.find(dataset.attrs["scenario"]).title()
            figures.append((_scenario_figure(dataset, threshold, path), caption))
    level = threshold_of(dataset, threshold)
    text = adaptnet.report(dataset, level, style=style, figures=figures)
    with whole(page) as part:
        part.write_text(text, encoding="utf-8")
    say(f"wrote {page}")


@click.command("plot-environment")
@click.argument("name", metavar="SCENARIO")
@options.output("Picture")
@options.settings
@click.option("--samples", type=int, help="Samples to draw.  [default: the scenario's run]")
@click.option("--seed", type=int, default=0, show_default=True, help="The replicate to draw.")
@options.overwrite
@options.importing
def plot_environment(
    name: str,
    output: Path | None,
    settings: tuple[str, ...],
    samples: int | None,
    seed: int,
    overwrite: bool,
) -> None:
    """Draw a scenario's environment: spectrum, contexts, distance from the start, covariances."""
    kind = scenarios.find(name)
    scenario = kind.from_values(parsed_settings(kind, settings))
    if not isinstance(scenario, SimulationScenario):
        raise ValueError(f"the scenario {name} has no single environment to draw")
    if seed < 0:
        raise ValueError(f"--seed must not be negative, got {seed}")
    picture = output or Path(f"{name}-environment.png")
    refuse_existing(picture, overwrite=overwrite)
    n_samples = scenario.n_samples if samples is None else samples
    figure, _ = plotting.plot_environment(scenario.environment(), n_samples, seed=seed)
    save_picture(figure, picture)
    say(f"wrote {picture}")


def _free_name(path: Path, kind: str | None, suffix: str, *, overwrite: bool) -> Path:
    """Return the name of a picture after its run and kind, numbered if there is one already."""
    stem = path.stem if kind is None else f"{path.stem}-{kind}"
    first = path.with_name(stem + suffix)
    if overwrite or not first.exists():
        return first
    numbered = (path.with_name(f"{stem}-{number}{suffix}") for number in itertools.count(2))
    return next(name for name in numbered if not name.exists())


def _with_circuits(dataset: xr.Dataset, circuits: tuple[str, ...], path: Path) -> xr.Dataset:
    """Return the run with the circuits asked for, by default all."""
    if not circuits:
        return dataset
    known = [str(name) for name in dataset["circuit"].values] if "circuit" in dataset else []
    for name in circuits:
        if name not in known:
            raise ValueError(f"{path} has no circuit {name!r}; {suggestion(name, known)}")
    return dataset.sel(circuit=list(circuits))


def _scenario_figure(dataset: xr.Dataset, threshold: float | None, path: Path) -> Any:
    """Return the figure that the run's scenario draws of it."""
    if threshold is None:
        return scenario_of(dataset, path).plot(dataset)
    if dataset.attrs.get("kind") == "table":
        raise ValueError(
            f"--threshold cannot change what {path} holds: its times were found for its own "
            f"threshold; run it again: adaptnet run {path} --set threshold={threshold:g}"
        )
    return scenario_of(dataset, path, threshold=threshold).plot(dataset)
