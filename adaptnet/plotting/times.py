"""Readaptation times: survival curves, a matrix of transitions, scaling."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats
from adaptnet._words import thousands
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.figures import axes_or_new, panels_or_new
from adaptnet.plotting.labels import (
    fitting_size,
    in_seconds,
    label_panels,
    label_samples,
    legend_of_panels,
    place_decades,
    sampling_rate,
    title_panels,
)
from adaptnet.plotting.parameters import value_text
from adaptnet.plotting.style import circuit_colours, in_style
from adaptnet.readaptation.groups import Times, groups, times_of
from adaptnet.readaptation.kaplan_meier import kaplan_meier
from adaptnet.readaptation.selections import restored
from adaptnet.readaptation.summaries import summary
from adaptnet.readaptation.survival import survival_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_MARKERS = {"level": "o", "up": "^", "down": "v"}  # by where the total variance goes
_MANY_CONTEXTS = 3  # beyond, matrices of transitions need the width of two panels


@in_style
def plot_survival(
    times: xr.Dataset,
    *,
    by: str = "transition",
    confidence: float | None = 0.95,
    axes: Any | None = None,
) -> tuple[Figure | SubFigure, Any]:
    """Draw Kaplan-Meier curves with bands: the share of replicates that has not readapted yet.

    Bars mark censored times. Crosses mark circuits that diverged, which count as never readapted.

    Parameters
    ----------
    times : Dataset
        As `readaptation_times` returns them.
    by : str
        What each panel pools: transition, context (entered), direction or change.
    confidence : float or None
        Level of the bands; None for no bands. Groups of a single time have none either way.
    axes : array of Axes, optional
        At least as many as there are panels; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each panel.

    Raises
    ------
    TypeError, ValueError
        As `survival_curves` does, and if `axes` are too few.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400)
    >>> figure, axes = an.plotting.plot_survival(an.readaptation_times(run))
    >>> axes[0].get_ylabel()
    'share not yet below 0.1'
    """
    times = restored(times)
    known = times_of(times)
    if times.sizes["replicate"] < 2:
        confidence = None
    curves = survival_curves(times, by=by, confidence=confidence)
    labels = curves[by].values
    is_new = axes is None
    figure, axes, columns = panels_or_new(axes, len(labels))
    names = [str(name) for name in curves["circuit"].values]
    members = {group.label: group.members for group in groups(times, by)}
    for ax, label in zip(axes, labels, strict=True):
        for c, (name, colour) in enumerate(circuit_colours(names).items()):
            curve = curves.sel(circuit=name, **{by: label})
            mine = known.of(c, members[label])
            followed = curve["at_risk"].values > 0
            if mine.diverged.any() and not mine.censored.any():
                followed[:] = True  # what is left has diverged, and never readapts
            t, share = curve["time"].values[followed], curve["survival"].values[followed]
            if confidence is not None:
                low, high = (curve[limit].values[followed] for limit in ("lower", "upper"))
                ax.fill_between(t, low, high, step="post", color=colour, alpha=0.25, linewidth=0)
            ax.step(t, share, where="post", color=colour, label=name)
            for marker, ended in (("|", mine.censored), ("x", mine.diverged)):
                ends = mine.durations[ended]
                if ends.size and t.size:
                    last = np.searchsorted(t, ends, side="right") - 1
                    ax.plot(ends, share[last], marker, color=colour)
        ax.set_ylim(-0.03, 1.03)
    title_panels(axes, labels, columns)
    rate = sampling_rate(times)
    ylabel = f"share not yet {_reached(times)}"
    label_panels(axes, columns, ylabel, "samples since the change", rate)
    for ax in axes:  # last: panels may share the axis, and a limit ends its growth
        ax.set_xlim(left=0)
    legend_of_panels(figure, axes[0], is_new=is_new)
    return figure, axes


def _reached(times: xr.Dataset) -> str:
    """Return what the times are times to."""
    if "threshold" in times.attrs:
        return f"below {times.attrs['threshold']:g}"
    if "fraction" in times.attrs:
        return f"{times.attrs['fraction']:.0%} recovered"
    return "readapted"


@in_style
def plot_transition_matrix(
    times: xr.Dataset, *, axes: Any | None = None
) -> tuple[Figure | SubFigure, Any]:
    """Draw the median time of every transition: a row per context left, a column per one entered.

    Cells say the median in samples, "diverged" if half or more did, or "not reached" if fewer than
    half readapted; transitions that did not happen are blank.

    Parameters
    ----------
    times : Dataset
        As `readaptation_times` returns them.
    axes : array of Axes, optional
        At least one for each circuit; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each circuit.

    Raises
    ------
    ValueError
        If `times` are not readaptation times.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400)
    >>> figure, (ax,) = an.plotting.plot_transition_matrix(an.readaptation_times(run))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('context entered', 'context left')
    """
    times = restored(times)
    found = summary(times, by="transition").transpose("circuit", "transition")
    medians = found["median"]
    pairs = [str(name).split(" -> ") for name in medians["transition"].values]
    # Rows and columns in one order, so that the diagonal is where a context would stay itself.
    contexts = dict.fromkeys(name for pair in pairs for name in pair)
    left, entered = ([c for c in contexts if c in side] for side in zip(*pairs, strict=True))
    names = [str(name) for name in medians["circuit"].values]
    is_new = axes is None
    columns = 3 if len(contexts) <= _MANY_CONTEXTS else 2
    figure, axes, columns = panels_or_new(axes, len(names), columns)
    if is_new:
        _enlarge(figure, len(left), -(-len(names) // columns))
    finite = medians.values[np.isfinite(medians.values) & (medians.values > 0)]
    norm = mpl.LogNorm(finite.min() * 0.7, finite.max() * 1.5) if finite.size else None
    cell = 72 * 0.65 * figure.figure.get_figwidth() / columns / len(entered)
    for c, (ax, name) in enumerate(zip(axes, names, strict=True)):
        matrix, lost = (np.full((len(left), len(entered)), np.nan) for _ in range(2))
        for i, (a, b) in enumerate(pairs):
            matrix[left.index(a), entered.index(b)] = medians.values[c, i]
            lost[left.index(a), entered.index(b)] = found["diverged"].values[c, i]
        _cells(ax, matrix, lost, norm, cell)
        ax.set_title(name, color=circuit_colours(names)[name])
        _name_contexts(ax, left, entered, cell)
        ax.label_outer()
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    for i, ax in enumerate(axes):
        if i % columns == 0:
            ax.set_ylabel("context left")
        if i + columns >= len(axes):
            ax.tick_params(labelbottom=True)
            ax.set_xlabel("context entered")
    if is_new:
        figure.suptitle("median samples to readapt", fontsize="medium")
    return figure, axes


def _enlarge(figure: Any, n_rows: int, n_panels: int) -> None:
    """Make a figure as high as the cells of its panels need."""
    size = float(mpl.rcParams["font.size"])
    height = n_panels * (max(3, n_rows) * 3 + 8) * size / 72
    figure.set_figheight(max(figure.get_figheight(), height))


def _cells(ax: Axes, matrix: Floats, lost: Floats, norm: Any, width: float) -> None:
    """Draw the medians of a circuit, and say them: infinite ones, which differ from absent ones."""
    without = np.where(lost >= 0.5, "diverged", "not\nreached")
    shown = np.ma.masked_invalid(np.maximum(matrix, 1e-300))
    ax.imshow(shown, cmap="cividis", norm=norm, aspect="auto")
    texts = {
        at: thousands(median) if np.isfinite(median) else str(without[at])
        for at, median in np.ndenumerate(matrix)
        if not np.isnan(median)
    }
    size = fitting_size(texts.values(), width)
    for (row, column), text in texts.items():
        median = matrix[row, column]
        if np.isinf(median):
            corner = column - 0.5, row - 0.5
            ax.add_patch(mpl.Rectangle(corner, 1, 1, facecolor="0.9", edgecolor="none"))
        is_dark = np.isfinite(median) and (norm is None or median <= 0 or norm(median) < 0.5)
        colour = "w" if is_dark else "k"
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)


def _name_contexts(ax: Axes, left: list[str], entered: list[str], width: float) -> None:
    """Name the rows and columns of a matrix, upright if the columns are narrow."""
    below = [name.replace("_", "\n") for name in entered]
    size = float(mpl.rcParams["font.size"])
    fits = fitting_size(below, width, largest=size) > 0.75 * size
    ax.set_xticks(
        range(len(entered)),
        below,
        rotation=0 if fits else 90,
        fontsize=fitting_size(below, width) if fits else size,
    )
    beside = [name.replace("_", "\n") for name in left]
    lines = max(name.count("\n") for name in beside) + 1
    ax.set_yticks(range(len(left)), beside, fontsize=size if lines < 3 else 0.8 * size)


@in_style
def plot_scaling(
    times: xr.Dataset, x: str = "change_distance", *, ax: Axes | None = None
) -> tuple[Figure | SubFigure, Axes]:
    """Draw times against a quantity of the change: medians with quartiles, logarithmic.

    Markers distinguish changes up, down and level in total variance. A median that was not reached
    is an open marker at the longest time followed: the median lies above it.

    Parameters
    ----------
    times : Dataset
        As `readaptation_times` returns them, or several of them concatenated along change.
    x : str
        A numeric coordinate over changes, such as change_distance, or one added by
        ``times.assign_coords(condition=("change", [...]))``.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    figure, axes

    Raises
    ------
    ValueError
        If `x` is not a numeric coordinate of the changes.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400)
    >>> figure, ax = an.plotting.plot_scaling(an.readaptation_times(run))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('distance of the change', 'samples until below 0.1')
    """
    times = restored(times)
    known = times_of(times)
    if x not in times.coords or "change" not in times[x].dims or times[x].dtype.kind not in "fi":
        numeric = [
            str(n) for n, c in times.coords.items() if "change" in c.dims and c.dtype.kind in "fi"
        ]
        raise ValueError(
            f"x must be a numeric coordinate over changes, one of {', '.join(numeric)}, got {x!r}"
        )
    names = [str(name) for name in times["circuit"].values]
    where = _of_changes(times, x)
    there = ~np.isnan(known.durations).all(axis=0)
    values = np.unique(np.round(where[there], 12))
    directions = np.full(where.shape, "level")
    if "direction" in times.coords:
        directions = _of_changes(times, "direction")
    is_new = ax is None
    figure, ax = axes_or_new(ax)
    for c, (name, colour) in enumerate(circuit_colours(names).items()):
        ax.plot([], [], "s", color=colour, label=name)
        for value, (direction, marker) in itertools.product(values, _MARKERS.items()):
            members = there & np.isclose(where, value, rtol=0, atol=1e-12)
            mine = known.of(c, members & (directions == direction))
            if mine.durations.size:
                _quartiles(ax, value, mine, marker, colour)
    ax.set_yscale("log")
    ax.margins(0.1)
    ax.autoscale_view()
    place_decades(ax.yaxis)
    rate = sampling_rate(times)
    label_samples(ax.yaxis, None, rate)
    if values.size and (values > 0).all() and values.max() > 5 * values.min():
        ax.set_xscale("log")
        place_decades(ax.xaxis)
        ax.xaxis.set_major_formatter(lambda value, _: value_text(value))
    if values.size == 1:
        ax.set_xticks(values, [f"{values[0]:.3g}"])
    long_name = times[x].attrs.get("long_name", x)
    ax.set_xlabel("distance of the change" if x == "change_distance" else long_name)
    ax.set_ylabel(in_seconds(f"samples until {_reached(times)}", rate))
    for direction in (d for d in _MARKERS if d in directions[there]):
        ax.plot([], [], _MARKERS[direction], color="0.6", label=f"variance {direction}")
    legend_of_panels(figure, ax, is_new=is_new)
    return figure, ax


def _of_changes(times: xr.Dataset, name: str) -> Any:
    """Return a coordinate of the changes as an array (replicate, change)."""
    template = times["samples"].isel(circuit=0).transpose("replicate", "change")
    return times[name].broadcast_like(template).transpose("replicate", "change").values


def _quartiles(ax: Axes, x: float, times: Times, marker: str, colour: str) -> None:
    """Draw the median of some times and the quartiles, as far as they are known."""
    estimate = kaplan_meier(*times)
    low, middle, high = (float(estimate.quantile(q)) for q in (0.25, 0.5, 0.75))
    end = times.durations.max()
    if np.isfinite(middle):
        bars = [[middle - low], [min(high, end) - middle]]
        # Bars of circuits at the same distance may cover each other: both remain to be seen.
        (_, _, (bar,)) = ax.errorbar(x, middle, bars, fmt=marker, color=colour)
        bar.set_alpha(0.5)
    else:
        ax.plot(x, end, marker, color=colour, fillstyle="none")
