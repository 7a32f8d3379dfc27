"""Covariances and weights: images around a change, spectra over time, ellipses in motion."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, whole_number
from adaptnet.dataset import validate
from adaptnet.metrics import output_covariance
from adaptnet.plotting.style import axes_or_new, circuit_colours, new_grid
from adaptnet.readaptation.oracle import square_root
from adaptnet.readaptation.segments import segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_MATRIX = ("sample", "neuron", "neuron_2")


def plot_matrices(
    dataset: xr.Dataset, change: int = 0, *, replicate: int = 0
) -> "tuple[Figure, Any]":
    """Draw covariance and effective weights just before a change and at the end of its segment.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights`` and ``covariance`` recorded.
    change, replicate : int
        Which change, of which replicate.

    Returns
    -------
    figure, axes
        Axes (row, column): a row before and a row after, a column for the covariance and one for
        each circuit.

    Raises
    ------
    TypeError, ValueError
        If the matrices are not recorded, or there is no such change or replicate.
    """
    weights, covariance = _recorded(dataset, replicate)
    before, _, after = _around(dataset, change, replicate)
    columns = {
        "covariance of inputs": covariance,
        **{
            f"weights, {name}": weights.sel(circuit=name).values
            for name in weights["circuit"].values
        },
    }
    figure, grid = new_grid(2, len(columns))
    for column, (title, matrices) in zip(grid.T, columns.items(), strict=True):
        largest = np.nanmax(np.abs(matrices[[before, after]]))
        for ax, row, when in zip(column, (before, after), ("before", "after"), strict=True):
            image = ax.imshow(matrices[row], cmap="RdBu_r", vmin=-largest, vmax=largest)
            ax.set_xticks([])
            ax.set_yticks([])
            ax.set_title(f"{title},\n{when}")
        figure.colorbar(image, ax=list(column), shrink=0.6)
    return figure, grid


def plot_spectrum(
    dataset: xr.Dataset, circuit: str | None = None, *, replicate: int = 0, ax: "Axes | None" = None
) -> "tuple[Figure | SubFigure, Axes]":
    """Draw the eigenvalues of the output covariance over a run; where they are 1, it is white.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights`` and ``covariance`` recorded.
    circuit : str, optional
        Which circuit; by default the first.
    replicate : int
        Which replicate.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    figure, axes

    Raises
    ------
    TypeError, ValueError
        If the matrices are not recorded, or there is no such circuit or replicate.
    """
    starts, stops = segments(dataset)
    if stops.size and stops.max() == dataset["sample"].values[-1]:
        dataset = dataset.isel(sample=slice(-1))  # the last record sees a context never entered
    weights, covariance = _recorded(dataset, replicate)
    names = [str(name) for name in dataset["circuit"].values]
    circuit = names[0] if circuit is None else circuit
    if circuit not in names:
        raise ValueError(f"circuit must be one of {', '.join(names)}, got {circuit!r}")
    mine = weights.sel(circuit=circuit).values
    sound = np.isfinite(mine).all(axis=(1, 2))
    output = output_covariance(mine[sound], covariance[sound])
    spectrum = np.linalg.eigvalsh((output + np.swapaxes(output, -1, -2)) / 2)
    figure, ax = axes_or_new(ax)
    samples = dataset["sample"].values[sound]
    ax.plot(samples, spectrum, color=circuit_colours(names)[circuit], linewidth=0.9, alpha=0.8)
    ax.axhline(1.0, color="0.35", linestyle="--", linewidth=1)
    for start in starts[replicate][starts[replicate] >= 0]:
        ax.axvline(start, color="0.6", linestyle=":", linewidth=1, zorder=0)
    ax.set_yscale("log")
    ax.set_xlim(0, dataset.attrs["n_samples"])
    ax.set_xlabel("samples processed")
    ax.set_ylabel("eigenvalues of the output covariance")
    ax.set_title(f"{circuit}, replicate {replicate}")
    return figure, ax


def animate_ellipses(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    change: int = 0,
    *,
    replicate: int = 0,
    neurons: tuple[int, int] = (0, 1),
    n_frames: int = 60,
) -> None:
    """Write an animation of inputs being whitened around a change, seen by two neurons.

    Ellipses are one standard deviation of the inputs and of each circuit's outputs; dots are the
    same Gaussian samples throughout, as input and as output. White outputs are on the circle.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights`` and ``covariance`` recorded.
    path : path
        File to write: ``.gif``, or ``.mp4`` where ffmpeg is installed.
    change, replicate : int
        Which change, of which replicate.
    neurons : pair of int
        The two primary neurons to look at.
    n_frames : int
        Frames, from a little before the change to the segment's end; dense at the change.

    Raises
    ------
    TypeError, ValueError
        If the matrices are not recorded, there is no such change, replicate or neuron, or the file
        has another ending.
    FileNotFoundError
        If ``.mp4`` is asked for without ffmpeg.
    """
    from matplotlib import animation
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    target = Path(path)
    writers: dict[str, Any] = {".gif": animation.PillowWriter, ".mp4": animation.FFMpegWriter}
    if target.suffix not in writers:
        raise ValueError(f"path must end in .gif or .mp4, got {target}")
    writer = writers[target.suffix]
    if not writer.isAvailable():
        raise FileNotFoundError("ffmpeg, which writes .mp4, is not installed; write a .gif")
    n = dataset.sizes["neuron"]
    if len(set(neurons)) != 2 or not all(0 <= i < n for i in neurons):
        raise ValueError(f"neurons must be two of 0 to {n - 1}, got {neurons!r}")
    n_frames = whole_number("n_frames", n_frames, minimum=2)
    weights, covariance = _recorded(dataset, replicate)
    before, first, last = _around(dataset, change, replicate)
    steps = np.unique(np.geomspace(1, last - first + 1, n_frames).astype(int)) + first - 1
    rows = [max(0, before)] * 5 + steps.tolist()
    white = np.random.default_rng(0).standard_normal((150, n))
    names = [str(name) for name in dataset["circuit"].values]
    colours = {"inputs": "0.4", **circuit_colours(names)}
    figure, grid = new_grid(1, len(colours), sharex=True, sharey=True)
    FigureCanvasAgg(figure)
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def views(row: int) -> list[tuple[Floats, Floats]]:
        """Return ellipse and dots of the inputs and of each circuit's outputs."""
        root = square_root(covariance[row])
        maps = [np.eye(n), *(np.linalg.inv(weights.sel(circuit=c).values[row]) for c in names)]
        seen = []
        for to in maps:
            spread = (to @ covariance[row] @ to.T)[np.ix_(neurons, neurons)]
            dots = (white @ root @ to.T)[:, neurons]
            seen.append((circle @ square_root((spread + spread.T) / 2), dots))
        return seen

    every = [views(row) for row in rows]
    reach = 2.2 * max(1.0, *(np.abs(ellipse).max() for frame in every for ellipse, _ in frame))
    reach = min(reach, 2.2 * max(1.0, np.abs(every[-1][0][0]).max(), np.abs(every[0][0][0]).max()))
    drawn = []
    for ax, (name, colour) in zip(grid[0], colours.items(), strict=True):
        ax.plot(*circle.T, color="0.7", linestyle="--", linewidth=1)
        (dots,) = ax.plot([], [], ".", color=colour, markersize=3, alpha=0.5)
        (ellipse,) = ax.plot([], [], color=colour)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=name)
        ax.set_xlabel(f"neuron {neurons[0]}")
        drawn.append((ellipse, dots))
    grid[0, 0].set_ylabel(f"neuron {neurons[1]}")
    caption = figure.suptitle(" ", fontsize="medium")
    start = int(segments(dataset)[0][replicate, change])
    movie = writer(fps=12)
    with movie.saving(figure, str(target), dpi=90):
        for row, frame in zip(rows, every, strict=True):
            for lines, points in zip(drawn, frame, strict=True):
                for line, point in zip(lines, points, strict=True):
                    line.set_data(*point.T)
            since = int(dataset["sample"].values[row]) - start
            caption.set_text(f"{since:+d} samples from the change")
            movie.grab_frame()


