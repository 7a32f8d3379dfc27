"""Pictures of environments: what the statistics of the inputs do over a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptnet._checks import Floats, Integers, whole_number
from adaptnet._words import thousands
from adaptnet.metrics import affine_invariant_distance
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.figures import new_figure
from adaptnet.plotting.labels import (
    fitting_size,
    label_decades,
    label_samples,
    legend_columns,
    thin,
)
from adaptnet.plotting.style import in_style
from adaptnet.protocols import Environment, Realization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_POINTS = 400
_AT_LEAST, _AT_MOST = 5, 8  # covariances that are shown: one per context if there are not more
_ELLIPSE_AT_MOST = 2  # neurons: beyond, covariances are drawn as images
# Light tints that dark curves stand out on, distinguished by lightness as well as hue.
_BANDS = ("#FFFFFF", "#D9E6F2", "#F6E3C5", "#DDEBD5", "#EBD9E6", "#E3E3E3", "#CFE8E8", "#F7D6D0")


@in_style
def plot_environment(
    environment: Environment,
    n_samples: int,
    *,
    seed: int | np.random.SeedSequence = 0,
    axes: Any | None = None,
) -> tuple[Figure | SubFigure, dict[str, Axes]]:
    """Draw an environment: its contexts, spectrum, distance from the start, and covariances.

    Parameters
    ----------
    environment : Environment
        One whose truth is known, exactly or empirically.
    n_samples : int
        Length of the run that is drawn.
    seed : int or SeedSequence
        The replicate that is drawn, if replicates differ.
    axes : array of Axes, optional
        Seven or more: for the spectrum, for the distance, and for covariances; by default a new
        figure.

    Returns
    -------
    figure
    axes : dict
        ``"spectrum"`` (eigenvalues over samples, contexts as bands), ``"distance"``
        (affine-invariant, from the covariance of sample 0), and ``"covariance_0"`` and on: at least
        five covariances, from the middles of segments, of every context if there are at most eight.
        Triangles mark their samples. For two neurons they are ellipses of one standard deviation,
        for more images, each on the scale of its own largest entry, which stands below it, in the
        colours of ``"scale"``.

    Raises
    ------
    TypeError, ValueError
        If `environment` is not an environment, `n_samples` is not a positive whole number or not a
        run that the environment can give, its covariances are not known, or `axes` are too few.

    Examples
    --------
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> figure, axes = plot_environment(environment, 400)
    >>> list(axes)[:3]
    ['spectrum', 'distance', 'covariance_0']
    """
    n_samples = whole_number("n_samples", n_samples)
    if not isinstance(environment, Environment):
        raise TypeError(f"environment must be an environment, got {environment!r}")
    if environment.truth == "absent":
        raise ValueError(
            "environment must have a truth to be drawn, but nothing is known of its covariances; "
            "for recordings choose truth='segment' or 'window'"
        )
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    realization = environment.realize(root)
    changes = realization.change_samples(n_samples)
    edges = np.concatenate([[0], changes, [n_samples]])
    contexts = realization.contexts(edges[:-1])
    at = _shown_samples(edges, contexts)
    figure, panels = _panels(axes, len(at))
    for ax in (panels["spectrum"], panels["distance"]):
        _bands(ax, environment.context_names, edges, contexts)
    _curves(panels["spectrum"], panels["distance"], realization, changes, n_samples)
    _name_bands(panels["spectrum"], figure)
    # Where in the run the covariances lie.
    below = panels["distance"].get_xaxis_transform()
    area = (0.6 * float(mpl.rcParams["font.size"])) ** 2
    panels["distance"].scatter(
        at,
        np.zeros(len(at)),
        marker="^",
        s=area,
        color="0.2",
        transform=below,
        clip_on=False,
        zorder=3,
    )
    shown = [panels[f"covariance_{i}"] for i in range(len(at))]
    titles = [f"sample\n{thousands(sample)}" for sample in at]
    width = 72 * 0.85 * figure.figure.get_figwidth() / len(at)
    for ax, title in zip(shown, titles, strict=True):
        ax.set_title(title, fontsize=fitting_size(titles, width))
    covariances = realization.covariances(at)
    if environment.n_neurons <= _ELLIPSE_AT_MOST:
        _ellipses(shown, covariances)
    else:
        panels["scale"] = _images(shown, covariances)
    return figure, panels


def _shown_samples(edges: Integers, contexts: Integers) -> Integers:
    """Return the samples whose covariances are shown: middles of segments, of each context one.

    Examples
    --------
    >>> _shown_samples(np.array([0, 100, 200, 300]), np.array([0, 1, 0]))
    array([ 25,  75, 125, 175, 250])
    """
    _, first = np.unique(contexts, return_index=True)
    per_segment = np.zeros(len(contexts), dtype=np.int64)
    per_segment[np.sort(first)[:_AT_MOST]] = 1
    lengths = np.diff(edges)
    while per_segment.sum() < min(_AT_LEAST, edges[-1]):
        # Where the longest stretch is without: segments that have none yet, then long ones.
        gaps = np.where(per_segment == 0, 2.0 * lengths, lengths / np.maximum(per_segment, 1))
        per_segment[gaps.argmax()] += 1
    return np.concatenate(
        [
            start + (length * (2 * np.arange(n) + 1)) // (2 * n)
            for start, length, n in zip(edges[:-1], lengths, per_segment, strict=True)
            if n
        ]
    )


def _panels(axes: Any, n_shown: int) -> tuple[Figure | SubFigure, dict[str, Axes]]:
    """Return the figure and its panels, new ones if `axes` is None."""
    names = ["spectrum", "distance", *(f"covariance_{i}" for i in range(n_shown))]
    if axes is not None:
        flat = np.ravel(np.asarray(axes, dtype=object))
        if len(flat) < len(names):
            raise ValueError(f"axes must hold one for each of {len(names)} panels, got {len(flat)}")
        return flat[0].figure, dict(zip(names, flat, strict=False))
    figure = new_figure(2.1, 2.2)
    grid = figure.add_gridspec(3, n_shown, height_ratios=(1.3, 1.0, 1.0))
    spectrum = figure.add_subplot(grid[0, :])
    distance = figure.add_subplot(grid[1, :], sharex=spectrum)
    spectrum.tick_params(labelbottom=False)
    below = [figure.add_subplot(grid[2, i]) for i in range(n_shown)]
    return figure, dict(zip(names, [spectrum, distance, *below], strict=True))


def _bands(ax: Axes, names: Sequence[str], edges: Integers, contexts: Integers) -> None:
    """Shade the contexts."""
    seen: set[int] = set()
    for context, start, stop in zip(contexts.tolist(), edges[:-1], edges[1:], strict=True):
        label = names[context] if context not in seen and len(names) > 1 else None
        seen.add(context)
        colour = _BANDS[context % len(_BANDS)]
        ax.axvspan(start, stop, facecolor=colour, edgecolor="none", label=label, zorder=0)


def _curves(
    spectrum: Axes, distance: Axes, realization: Realization, changes: Integers, n_samples: int
) -> None:
    """Draw eigenvalues, and the distance from the start, over samples."""
    # Both sides of each change, so that steps are drawn as steps.
    even = np.linspace(0, n_samples - 1, _POINTS).astype(np.int64)
    samples = np.unique(np.concatenate([even, changes[:_POINTS], changes[:_POINTS] - 1]))
    covariances = realization.covariances(samples)
    spectrum.plot(samples, np.linalg.eigvalsh(covariances), color="0.2", linewidth=thin())
    spectrum.set_yscale("log")
    label_decades(spectrum.yaxis)
    spectrum.set_ylabel("eigenvalues")
    distances = affine_invariant_distance(covariances[0], covariances)
    distance.plot(samples, distances, color="#0072B2")
    distance.set_ylabel("affine-invariant\ndistance from start")
    distance.set_xlabel("samples")
    for ax in (spectrum, distance):
        ax.set_xlim(0, n_samples)
        label_samples(ax.xaxis, 7)


def _name_bands(ax: Axes, figure: Figure | SubFigure) -> None:
    """Name the contexts above their bands."""
    handles, names = ax.get_legend_handles_labels()
    if not names:
        return
    texts = [str(name).replace("_", " ") for name in names]
    size = 0.9 * float(mpl.rcParams["font.size"])
    width = 72 * 0.85 * figure.figure.get_figwidth()
    legend = ax.legend(
        handles,
        texts,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=legend_columns(texts, width, size),
        fontsize=size,
        borderaxespad=0.2,
        frameon=False,
    )
    for patch in legend.get_patches():
        patch.set_edgecolor("0.5")


def _ellipses(axes: list[Axes], covariances: Floats) -> None:
    """Draw covariances of one or two neurons as ellipses of one standard deviation."""
    angle = np.linspace(0, 2 * np.pi, 121)
    reach = 1.1 * float(np.sqrt(covariances.max()))
    for ax, covariance in zip(axes, covariances, strict=True):
        across = np.zeros((2, 2))  # one neuron's ellipse is a line
        across[: len(covariance), : len(covariance)] = np.linalg.cholesky(covariance)
        ax.plot(*(across @ [np.cos(angle), np.sin(angle)]), color="0.2", linewidth=thin())
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="input 0")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(mpl.MaxNLocator(2, symmetric=True))
    for ax in axes[1:]:
        ax.tick_params(labelleft=False)
    if covariances.shape[1] > 1:
        axes[0].set_ylabel("input 1")


def _images(axes: list[Axes], covariances: Floats) -> Axes:
    """Draw covariances as images, each on a scale of its own: low contrast would look blank."""
    for ax, covariance in zip(axes, covariances, strict=True):
        largest = float(np.abs(covariance).max())
        ax.imshow(covariance, cmap="RdBu_r", vmin=-largest, vmax=largest)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel(f"\N{PLUS-MINUS SIGN}{largest:.3g}")
    axes[0].set_ylabel("covariance")
    colours = mpl.ScalarMappable(mpl.Normalize(-1, 1), cmap="RdBu_r")
    bar = axes[0].figure.colorbar(colours, ax=axes, shrink=0.8, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["\N{MINUS SIGN}largest", "0", "+largest"])
    bar.outline.set_visible(False)
    return bar.ax
