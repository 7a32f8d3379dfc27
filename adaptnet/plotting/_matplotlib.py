"""The parts of matplotlib that pictures use, imported when the first picture is drawn.

Importing adaptnet would otherwise take twice as long, on clusters where nothing is ever drawn.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib import pyplot, rc_context, rcParams
    from matplotlib.animation import FFMpegWriter, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import Rectangle
    from matplotlib.textpath import TextPath
    from matplotlib.ticker import (
        EngFormatter,
        FuncFormatter,
        LogLocator,
        MaxNLocator,
        NullFormatter,
    )

__all__ = [
    "EngFormatter",
    "FFMpegWriter",
    "Figure",
    "FigureCanvasAgg",
    "FontProperties",
    "FuncFormatter",
    "LogLocator",
    "LogNorm",
    "MaxNLocator",
    "Normalize",
    "NullFormatter",
    "PillowWriter",
    "Rectangle",
    "ScalarMappable",
    "TextPath",
    "pyplot",
    "rcParams",
    "rc_context",
]

_MODULES = {
    "EngFormatter": "matplotlib.ticker",
    "FFMpegWriter": "matplotlib.animation",
    "Figure": "matplotlib.figure",
    "FigureCanvasAgg": "matplotlib.backends.backend_agg",
    "FontProperties": "matplotlib.font_manager",
    "FuncFormatter": "matplotlib.ticker",
    "LogLocator": "matplotlib.ticker",
    "LogNorm": "matplotlib.colors",
    "MaxNLocator": "matplotlib.ticker",
    "Normalize": "matplotlib.colors",
    "NullFormatter": "matplotlib.ticker",
    "PillowWriter": "matplotlib.animation",
    "Rectangle": "matplotlib.patches",
    "ScalarMappable": "matplotlib.cm",
    "TextPath": "matplotlib.textpath",
    "rcParams": "matplotlib",
    "rc_context": "matplotlib",
}


def __getattr__(name: str) -> Any:
    if name == "pyplot":  # a module, and not one that every picture needs
        return importlib.import_module("matplotlib.pyplot")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return value