def _recorded(dataset: xr.Dataset, replicate: int) -> tuple[xr.DataArray, Floats]:
    """Return a replicate's weights (circuit, sample, n, n) and covariances (sample, n, n)."""
    validate(dataset)
    missing = [name for name in ("effective_weights", "covariance") if name not in dataset]
    if missing:
        raise ValueError(
            f"the picture needs {' and '.join(missing)}, which the run has not recorded; "
            'name them in simulate(record=("whitening_error", "effective_weights", "covariance"))'
        )
    n_replicates = dataset.sizes["replicate"]
    if not 0 <= whole_number("replicate", replicate, minimum=0) < n_replicates:
        raise ValueError(f"replicate must be below {n_replicates}, got {replicate}")
    covariance = dataset["covariance"]
    if "replicate" in covariance.dims:
        covariance = covariance.isel(replicate=replicate)
    weights = dataset["effective_weights"].isel(replicate=replicate)
    return weights.transpose("circuit", *_MATRIX), covariance.transpose(*_MATRIX).values


def _around(dataset: xr.Dataset, change: int, replicate: int) -> tuple[int, int, int]:
    """Return the rows of the records before a change, first in its segment, and last in it."""
    starts, stops = segments(dataset)
    n_changes = int((starts[replicate] >= 0).sum())
    if not 0 <= whole_number("change", change, minimum=0) < n_changes:
        raise ValueError(
            f"change must be one of the run's {n_changes} changes, counted from 0, got {change}"
        )
    sample = dataset["sample"].values
    first, end = np.searchsorted(sample, (starts[replicate, change], stops[replicate, change]))
    return int(first) - 1, int(first), int(end) - 1
