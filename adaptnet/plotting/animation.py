"""Ellipses in motion: inputs being whitened around a change."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, whole_number
from adaptnet.files.validation import validate
from adaptnet.metrics import square_root
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.figures import close, new_grid
from adaptnet.plotting.labels import thin
from adaptnet.plotting.matrices import around, invertible, recorded
from adaptnet.plotting.style import circuit_colours, in_style
from adaptnet.readaptation.segments import segments
from adaptnet.readaptation.selections import restored


@in_style
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
    same Gaussian samples throughout, as input and as output. White outputs are on the circle. The
    file appears once it is complete.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights`` and ``covariance`` recorded.
    path : path
        File to write: ``.gif``, or ``.mp4`` if ffmpeg is installed.
    change, replicate : int
        Which change, of which replicate.
    neurons : pair of int
        The two primary neurons to look at.
    n_frames : int
        Frames, from a little before the change to the segment's end; most of them at the change.

    Raises
    ------
    TypeError, ValueError
        If the matrices are not recorded, there is no such change, replicate or neuron, or the file
        has another ending, or a circuit diverged there.
    FileNotFoundError
        If ``.mp4`` is asked for without ffmpeg.
    """
    dataset = validate(restored(dataset), run=True)
    target = Path(path)
    writers: dict[str, Any] = {".gif": mpl.PillowWriter, ".mp4": mpl.FFMpegWriter}
    if target.suffix not in writers:
        raise ValueError(f"path must end in .gif or .mp4, got {target}")
    writer = writers[target.suffix]
    if not writer.isAvailable():
        raise FileNotFoundError(
            "ffmpeg, which writes .mp4, is not installed; install it (apt install ffmpeg, brew "
            "install ffmpeg or conda install ffmpeg), or write a .gif"
        )
    n_frames = whole_number("n_frames", n_frames, minimum=2)
    weights, covariance = recorded(dataset, replicate)
    n = covariance.shape[-1]
    if len(set(neurons)) != 2 or not all(0 <= i < n for i in neurons):
        raise ValueError(f"neurons must be two of 0 to {n - 1}, got {neurons!r}")
    before, first, last = around(dataset, change, replicate)
    steps = np.unique(np.geomspace(1, last - first + 1, n_frames).astype(int)) + first - 1
    rows = [max(0, before)] * 5 + steps.tolist()
    for name in weights["circuit"].values:
        if not invertible(weights.sel(circuit=name).values[rows]).all():
            raise ValueError(
                f"{name} diverged around change {change} of replicate {replicate}, so there is "
                "nothing to draw; choose another change or replicate, or leave the circuit out: "
                f"dataset.drop_sel(circuit={str(name)!r})"
            )
    white = np.random.default_rng(0).standard_normal((150, n))
    names = [str(name) for name in dataset["circuit"].values]
    colours = {"inputs": "0.4", **circuit_colours(names)}
    figure, grid = new_grid(1, len(colours), sharex=True, sharey=True)
    mpl.FigureCanvasAgg(figure)
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
    drawn, dot = [], 0.6 * float(mpl.rcParams["lines.markersize"])
    for ax, (name, colour) in zip(grid[0], colours.items(), strict=True):
        ax.plot(*circle.T, color="0.7", linestyle="--", linewidth=thin())
        (dots,) = ax.plot([], [], ".", color=colour, markersize=dot, alpha=0.5)
        (ellipse,) = ax.plot([], [], color=colour)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=name)
        ax.set_xlabel(f"neuron {neurons[0]}")
        drawn.append((ellipse, dots))
    grid[0, 0].set_ylabel(f"neuron {neurons[1]}")
    caption = figure.suptitle(" ", fontsize="medium")
    start = int(segments(dataset)[0][replicate, change])
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once: quicker, and nothing jumps
    movie = writer(fps=12)
    dpi = min(150.0, 1000 / figure.get_figwidth())  # about a thousand dots wide in either style
    with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as folder:
        part = Path(folder) / target.name  # by its ending the writer knows the format
        with movie.saving(figure, str(part), dpi=dpi):
            for row, frame in zip(rows, every, strict=True):
                for lines, points in zip(drawn, frame, strict=True):
                    for line, point in zip(lines, points, strict=True):
                        line.set_data(*point.T)
                since = int(dataset["sample"].values[row]) - start
                caption.set_text(f"{since:+,d} samples from the change")
                movie.grab_frame()
        part.replace(target)
    close(figure)
