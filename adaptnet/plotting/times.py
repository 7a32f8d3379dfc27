"""Readaptation times: survival curves, a matrix of transitions, scaling."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._words import thousands
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.style import (
    axes_or_new,
    circuit_colours,
    in_style,
    label_samples,
    panels_or_new,
    place_decades,
    wrapped,
)
from adaptnet.readaptation.groups import groups, times_of
from adaptnet.readaptation.kaplan_meier import kaplan_meier
from adaptnet.readaptation.selections import restored
from adaptnet.readaptation.summaries import summary
from adaptnet.readaptation.survival import survival_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


_MARKERS = {"level": "o", "up": "^", "down": "v"}  # by where the total variance goes


@in_style
def plot_survival(
    times: xr.Dataset,
    *,
    by: str = "transition",
    confidence: float | None = 0.95,
    axes: "Any | None" = None,
) -> "tuple[Figure | SubFigure, Any]":
    """Draw Kaplan-Meier curves with bands: the share of replicates that has not readapted yet.

    Parameters
    ----------
    times : Dataset
        As `readaptation_times` returns them.
    by : str
        What to give a panel: transition, context (entered), direction or change.
    confidence : float or None
        Level of the bands; None for none. Groups of a single time have none either way.
    axes : sequence of Axes, optional
        As many as there are panels; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each panel.

    Raises
    ------
    TypeError, ValueError
        As `survival_curves` does, and if `axes` are too few.
    """
    times = restored(times)
    if times.sizes["replicate"] < 2:
        confidence = None
    curves = survival_curves(times, by=by, confidence=confidence)
    labels = curves[by].values
    columns = min(3, len(labels))
    figure, axes = panels_or_new(axes, len(labels), columns)
    names = [str(name) for name in curves["circuit"].values]
    samples, observed = times_of(times)
    members = {group.label: group.members for group in groups(times, by)}
    for i, (ax, label) in enumerate(zip(axes, labels, strict=False)):
        for c, (name, colour) in enumerate(circuit_colours(names).items()):
            one = curves.sel(circuit=name, **{by: label})
            t, share = one["time"].values, one["survival"].values
            t, share = t[one["at_risk"].values > 0], share[one["at_risk"].values > 0]
            if confidence is not None:
                low, high = (one[k].values[: len(t)] for k in ("lower", "upper"))
                ax.fill_between(t, low, high, step="post", color=colour, alpha=0.25, linewidth=0)
            ax.step(t, share, where="post", color=colour, label=name)
            mine = members[label]
            ends = samples[c][mine][~observed[c][mine]]
            if ends.size:
                at = np.interp(ends, t, share)
                ax.plot(ends, at, "|", color=colour, markersize=7)
        ax.set_title(wrapped(str(label)))
        ax.set_ylim(-0.03, 1.03)
        label_samples(ax.xaxis, 4)
        if i % columns == 0:
            ax.set_ylabel("share not yet readapted")
        if i + columns >= len(labels):
            ax.set_xlabel("samples since the change")
            ax.tick_params(labelbottom=True)
    axes[0].set_xlim(left=0)  # last: panels share the axis, and a limit ends its growth
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(texts))
    return figure, axes[: len(labels)]


@in_style
def plot_transition_matrix(
    times: xr.Dataset, *, axes: "Any | None" = None
) -> "tuple[Figure | SubFigure, Any]":
    """Draw the median time of every transition: a row a context left, a column one entered.

    Cells say the median in samples, or "not reached" where fewer than half readapted; transitions
    that did not happen are blank.

    Parameters
    ----------
    times : Dataset
        As `readaptation_times` returns them.
    axes : sequence of Axes, optional
        One for each circuit; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each circuit.

    Raises
    ------
    ValueError
        If `times` are none.
    """
    times = restored(times)
    of = summary(times, by="transition")
    pairs = [str(name).split(" -> ") for name in of["transition"].values]
    # Rows and columns in one order, so that the diagonal is where a context would stay itself.
    contexts = dict.fromkeys(name for pair in pairs for name in pair)
    left, entered = ([c for c in contexts if c in side] for side in zip(*pairs, strict=True))
    names = [str(name) for name in of["circuit"].values]
    own = axes is None
    figure, axes = panels_or_new(axes, len(names), len(names))
    medians = of["median"].transpose("circuit", "transition").values
    finite = medians[np.isfinite(medians) & (medians > 0)]
    norm = mpl.LogNorm(finite.min() * 0.7, finite.max() * 1.5) if finite.size else None
    colours = circuit_colours(names)
    for ax, name, of_circuit in zip(axes, names, medians, strict=False):
        matrix = np.full((len(left), len(entered)), np.nan)
        for (a, b), median in zip(pairs, of_circuit, strict=True):
            at = left.index(a), entered.index(b)
            reached = np.isfinite(median)
            matrix[at] = max(median, 1e-300) if reached else np.nan
            dark = reached and (norm is None or median <= 0 or norm(median) < 0.5)
            if not reached:  # unlike a transition that did not happen
                corner = at[1] - 0.5, at[0] - 0.5
                ax.add_patch(mpl.Rectangle(corner, 1, 1, facecolor="0.9", edgecolor="none"))
            text = thousands(median) if reached else "not\nreached"
            ax.text(at[1], at[0], text, ha="center", va="center", color="w" if dark else "k")
        shown = np.ma.masked_invalid(matrix)
        ax.imshow(shown, cmap="cividis", norm=norm, aspect="auto")
        ax.set_title(name, color=colours[name])
        ax.set_xticks(range(len(entered)), [n.replace("_", "\n") for n in entered])
        ax.set_yticks(range(len(left)), [n.replace("_", "\n") for n in left])
        ax.set_xlabel("context entered")
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
    axes[0].set_ylabel("context left")
    if own:
        figure.suptitle("median samples to readapt", fontsize="medium")
    return figure, axes[: len(names)]


@in_style
def plot_scaling(
    times: xr.Dataset, x: str = "change_distance", *, ax: "Axes | None" = None
) -> "tuple[Figure | SubFigure, Axes]":
    """Draw times against a quantity of the change: medians with quartiles, logarithmic.

    Markers tell changes up, down and level in total variance apart. A median that was not reached
    stands, as an open marker, at the longest time followed: it is beyond.

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
        If `x` is no numeric coordinate of the changes.
    """
    times = restored(times)
    if x not in times.coords or "change" not in times[x].dims or times[x].dtype.kind not in "fi":
        known = [
            str(n) for n, c in times.coords.items() if "change" in c.dims and c.dtype.kind in "fi"
        ]
        raise ValueError(
            f"x must be a numeric coordinate over changes, one of {', '.join(known)}, got {x!r}"
        )
    samples, observed = times_of(times)
    names = [str(name) for name in times["circuit"].values]
    template = times["samples"].isel(circuit=0).transpose("replicate", "change")
    where = times[x].broadcast_like(template).transpose("replicate", "change").values
    there = ~np.isnan(samples[0])
    values = np.unique(np.round(where[there], 12))
    ways = np.full(where.shape, "level")
    if "direction" in times.coords:
        ways = times["direction"].broadcast_like(template).transpose("replicate", "change").values
    figure, ax = axes_or_new(ax)
    width = float(mpl.rcParams["lines.markersize"])
    for c, (name, colour) in enumerate(circuit_colours(names).items()):
        # Error bars side by side, at whatever scale.
        aside = mpl.ScaledTranslation(
            0.9 * width * (c - (len(names) - 1) / 2) / 72, 0, figure.dpi_scale_trans
        )
        at = ax.transData + aside
        ax.plot([], [], "s", color=colour, label=name)
        for value, (towards, marker) in itertools.product(values, _MARKERS.items()):
            mine = there & np.isclose(where, value, rtol=0, atol=1e-12)
            mine &= ways == towards
            if not mine.any():
                continue
            estimate = kaplan_meier(samples[c][mine], observed[c][mine])
            low, middle, high = (float(estimate.quantile(q)) for q in (0.25, 0.5, 0.75))
            end = samples[c][mine].max()
            if np.isfinite(middle):
                bars = [[middle - low], [min(high, end) - middle]]
                ax.errorbar(value, middle, bars, fmt=marker, color=colour, transform=at)
            else:
                ax.plot(value, end, marker, color=colour, fillstyle="none", transform=at)
                low = middle = end
            # Matplotlib leaves what is moved aside out of the limits.
            ax.update_datalim([(value, low), (value, min(high, end))])
    ax.set_yscale("log")
    ax.margins(0.1)
    ax.autoscale_view()
    place_decades(ax.yaxis)
    label_samples(ax.yaxis, None)
    if (values > 0).all() and values.max() > 5 * values.min():
        ax.set_xscale("log")
    long_name = times[x].attrs.get("long_name", x)
    ax.set_xlabel("distance of the change" if x == "change_distance" else long_name)
    ax.set_ylabel("samples to readapt")
    handles, texts = ax.get_legend_handles_labels()
    for towards in (way for way in _MARKERS if way in ways[there]):
        handles += ax.plot([], [], _MARKERS[towards], color="0.6")
        texts.append(f"variance {towards}")
    ax.legend(handles, texts, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure, ax
