"""Maps of a sweep: over two parameters, or at the points of a list."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.estimates import MOST_PANELS, Estimates
from adaptnet.plotting.figures import new_grid
from adaptnet.plotting.labels import fitting_size
from adaptnet.plotting.parameters import parameter_name, positions, scale_axis, value_text
from adaptnet.plotting.style import circuit_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_maps(
    dataset: xr.Dataset, shown: Estimates, swept: list[str], third: str | None
) -> "tuple[Figure, Any]":
    """Draw a map for each circuit, in rows for the values of a third parameter."""
    circuits = [str(circuit) for circuit in shown.table["middle"]["circuit"].values]
    rows = [None] if third is None else list(range(dataset.sizes[third]))[:MOST_PANELS]
    middle = shown.table["middle"]
    middle = middle.isel(change=0) if "change" in middle.dims else middle
    figure, grid = new_grid(len(rows), len(circuits), sharex=True, sharey=True)
    finite = middle.values[np.isfinite(middle.values)]
    norm = _norm(finite)
    for r, row in enumerate(rows):
        for c, circuit in enumerate(circuits):
            one = middle.isel(circuit=c)
            if third is not None:
                one = one.isel({third: row})
            ax = grid[r, c]
            _map(ax, one.transpose(swept[1], swept[0]).values, norm)
            _name_values(ax, dataset, swept)
            _title(ax, circuit, circuits)
            if third is not None:
                value = value_text(dataset[third].values[row])
                ax.set_title(f"{circuit}, {parameter_name(third)} {value}", fontsize="medium")
    _colour_bar(figure, grid, norm, shown.label)
    for ax in grid[:, 0]:
        ax.set_ylabel(parameter_name(swept[1]))
    figure.supxlabel(parameter_name(swept[0]), fontsize=mpl.rcParams["font.size"])
    return figure, grid


def draw_points(dataset: xr.Dataset, shown: Estimates, swept: list[str]) -> "tuple[Figure, Any]":
    """Draw the points of a list: along one parameter, or in the plane of the first two."""
    circuits = [str(circuit) for circuit in shown.table["middle"]["circuit"].values]
    figure, grid = new_grid(1, len(circuits), sharex=True, sharey=True)
    middle = shown.table["middle"]
    middle = middle.isel(change=0) if "change" in middle.dims else middle
    (x, xticks), (y, yticks) = (positions(dataset[name].values) for name in swept[:2])
    norm = _norm(middle.values[np.isfinite(middle.values)])
    for c, (ax, circuit) in enumerate(zip(grid[0], circuits, strict=True)):
        values = middle.isel(circuit=c).values
        finite, unreached = np.isfinite(values), np.isinf(values)
        if finite.any():
            ax.scatter(x[finite], y[finite], c=values[finite], cmap="cividis", norm=norm)
        ax.plot(x[unreached], y[unreached], "^", color="0.5", fillstyle="none")
        _title(ax, circuit, circuits)
        scale_axis(ax, "x", x, xticks)
        scale_axis(ax, "y", y, yticks)
    _colour_bar(figure, grid, norm, shown.label)
    grid[0, 0].set_ylabel(parameter_name(swept[1]))
    figure.supxlabel(parameter_name(swept[0]), fontsize=mpl.rcParams["font.size"])
    return figure, grid[0]


def _norm(finite: Floats) -> Any:
    if not finite.size:
        return None
    low, high = float(finite.min()), float(finite.max())
    if low > 0 and high > 3 * low:
        return mpl.LogNorm(low, high)
    return mpl.Normalize(low, high if high > low else low + 1.0)


def _map(ax: "Axes", values: Floats, norm: Any) -> None:
    """Draw values as cells; infinite ones are hatched, missing ones blank."""
    shown = np.ma.masked_invalid(values)
    ax.imshow(shown, cmap="cividis", norm=norm, aspect="auto", origin="lower")
    for row, column in np.argwhere(np.isinf(values)):
        corner = column - 0.5, row - 0.5
        ax.add_patch(mpl.Rectangle(corner, 1, 1, facecolor="0.85", edgecolor="white", hatch="///"))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _name_values(ax: "Axes", dataset: xr.Dataset, swept: list[str]) -> None:
    """Write values at cells, so many that they do not touch."""
    for name, place in zip(swept, (ax.set_xticks, ax.set_yticks), strict=True):
        values = dataset[name].values
        at = np.arange(0, len(values), -(-len(values) // 6))
        texts = [value_text(values[i]) for i in at]
        place(at, texts, fontsize=fitting_size(texts, 22))


def _title(ax: "Axes", circuit: str, circuits: list[str]) -> None:
    colour = circuit_colours(circuits)[circuit] if circuit else "k"
    ax.set_title(circuit, fontsize="medium", color=colour)


def _colour_bar(figure: "Figure", grid: Any, norm: Any, label: str) -> None:
    if norm is None:
        return
    axis = figure.colorbar(mpl.ScalarMappable(norm, "cividis"), ax=grid, label=label).ax.yaxis
    if isinstance(norm, mpl.LogNorm):
        axis.set_major_locator(mpl.LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(mpl.NullFormatter())
    axis.set_major_formatter(mpl.EngFormatter(sep="") if norm.vmax >= 1000 else "{x:g}")
