"""What is wrong with the layout of a figure: texts cut off or over texts, legends over curves."""

import itertools
from unittest import mock

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

DOTS = 1.0  # bounding boxes are rounded up to whole dots


def faults(figure):
    """Return a line for each text or legend outside `figure`, or over a text or a curve.

    Texts are collected as they are drawn: tick labels beyond an axis's limits exist, but are not
    drawn.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # lays out
    figure.set_layout_engine("none")
    drawn = []

    def draw(text, renderer, *args, **options):
        if text.get_visible() and text.get_text().strip():
            drawn.append((text.get_text(), text.get_window_extent(renderer)))
        return original(text, renderer, *args, **options)

    original = Text.draw
    with mock.patch.object(Text, "draw", draw):
        canvas.draw()
    legends = [
        ("the legend", legend.get_window_extent(canvas.get_renderer()))
        for legend in figure.findobj(Legend)
    ]
    page = figure.bbox
    found = [
        f"{label!r} lies outside the figure by {beyond:.0f} dots"
        for label, box in [*drawn, *legends]
        if (beyond := max(-box.x0, -box.y0, box.x1 - page.width, box.y1 - page.height)) > DOTS
    ]
    for (label, box), (other, beside) in itertools.combinations(drawn, 2):
        width = min(box.x1, beside.x1) - max(box.x0, beside.x0)
        height = min(box.y1, beside.y1) - max(box.y0, beside.y0)
        if width > DOTS and height > 2 * DOTS:  # boxes of lines include room for accents
            found.append(f"{label!r} overlaps {other!r} by {width:.0f} x {height:.0f} dots")
    return found + _covered(figure)


def _covered(figure):
    """Return a line for each curve that passes under the legend of its axes."""
    found = []
    for ax in figure.axes:
        legend = ax.get_legend()
        box = legend and Bbox.intersection(legend.get_window_extent(), ax.bbox)
        if box is None:
            continue
        for line in ax.lines:
            path = line.get_transform().transform_path(line.get_path())
            if path.cleaned(remove_nans=True).intersects_bbox(box, filled=False):
                found.append(f"the legend covers the curve {line.get_label()!r}")
    return found
