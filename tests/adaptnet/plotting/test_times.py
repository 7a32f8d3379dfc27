"""Pictures of readaptation times show the estimates that summaries return."""

import numpy as np
import pytest

from adaptnet import plotting
from adaptnet.readaptation import readaptation_times, survival_curves
from tests.adaptnet.synthetic import times_of

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def test_survival_panels_are_kaplan_meier(pictured_run):
    times = readaptation_times(pictured_run, 0.5)
    _, axes = plotting.plot_survival(times)
    curves = survival_curves(times, by="transition")
    line = axes[0].get_lines()[0]
    one = curves.isel(circuit=0, transition=0)
    expected = one.survival.values[one.at_risk.values > 0]
    np.testing.assert_allclose(line.get_ydata(), expected)
    for ax in axes:
        assert ax.get_xlim()[1] >= max(line.get_xdata().max() for line in ax.get_lines())


def test_matrix_says_not_reached(pictured_run):
    _, axes = plotting.plot_transition_matrix(readaptation_times(pictured_run, 1e-6))
    texts = {text.get_text() for ax in axes for text in ax.texts}
    assert texts == {"not\nreached"}
    assert len(axes) == 2


def test_matrix_has_contexts_in_one_order(pictured_run):
    _, axes = plotting.plot_transition_matrix(readaptation_times(pictured_run, 1.0))
    names = [t.get_text() for t in axes[0].get_xticklabels()]
    rows = [t.get_text() for t in axes[0].get_yticklabels()]
    assert sorted(names) == sorted(rows) == ["context\n0", "context\n1", "context\n2"]
    assert names == rows


def test_scaling_draws_open_markers_beyond_reach(pictured_run):
    _, ax = plotting.plot_scaling(readaptation_times(pictured_run, 1e-6))
    drawn = [line for line in ax.get_lines() if len(line.get_xdata())]
    assert drawn
    assert {line.get_fillstyle() for line in drawn} == {"none"}
    with pytest.raises(ValueError, match="x must be a numeric"):
        plotting.plot_scaling(readaptation_times(pictured_run), "transition")


def diverging():
    """Return times of two circuits: one replicate of the first diverges, and the second."""
    observed = np.array([[[True], [True], [True], [False]], [[False]] * 4])
    samples = np.array([[[10.0], [20.0], [30.0], [15.0]], [[5.0], [6.0], [7.0], [8.0]]])
    return times_of(samples, observed, diverged=~observed, threshold=0.1)


def test_circuits_that_diverged_have_not_readapted():
    _, (ax,) = plotting.plot_survival(diverging())
    curves = {line.get_color(): line for line in ax.get_lines() if line.get_marker() == "None"}
    direct, interneuron = (curves[c].get_ydata() for c in ("#D55E00", "#0072B2"))
    assert direct[-1] == pytest.approx(0.25)  # one in four never readapts
    assert set(interneuron) == {1.0}
    crosses = [line for line in ax.get_lines() if line.get_marker() == "x"]
    assert [line.get_xdata().tolist() for line in crosses] == [[15.0], [5.0, 6.0, 7.0, 8.0]]


def test_the_matrix_says_which_circuits_diverged():
    _, axes = plotting.plot_transition_matrix(diverging())
    assert [[text.get_text() for text in ax.texts] for ax in axes] == [["20"], ["diverged"]]
