"""Errors of circuits over a run, and aligned to its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, positive_number
from adaptnet.files.validation import validate
from adaptnet.plotting.changes import mark_changes, name_contexts, without_next_context
from adaptnet.plotting.figures import axes_or_new, panels_or_new
from adaptnet.plotting.labels import (
    data_range,
    in_seconds,
    label_decades,
    label_panels,
    label_samples,
    legend_of_panels,
    sampling_rate,
    thin,
    title_panels,
)
from adaptnet.plotting.style import circuit_colours, in_style
from adaptnet.readaptation import peri_change_averages
from adaptnet.readaptation.changes import change_coordinates
from adaptnet.readaptation.groups import groups
from adaptnet.readaptation.quantiles import finite_quantiles
from adaptnet.readaptation.segments import error_of
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
    ax: Axes | None = None,
) -> tuple[Figure | SubFigure, Axes]:
    """Draw the error of each circuit over the run: median and quartile band over replicates.

    Changes of context are marked, and named above the curves, if all replicates share them; a
    change that takes time is shaded. The threshold is a dashed line. If replicates of a circuit
    diverged, the legend says how many; the circuit's curve is that of the others. Of recorded
    responses the band is the interval over trials, if these were pooled, and a dotted line is the
    sampling floor. On the axes of a simulation they are drawn beside it.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to draw: whitening_error or frobenius_error.
    band : bool, optional
        Whether to draw the band; by default if there is more than one replicate, or an interval.
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

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400)
    >>> figure, ax = an.plot_readaptation(run, threshold=0.1)
    >>> ax.get_ylabel()
    'whitening error'
    """
    dataset = validate(restored(dataset), run=True)
    threshold = positive_number("threshold", threshold)
    error_of(dataset, variable)
    shown = without_next_context(dataset)
    intervals = _intervals(shown, variable)
    is_interval = intervals is not None and band is not False
    banded = is_interval or _is_banded(band, dataset.sizes["replicate"])
    errors = shown[variable].transpose("circuit", "replicate", "sample")
    is_new = ax is None
    figure, ax = axes_or_new(ax)
    samples = errors["sample"].values
    names = [str(name) for name in errors["circuit"].values]
    lost = (shown["diverged_sample"] >= 0).sum("replicate")
    for c, ((name, colour), curves, n_lost) in enumerate(
        zip(circuit_colours(names).items(), errors.values, lost.values, strict=True)
    ):
        label = f"{name} ({n_lost} of {len(curves)} diverged)" if n_lost else name
        known = np.isfinite(curves).any(axis=0)
        quartiles = finite_quantiles(curves[:, known], (0.25, 0.5, 0.75))
        if intervals is not None:
            quartiles[[0, 2]] = intervals[:, c][:, known]
        _curve(ax, samples[known], quartiles, colour, label, banded=banded)
    _threshold(ax, threshold)
    _sampling_floor(ax, shown, variable)
    _logarithmic(ax, threshold)
    ax.set_xlim(0, dataset.attrs["n_samples"])
    mark_changes(ax, dataset)
    name_contexts(ax, dataset)
    label_decades(ax.yaxis)
    rate = sampling_rate(dataset)
    label_samples(ax.xaxis, rate=rate)
    ax.set_xlabel(in_seconds("samples processed", rate))
    ax.set_ylabel(_label(errors))
    legend_of_panels(figure, ax, is_new=is_new)
    return figure, ax


@in_style
def plot_aligned(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    by: str = "transition",
    band: bool | None = None,
    axes: Any | None = None,
) -> tuple[Figure | SubFigure, Any]:
    """Draw peri-change averages: a panel for each transition, median and quartile band.

    Changes that take time are shaded, from their beginning to the median of their ends.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to draw: whitening_error or frobenius_error.
    by : str
        What each panel pools: transition, context (entered), direction or change.
    band : bool, optional
        Whether to draw the band; by default if there is more than one replicate.
    axes : array of Axes, optional
        At least as many as there are panels; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each panel.

    Raises
    ------
    TypeError, ValueError
        As :func:`plot_readaptation`, and if there is no change or `axes` are too few.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400)
    >>> figure, axes = an.plotting.plot_aligned(run)
    >>> len(axes)
    2
    """
    dataset = validate(restored(dataset), run=True)
    threshold = positive_number("threshold", threshold)
    error_of(dataset, variable)
    banded = _is_banded(band, dataset.sizes["replicate"])
    averages = peri_change_averages(dataset, variable=variable, by=by)
    labels = averages[by].values
    durations = _durations(dataset, by)
    is_new = axes is None
    figure, axes, columns = panels_or_new(axes, len(labels))
    names = [str(name) for name in averages["circuit"].values]
    for ax, label in zip(axes, labels, strict=True):
        for name, colour in circuit_colours(names).items():
            average = averages.sel(circuit=name, **{by: label})
            known = average["n"].values > 0
            quartiles = np.stack(
                [average[q].values for q in ("lower_quartile", "median", "upper_quartile")]
            )
            lag = average["lag"].values[known]
            _curve(ax, lag, quartiles[:, known], colour, name, banded=banded)
        _threshold(ax, threshold)
        ax.axvline(0, color="0.6", linestyle=":", linewidth=thin(), zorder=0)
        if durations[label]:
            end = min(durations[label], float(averages["lag"].max()))
            ax.axvspan(0, end, facecolor="0.92", edgecolor="none", zorder=-1)
    for ax in axes:  # last: panels may share the axis, and a limit ends its growth
        _logarithmic(ax, threshold)
    title_panels(axes, labels, columns)
    rate = sampling_rate(dataset)
    label_panels(axes, columns, _label(dataset[variable]), "samples since the change", rate)
    legend_of_panels(figure, axes[0], is_new=is_new)
    return figure, axes


def _durations(dataset: xr.Dataset, by: str) -> dict[Any, float]:
    """Return the median number of samples that the changes of each panel take."""
    changes = xr.Dataset(coords=change_coordinates(dataset))
    taken = (dataset["change_end"] - dataset["change_sample"]).broadcast_like(
        xr.DataArray(
            np.empty((dataset.sizes["replicate"], dataset.sizes["change"])),
            dims=("replicate", "change"),
        )
    )
    values = taken.transpose("replicate", "change").values
    return {group.label: float(np.median(values[group.members])) for group in groups(changes, by)}


def _intervals(dataset: xr.Dataset, variable: str) -> Floats | None:
    """Return the limits (limit, circuit, sample) of an error over pooled trials, if there are."""
    names = [f"{variable}_low", f"{variable}_high"]
    if not set(names) <= set(dataset.data_vars) or dataset.sizes["replicate"] != 1:
        return None
    dims = ("circuit", "sample")
    return np.stack([dataset[name].isel(replicate=0).transpose(*dims).values for name in names])


def _sampling_floor(ax: Axes, dataset: xr.Dataset, variable: str) -> None:
    """Draw what white responses would show, of which only some samples are known."""
    floor = dataset.get(f"{variable}_sampling_floor")
    if floor is None:
        return
    ax.plot(
        floor["sample"], floor, color="0.35", linestyle=":", linewidth=thin(),
        label="sampling floor",
    )  # fmt: skip


def _is_banded(band: bool | None, n_replicates: int) -> bool:
    if band and n_replicates < 2:
        raise ValueError(
            "a band over replicates needs at least 2 of them, got 1; "
            "simulate with n_replicates >= 2, or pass band=False"
        )
    return n_replicates > 1 if band is None else band


def _curve(
    ax: Axes, x: Floats, quartiles: Floats, colour: str, label: str, *, banded: bool
) -> None:
    low, middle, high = quartiles
    if len(middle) and not middle.any():
        label = f"{label} (0 throughout)"  # a logarithmic axis cannot show it
    if banded:
        ax.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
    ax.plot(x, middle, color=colour, label=label)


def _threshold(ax: Axes, threshold: float) -> None:
    ax.axhline(
        threshold, color="0.35", linestyle="--", linewidth=thin(), label=f"threshold {threshold:g}"
    )


def _logarithmic(ax: Axes, threshold: float) -> None:
    """Make the axis logarithmic, but not down to the rounding of a circuit that makes no error."""
    low, high = data_range(ax)
    ax.set_ylim(max(low, threshold / 300), high)
    ax.set_yscale("log")  # after the limits: matplotlib's own margins may overflow
    label_decades(ax.yaxis)


def _label(errors: xr.DataArray) -> str:
    return str(errors.attrs["long_name"]).split(" max")[0].split(" ||")[0]
