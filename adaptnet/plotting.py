"""Pictures of runs; each draws on given axes or makes its own, and gives back figure and axes."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from adaptnet._checks import positive_number
from adaptnet.readaptation.segments import error_of, segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# Okabe and Ito's palette, which colour-blind readers tell apart; the two circuits come first.
_NAMED_COLOURS = {"direct": "#D55E00", "interneuron": "#0072B2"}
_OTHER_COLOURS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")


def circuit_colours(names: list[str]) -> dict[str, str]:
    """Return a colour for each circuit, the same in every picture."""
    others = [name for name in names if name not in _NAMED_COLOURS]
    cycle = {n: _OTHER_COLOURS[i % len(_OTHER_COLOURS)] for i, n in enumerate(others)}
    return {name: _NAMED_COLOURS.get(name) or cycle[name] for name in names}


def plot_readaptation(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
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
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    figure, axes

    Raises
    ------
    TypeError, ValueError
        If the threshold is not positive or the variable is not in the dataset.
    """
    threshold = positive_number("threshold", threshold)
    errors = error_of(dataset, variable)
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7.0, 3.6), layout="constrained").subplots()
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
        low, middle, high = np.nanquantile(curves[:, known], (0.25, 0.5, 0.75), axis=0)
        ax.fill_between(samples[known], low, high, color=colour, alpha=0.25, linewidth=0)
        ax.plot(samples[known], middle, color=colour, linewidth=1.4, label=label)
    ax.axhline(
        threshold, color="0.35", linestyle="--", linewidth=1, label=f"threshold {threshold:g}"
    )
    if "replicate" not in dataset["change_sample"].dims:
        for change in dataset["change_sample"].values:
            ax.axvline(change, color="0.6", linestyle=":", linewidth=1, zorder=0)
    ax.set_yscale("log")
    ax.set_xlim(0, dataset.attrs["n_samples"])
    ax.set_xlabel("samples processed")
    ax.set_ylabel(f"{errors.attrs['long_name'].split(' max')[0].split(' ||')[0]} (dimensionless)")
    ax.legend(loc="upper right", frameon=False)
    return ax.figure, ax
