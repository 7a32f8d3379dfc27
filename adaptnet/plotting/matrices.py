"""Covariances and weights: images around a change, spectra over time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, whole_number
from adaptnet.files.validation import validate
from adaptnet.metrics import output_covariance, square_root
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.changes import mark_changes, name_contexts, without_next_context
from adaptnet.plotting.figures import chosen_circuits, new_grid, panels_or_new
from adaptnet.plotting.labels import (
    data_range,
    fitting_size,
    label_decades,
    label_panels,
    label_samples,
    sampling_rate,
    thin,
)
from adaptnet.plotting.style import circuit_colours, in_style
from adaptnet.readaptation.segments import segments
from adaptnet.readaptation.selections import restored

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_MATRIX = ("sample", "neuron", "neuron_2")


@in_style
def plot_matrices(
    dataset: xr.Dataset, change: int = 0, *, replicate: int = 0, axes: Any | None = None
) -> tuple[Figure | SubFigure, Any]:
    """Draw covariance and effective weights just before a change and at the end of its segment.

    Weights that equal the square root of the covariance whiten; both have one colour scale.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights`` and ``covariance`` recorded.
    change, replicate : int
        Which change, of which replicate.
    axes : array of Axes, optional
        Of the shape that is returned; by default a new figure.

    Returns
    -------
    figure, axes
        Axes (row, column): a row before and a row after, a column for the covariance, one for its
        root, and one for each circuit.

    Raises
    ------
    TypeError, ValueError
        If the matrices are not recorded, or there is no such change or replicate.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> record = ["whitening_error", "effective_weights", "covariance"]
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400, record=record)
    >>> figure, axes = an.plotting.plot_matrices(run, change=1)
    >>> axes.shape
    (2, 3)
    """
    dataset = restored(dataset)
    weights, covariance = recorded(dataset, replicate)
    before, _, after = around(dataset, change, replicate)
    rows = [before, after]
    names = [str(name) for name in dataset["circuit"].values]
    circuits = [weights.sel(circuit=name).values[rows] for name in names]
    columns = [covariance[rows], square_root(covariance[rows]), *circuits]
    titles = ["covariance", "its root", *(f"weights\n{name}".replace("_", "\n") for name in names)]
    size = float(mpl.rcParams["font.size"])
    lines = 3 + max(title.count("\n") for title in titles)
    if axes is None:
        new, grid = new_grid(2, len(columns))
        # Square panels: no taller than two of them, and their titles, need.
        new.set_figheight(2 * new.get_figwidth() / (len(columns) + 1) + lines * size / 72)
    elif np.shape(axes) != (2, len(columns)):
        raise ValueError(
            f"axes must be an array of 2 x {len(columns)}, got the shape {np.shape(axes)}"
        )
    else:
        grid = np.asarray(axes)
    figure = grid[0, 0].figure
    for alike in ([0], list(range(1, len(columns)))):
        largest = max(np.nanmax(np.abs(columns[i]), initial=0.0) for i in alike) or 1.0
        for i, row in itertools.product(alike, (0, 1)):
            ax = grid[row, i]
            image = ax.imshow(columns[i][row], cmap="RdBu_r", vmin=-largest, vmax=largest)
            ax.set_xticks([])
            ax.set_yticks([])
            ax.spines[:].set_visible(False)
        shown = [grid[row, i] for i in alike for row in (0, 1)]
        # Ticks that do not depend on the bar's length: the layout knows their width beforehand.
        ticks = mpl.MaxNLocator(4, steps=[1, 2, 5, 10])
        bar = figure.colorbar(image, ax=shown, shrink=0.6, aspect=15, pad=0.02, ticks=ticks)
        bar.ax.yaxis.set_major_formatter("{x:g}")
        bar.outline.set_visible(False)
    room = 72 * figure.figure.get_figwidth() / (len(columns) + 1)
    for ax, title in zip(grid[0], titles, strict=True):
        ax.set_title(title, fontsize=fitting_size(titles, room - 0.5 * size))
    for ax, when in zip(grid[:, 0], ("before", "after"), strict=True):
        ax.set_ylabel(when)
    return figure, grid


@in_style
def plot_spectrum(
    dataset: xr.Dataset,
    circuit: str | None = None,
    *,
    replicate: int = 0,
    axes: Any | None = None,
) -> tuple[Figure | SubFigure, Any]:
    """Draw the eigenvalues of the output covariance over a run; white outputs have 1 throughout.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights`` and ``covariance`` recorded.
    circuit : str, optional
        Which circuit; by default all, a panel each.
    replicate : int
        Which replicate.
    axes : array of Axes, optional
        At least as many as there are panels; by default a new figure.

    Returns
    -------
    figure, axes
        Axes in an array, one for each panel.

    Raises
    ------
    TypeError, ValueError
        If the matrices are not recorded, or there is no such circuit or replicate.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> record = ["whitening_error", "effective_weights", "covariance"]
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400, record=record)
    >>> figure, (ax,) = an.plotting.plot_spectrum(run)
    >>> ax.get_ylabel()
    'output eigenvalues'
    """
    dataset = restored(dataset)
    weights, covariance = recorded(without_next_context(validate(dataset, run=True)), replicate)
    names = [str(name) for name in dataset["circuit"].values]
    shown = chosen_circuits(names, circuit)
    figure, axes, columns = panels_or_new(axes, len(shown), 2)
    for ax, name in zip(axes, shown, strict=True):
        known, spectrum = _output_spectrum(weights.sel(circuit=name).values, covariance)
        samples = weights["sample"].values[known]
        colour = circuit_colours(names)[name]
        ax.plot(samples, spectrum, color=colour, linewidth=thin(), alpha=0.8)
        ax.axhline(1.0, color="0.35", linestyle="--", linewidth=thin())
        ax.set_title(name if known.any() else f"{name} (diverged)", color=colour)
    for ax in axes:  # last: panels share the axes, and a limit ends their growth
        ax.set_ylim(*data_range(ax))
        ax.set_yscale("log")
        ax.set_xlim(0, dataset.attrs["n_samples"])
        mark_changes(ax, dataset, replicate)
    for ax in axes:
        name_contexts(ax, dataset, replicate)
        label_decades(ax.yaxis)
        label_samples(ax.xaxis)
    rate = sampling_rate(dataset)
    label_panels(axes, columns, "output eigenvalues", "samples processed", rate)
    return figure, axes


def _output_spectrum(weights: Floats, covariance: Floats) -> tuple[Flags, Floats]:
    """Return the records with invertible weights, and the eigenvalues of the outputs there."""
    known = invertible(weights)
    output = output_covariance(weights[known], covariance[known])
    spectrum = np.linalg.eigvalsh((output + np.swapaxes(output, -1, -2)) / 2)
    return known, np.asarray(spectrum, dtype=np.float64)


def invertible(weights: Floats) -> Flags:
    """Return for each of some matrices whether it is finite and not singular: it has outputs."""
    known = np.asarray(np.isfinite(weights).all(axis=(1, 2)))
    known[known] = np.linalg.slogdet(weights[known])[0] != 0
    return known


def recorded(dataset: xr.Dataset, replicate: int) -> tuple[xr.DataArray, Floats]:
    """Return a replicate's weights (circuit, sample, n, n) and covariances (sample, n, n)."""
    validate(dataset, run=True)
    missing = [name for name in ("effective_weights", "covariance") if name not in dataset]
    if missing:
        raise ValueError(
            f"the picture needs {' and '.join(missing)}, which the run has not recorded; "
            'name them in simulate(record=("whitening_error", "effective_weights", "covariance"))'
        )
    n, m = (dataset.sizes.get(dim, 0) for dim in ("neuron", "neuron_2"))
    if not n == m > 0:
        raise ValueError(
            f"the picture needs the matrices of all neurons, got {n} x {m}: some were left out; "
            "select neurons from what is drawn, not from the run"
        )
    n_replicates = dataset.sizes["replicate"]
    if not 0 <= whole_number("replicate", replicate, minimum=0) < n_replicates:
        raise ValueError(f"replicate must be below {n_replicates}, got {replicate}")
    covariance = dataset["covariance"]
    if "replicate" in covariance.dims:
        covariance = covariance.isel(replicate=replicate)
    weights = dataset["effective_weights"].isel(replicate=replicate)
    return weights.transpose("circuit", *_MATRIX), covariance.transpose(*_MATRIX).values


def around(dataset: xr.Dataset, change: int, replicate: int) -> tuple[int, int, int]:
    """Return the rows of the records before a change, first in its segment, and last in it."""
    starts, stops = segments(dataset)
    n_changes = int((starts[replicate] >= 0).sum())
    if not n_changes:
        raise ValueError(
            "the run has no change of context around which to draw; "
            "simulate longer, or in an environment whose contexts change"
        )
    if not 0 <= whole_number("change", change, minimum=0) < n_changes:
        raise ValueError(
            f"change must be one of the run's {n_changes} changes, counted from 0, got {change}"
        )
    sample = dataset["sample"].values
    first, end = np.searchsorted(sample, (starts[replicate, change], stops[replicate, change]))
    return int(first) - 1, int(first), int(end) - 1
