"""Axes of swept parameters: positions, scales, names of values."""

from typing import TYPE_CHECKING, Any

import numpy as np

from adaptnet._checks import Floats
from adaptnet.plotting import _matplotlib as mpl
from adaptnet.plotting.labels import fitting_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EVEN = 0.02  # by which ratios of neighbours may differ for values to count as geometric


def parameter_name(name: str) -> str:
    """Return what a parameter is called on an axis.

    Examples
    --------
    >>> parameter_name("interneuron.n_interneurons")
    'interneuron: n interneurons'
    """
    return name.replace("_", " ").replace(".", ": ")


def value_text(value: Any) -> str:
    """Return a value in few letters.

    Examples
    --------
    >>> value_text(0.00012), value_text(12.0), value_text("gain")
    ('1.2e-4', '12', 'gain')
    """
    if isinstance(value, str):
        return value
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.3g}"
    if 0 < abs(value) < 0.001:
        text = f"{value:.1e}".replace(".0e", "e")
    return text.replace("e-0", "e-").replace("e+0", "e+")


def positions(values: Any) -> tuple[Floats, list[str] | None]:
    """Return where values stand on an axis, and names for these places if they are texts."""
    if values.dtype.kind == "U":
        return np.arange(len(values), dtype=float), [str(value) for value in values]
    return values.astype(float), None


def is_geometric(x: Floats) -> bool:
    """Return whether values are positive, and even or wide apart on a logarithmic axis."""
    ordered = np.sort(x)
    if len(ordered) < 3 or ordered[0] <= 0:
        return len(ordered) == 2 and bool(0 < 5 * ordered[0] <= ordered[1])
    ratios, steps = ordered[1:] / ordered[:-1], np.diff(ordered)
    if np.ptp(ratios) < _EVEN * ratios.mean():
        return True
    return bool(ordered[-1] > 10 * ordered[0] and np.ptp(steps) > 0.5 * steps.mean())


def scale_axis(ax: "Axes", axis: str, x: Floats, ticks: list[str] | None) -> None:
    """Scale an axis as its values ask for, and name them if they are texts."""
    shown_axis = ax.xaxis if axis == "x" else ax.yaxis
    if ticks is not None:
        size = fitting_size(ticks, 60)
        (ax.set_xticks if axis == "x" else ax.set_yticks)(x, ticks, fontsize=size)
    elif is_geometric(x):
        (ax.set_xscale if axis == "x" else ax.set_yscale)("log")
        low, high = float(x.min()), float(x.max())
        shown_axis.set_major_locator(mpl.LogLocator(subs=(1, 2, 5) if high < 20 * low else (1,)))
        shown_axis.set_major_formatter(lambda value, _: value_text(value))
        shown_axis.set_minor_formatter(mpl.NullFormatter())
