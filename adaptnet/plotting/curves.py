"""Errors of circuits over a run, and aligned to its changes."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, positive_number
from adaptnet.plotting.style import (
    axes_or_new,
    circuit_colours,
    in_style,
    label_decades,
    label_samples,
    panels_or_new,
    thin,
    wrapped,
)
from adaptnet.readaptation import peri_change_averages
from adaptnet.readaptation.segments import error_of, segments
from adaptnet.readaptation.selections import restored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


@in_style
def plot_readaptation(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    band: bool | None = None,
    ax: "Axes | None" = None,
) -> "tuple[Figure | SubFigure, Axes]":
    """Draw the error of each circuit over the run: median and quartile band over replicates.

    Changes of context are marked where all replicates share them, and so is the threshold. A
    circuit of which replicates diverged says so in the legend; its curves are of the others.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to draw: whitening_error or frobenius_error.
    band : bool, optional
        Whether to draw the band; by default if there is more than one replicate.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    figure, axes

    Raises
    ------
    TypeError, ValueError
        If the threshold is not positive, the variable is not in the dataset, or a band is asked for
        of a single replicate.
    """
    dataset = restored(dataset)
    threshold = positive_number("threshold", threshold)
    errors = error_of(dataset, variable)
    banded = _band(band, dataset.sizes["replicate"])
    figure, ax = axes_or_new(ax)
    _, stops = segments(dataset)
    if stops.size and stops.max() == dataset["sample"].values[-1]:
        errors = errors.isel(sample=slice(-1))  # the last record sees a context never entered
    samples = errors["sample"].values
    names = [str(name) for name in errors["circuit"].values]
    for name, colour in circuit_colours(names).items():
        curves = errors.sel(circuit=name).transpose("replicate", "sample").values
        n_diverged = int((dataset["diverged_sample"].sel(circuit=name) >= 0).sum())
        label = f"{name} ({n_diverged} of {len(curves)} diverged)" if n_diverged else name
        known = np.isfinite(curves).any(axis=0)
        quartiles = np.nanquantile(curves[:, known], (0.25, 0.5, 0.75), axis=0)
        _curve(ax, samples[known], quartiles, colour, label, banded=banded)
    _threshold(ax, threshold)
    if "replicate" not in dataset["change_sample"].dims:
        for change in dataset["change_sample"].values:
            ax.axvline(change, color="0.6", linestyle=":", linewidth=thin(), zorder=0)
    _logarithmic(ax, threshold)
    ax.set_xlim(0, dataset.attrs["n_samples"])
    label_samples(ax.xaxis)
    ax.set_xlabel("samples processed")
    ax.set_ylabel(_label(errors))
    _legend_above(ax)
    return figure, ax


@in_style
def plot_aligned(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    by: str = "transition",
    band: bool | None = None,
    axes: "Any | None" = None,
) -> "tuple[Figure | SubFigure, Any]":
    """Draw peri-change averages: a panel for each transition, median and quartile band.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to draw: whitening_error or frobenius_error.
    by : str
        What to give a panel: transition, context (entered), direction or change.
    band : bool, optional
        Whether to draw the band; by default if there is more than one replicate.
    axes : sequence of Axes, optional
        As many as there are panels; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each panel.

    Raises
    ------
    TypeError, ValueError
        As :func:`plot_readaptation`, and if there is no change or `axes` are too few.
    """
    dataset = restored(dataset)
    threshold = positive_number("threshold", threshold)
    banded = _band(band, dataset.sizes["replicate"])
    averages = peri_change_averages(dataset, variable=variable, by=by)
    labels = averages[by].values
    figure, axes = panels_or_new(axes, len(labels), min(3, len(labels)))
    names = [str(name) for name in averages["circuit"].values]
    for ax, label in zip(axes, labels, strict=False):
        for name, colour in circuit_colours(names).items():
            one = averages.sel(circuit=name, **{by: label})
            known = one["n"].values > 0
            quartiles = np.stack(
                [one[q].values for q in ("lower_quartile", "median", "upper_quartile")]
            )
            lag = one["lag"].values[known]
            _curve(ax, lag, quartiles[:, known], colour, name, banded=banded)
        _threshold(ax, threshold)
        ax.axvline(0, color="0.6", linestyle=":", linewidth=thin(), zorder=0)
        ax.set_title(wrapped(str(label)))
    for ax in axes[: len(labels)]:  # last: panels may share the axis, and a limit ends its growth
        _logarithmic(ax, threshold)
    place = axes[0].get_subplotspec()
    grid_columns = place.get_gridspec().ncols if place else 1
    for i, ax in enumerate(axes[: len(labels)]):
        if i % grid_columns == 0:
            ax.set_ylabel(_label(dataset[variable]))
        if i + grid_columns >= len(labels):
            ax.set_xlabel("samples since the change")
            ax.tick_params(labelbottom=True)
        label_samples(ax.xaxis, 4)
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(texts))
    return figure, axes[: len(labels)]


def _band(band: bool | None, n_replicates: int) -> bool:
    if band and n_replicates < 2:
        raise ValueError(
            "a band over replicates needs at least 2 of them, got 1; "
            "simulate with n_replicates >= 2, or pass band=False"
        )
    return n_replicates > 1 if band is None else band


def _curve(
    ax: "Axes", x: Floats, quartiles: Floats, colour: str, label: str, *, banded: bool
) -> None:
    low, middle, high = quartiles
    if len(middle) and not middle.any():
        label = f"{label} (0 throughout)"  # which a logarithmic axis cannot show
    if banded:
        ax.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
    ax.plot(x, middle, color=colour, label=label)


def _threshold(ax: "Axes", threshold: float) -> None:
    ax.axhline(
        threshold, color="0.35", linestyle="--", linewidth=thin(), label=f"threshold {threshold:g}"
    )


def _logarithmic(ax: "Axes", threshold: float) -> None:
    """Make the axis logarithmic, but not down to the rounding of a circuit that makes no error."""
    ax.set_yscale("log")
    ax.set_ylim(bottom=max(ax.get_ylim()[0], threshold / 300))
    label_decades(ax.yaxis)


def _label(errors: xr.DataArray) -> str:
    return str(errors.attrs["long_name"]).split(" max")[0].split(" ||")[0]


def _legend_above(ax: "Axes") -> None:
    n = len(ax.get_legend_handles_labels()[1])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(n, 3), borderaxespad=0.2)
