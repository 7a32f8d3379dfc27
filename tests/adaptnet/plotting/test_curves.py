import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import adaptnet as an
from tests.adaptnet.runs import handmade

matplotlib.use("agg")

CURVES = {
    "direct": np.geomspace(1, 0.01, 20) * np.array([[1], [2], [3]]),
    "interneuron": np.geomspace(1, 0.001, 20) * np.array([[1], [2], [3]]),
}


def line(axes, label):
    (found,) = (drawn for drawn in axes.lines if drawn.get_label() == label)
    return found.get_xydata().T


def test_it_draws_the_median_of_each_circuit():
    run = handmade(CURVES)
    figure, axes = an.plot_readaptation(run, threshold=0.2)
    assert isinstance(figure, Figure)
    for name, curves in CURVES.items():
        x, y = line(axes, name)
        np.testing.assert_array_equal(x, np.arange(20))
        np.testing.assert_allclose(y, np.median(curves, axis=0))
    assert axes.get_yscale() == "log"
    assert set(line(axes, "threshold 0.2")[1]) == {0.2}
    assert axes.get_xlabel() == "samples processed"
    assert axes.get_ylabel() == "whitening error"
    assert axes.lines[0].get_color() != axes.lines[1].get_color()


def test_it_marks_the_changes():
    _, axes = an.plot_readaptation(handmade(CURVES, changes=(5, 12), contexts=(0, 1, 0)))
    (marks,) = (drawn for drawn in axes.lines if drawn.get_linestyle() == ":")
    np.testing.assert_array_equal(marks.get_xdata(), [5, 5, np.nan, 12, 12, np.nan])
    ends = marks.get_transform().transform([(5, 0), (5, 1)])  # from below to above
    np.testing.assert_allclose(axes.transAxes.inverted().transform(ends)[:, 1], [0, 1], atol=1e-12)


def test_the_band_spans_the_quartiles():
    _, axes = an.plot_readaptation(handmade(CURVES))
    band = axes.collections[0].get_paths()[0].get_extents()
    low, high = np.quantile(CURVES["direct"], (0.25, 0.75), axis=0)
    np.testing.assert_allclose((band.ymin, band.ymax), (low.min(), high.max()))


def test_it_draws_on_the_axes_it_is_given():
    given = Figure().subplots()
    figure, axes = an.plot_readaptation(handmade(CURVES), ax=given)
    assert axes is given
    assert figure is given.figure


def test_it_leaves_out_a_last_record_that_sees_the_next_context():
    run = handmade(CURVES)
    run["context"].values[-1] = 0
    _, axes = an.plot_readaptation(run)
    assert line(axes, "direct")[0][-1] == 18


def test_divergence_is_in_the_legend():
    curves = {"direct": CURVES["direct"].copy()}
    curves["direct"][1, 8:] = np.nan
    _, axes = an.plot_readaptation(handmade(curves, diverged=[[-1, 8, -1]]))
    _, y = line(axes, "direct (1 of 3 diverged)")
    np.testing.assert_allclose(y[8:], np.median(curves["direct"][[0, 2], 8:], axis=0))


def test_a_circuit_that_diverged_at_once_leaves_no_nan_warning():
    curves = np.full((2, 20), np.nan)
    curves[:, 0] = 1.0
    _, axes = an.plot_readaptation(handmade({"direct": curves}, diverged=[[0, 0]]))
    assert line(axes, "direct (2 of 2 diverged)").shape == (2, 1)


def test_a_bad_threshold_is_refused():
    with pytest.raises(ValueError, match="threshold must be"):
        an.plot_readaptation(handmade(CURVES), threshold=-1)
