"""The check of layouts finds faults that are there, and no others."""

import pytest
from matplotlib.figure import Figure

from tests.adaptnet.plotting.layout import faults


@pytest.fixture
def figure():
    return Figure(figsize=(3, 2), dpi=100, layout="constrained")


def test_a_sound_figure_has_no_faults(figure):
    ax = figure.subplots()
    ax.plot([0, 1], [1, 1e4], label="curve")
    ax.set_title("title")
    ax.legend()
    assert not faults(figure)


def test_a_long_title_is_outside(figure):
    figure.subplots().set_title("a title that is far longer than a figure of 3 inches is wide")
    assert any("outside the figure" in fault for fault in faults(figure))


def test_a_wide_legend_is_outside(figure):
    ax = figure.subplots()
    for i in range(4):
        ax.plot([0, 1], label=f"a long name, number {i}")
    ax.legend(ncols=4).set_in_layout(False)
    assert any(fault.startswith("'the legend' lies outside") for fault in faults(figure))


def test_texts_at_one_place_overlap(figure):
    ax = figure.subplots()
    ax.text(0.5, 0.5, "one")
    ax.text(0.51, 0.5, "other")
    assert [fault.split(" by")[0] for fault in faults(figure)] == ["'one' overlaps 'other'"]


def test_tick_labels_beyond_the_limits_are_not_drawn(figure):
    ax = figure.subplots()
    ax.set_yticks([0, 1, 100], ["zero", "one", "hundred"])
    ax.set_ylim(0, 1)
    assert not faults(figure)


def test_a_legend_over_a_curve_covers_it(figure):
    ax = figure.subplots()
    ax.plot([0, 1], [0.9, 0.9], label="curve")
    ax.set_ylim(0, 1)
    ax.legend(loc="upper right")
    assert faults(figure) == ["the legend covers the curve 'curve'"]
    ax.legend(loc="lower right")
    assert not faults(figure)
