"""Pictures of sweeps: what was kept, against the swept parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.estimates import Estimates, estimates, varying
from adaptnet.plotting.figures import new_grid
from adaptnet.plotting.labels import label_decades, legend_above, thin, wrapped
from adaptnet.plotting.maps import draw_maps, draw_points
from adaptnet.plotting.parameters import is_geometric, parameter_name, positions, scale_axis
from adaptnet.plotting.style import circuit_colours, in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_APART = 0.03  # of the distance of neighbouring values: bars of circuits stand beside each other


@in_style
def plot_sweep(
    dataset: xr.Dataset, variable: str | None = None, *, change: int | None = None
) -> tuple[Figure | SubFigure, Any]:
    """Draw what a sweep kept against the swept parameters.

    Over one parameter curves with 95 % intervals, a panel for each change; over two a map for each
    circuit; over three a row of maps for each value of the third. Of a list of points, each is a
    marker. Axes are logarithmic where values are geometric. Of times the median is drawn; one that
    fewer than half reached is an open marker at the longest time followed, above which it lies, or
    a cell that says so. If the sweep kept the flow's results, they are lines without markers.

    Parameters
    ----------
    dataset : Dataset
        As :func:`adaptnet.sweep` returns it, or a selection.
    variable : str, optional
        What to draw: by default the time if there is one, else the first that was kept. Anything
        but times is averaged over replicates.
    change : int, optional
        The change to draw, of times; by default all over one parameter, else the first.

    Returns
    -------
    figure, axes
        Axes in an array.

    Raises
    ------
    ValueError
        If the dataset is no sweep, nothing varies in it, or it has no such variable or change.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=500)
    >>> def rise(learning_rate):
    ...     circuit = an.DirectCircuit(learning_rate=learning_rate)
    ...     return an.Simulation(circuit, environment, 1000)
    >>> times = an.sweep(rise, {"learning_rate": [1e-3, 2e-3, 4e-3]})
    >>> figure, axes = an.plotting.plot_sweep(times)
    >>> axes[0].get_xscale(), axes[0].get_ylabel()
    ('log', 'samples until below 0.1')
    """
    dims, swept = varying(dataset)
    shown = estimates(dataset, variable, dims, change, all_changes=len(swept) == 1)
    if len(swept) == 1:
        return _curves(dataset, shown, swept[0], dims[0])
    if dims == ("point",):
        return draw_points(dataset, shown, swept)
    if len(swept) == 2:
        return draw_maps(dataset, shown, swept, None)
    if len(swept) == 3:
        return draw_maps(dataset, shown, swept[:2], swept[2])
    raise ValueError(
        f"at most three parameters can be drawn, but {', '.join(swept)} vary; select from them, "
        f"dataset.isel({swept[-1]}=0) for example"
    )


def _panel_names(shown: Estimates) -> list[str]:
    """Return a title for each panel: the transition, if it is the same at all points."""
    if shown.panel is None:
        return [""]
    names = shown.table["middle"].coords.get("transition")
    if names is not None and names.dims == ("change",):
        return [wrapped(str(name)) for name in names.values]
    return [f"change {int(number)}" for number in shown.table["middle"]["change"].values]


def _curves(dataset: xr.Dataset, shown: Estimates, name: str, dim: str) -> tuple[Figure, Any]:
    """Draw curves over one parameter, in the order of its values if they are numbers."""
    values = dataset[name].values
    order = np.arange(len(values)) if values.dtype.kind == "U" else np.argsort(values)
    shown = shown.isel(**{dim: order})
    titles = _panel_names(shown)
    columns = min(3, len(titles))
    figure, grid = new_grid(-(-len(titles) // columns), columns, sharex=True, sharey=True)
    axes = grid.ravel()[: len(titles)]
    for spare in grid.ravel()[len(titles) :]:
        spare.set_visible(False)
    x, ticks = positions(values[order])
    circuits = [str(circuit) for circuit in shown.table["middle"]["circuit"].values]
    shift = _shifts(x, len(circuits), geometric=is_geometric(x) and ticks is None)
    for p, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        for c, (circuit, colour) in enumerate(circuit_colours(circuits).items()):
            one = shown.table.isel(circuit=c)
            one = one.isel(change=p) if shown.panel else one
            _curve(ax, shift(x, c), one, colour, circuit or None)
        ax.set_title(title, fontsize="medium")
        scale_axis(ax, "x", x, ticks)
    _scale_results(axes[0], shown)
    for i, ax in enumerate(axes):
        if i % columns == 0:
            ax.set_ylabel(shown.label)
        if i + columns >= len(axes):
            ax.tick_params(labelbottom=True)
    figure.supxlabel(parameter_name(name), fontsize=mpl.rcParams["font.size"])
    _explain(figure, axes[0], shown)
    return figure, axes


def _curve(ax: Axes, x: Floats, one: xr.Dataset, colour: str, label: str | None) -> None:
    """Draw one circuit's estimates; those beyond what was followed are open markers."""
    middle, low, high, beyond = (one[name].values for name in ("middle", "low", "high", "beyond"))
    finite = np.isfinite(middle)
    top = np.where(np.isfinite(high), high, np.fmax(beyond, middle))
    bars = [middle[finite] - low[finite], top[finite] - middle[finite]]
    drawn = ax.errorbar(
        x[finite], middle[finite], np.maximum(bars, 0), fmt="o-", color=colour, label=label,
        markersize=0.7 * mpl.rcParams["lines.markersize"],
    )  # fmt: skip
    for bar in drawn[2]:
        bar.set_alpha(0.5)
    unreached = np.isinf(middle)
    ax.plot(x[unreached], beyond[unreached], "^", color=colour, fillstyle="none")
    if "predicted" in one:
        ax.plot(x, one["predicted"].values, "--", color=colour, linewidth=thin(), zorder=0)


def _shifts(x: Floats, n: int, *, geometric: bool) -> Callable[[Floats, int], Floats]:
    """Return a function that moves the bars of circuit number c a little."""
    if len(x) < 2 or n < 2:
        return lambda values, c: values
    places = np.sort(np.log(x) if geometric else x)
    step = _APART * float(np.diff(places).min()) / (n - 1)

    def shifted(values: Floats, c: int) -> Floats:
        by = step * (c - (n - 1) / 2)
        moved: Floats = values * np.exp(by) if geometric else values + by
        return moved

    return shifted


def _scale_results(ax: Axes, shown: Estimates) -> None:
    """Make the axis of results logarithmic where they span more than a factor of five."""
    values = np.stack([shown.table[name].values for name in ("middle", "beyond")]).ravel()
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > 5 * values.min():
        ax.set_yscale("log")
        label_decades(ax.yaxis)
        if values.max() >= 1000:
            ax.yaxis.set_major_formatter(mpl.EngFormatter(sep=""))


def _explain(figure: Any, ax: Axes, shown: Estimates) -> None:
    handles, texts = ax.get_legend_handles_labels()
    grey: dict[str, Any] = {"color": "0.4"}
    if "predicted" in shown.table:
        handles.append(ax.plot([], [], "--", linewidth=thin(), **grey)[0])
        texts.append("flow")
    if np.isinf(shown.table["middle"].values).any():
        handles.append(ax.plot([], [], "^", fillstyle="none", linestyle="none", **grey)[0])
        texts.append("median not reached")
    legend_above(figure, handles, texts)
