"""Curves of a simulated run are the medians and quartiles that measures return."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet import plotting
from adaptnet.readaptation import with_oracle

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def test_curves_are_medians_within_quartiles(pictured_run):
    _, ax = an.plot_readaptation(pictured_run, 0.5)
    line = ax.get_lines()[0]
    expected = pictured_run.whitening_error.sel(circuit="direct").median("replicate").values[:-1]
    np.testing.assert_allclose(line.get_ydata(), expected)
    assert line.get_color() == plotting.circuit_colours(["direct"])["direct"]
    assert len(ax.collections) == 2


def test_a_single_replicate_has_no_band(pictured_run):
    one = pictured_run.isel(replicate=[0])
    assert not an.plot_readaptation(one)[1].collections
    with pytest.raises(ValueError, match="at least 2"):
        an.plot_readaptation(one, band=True)


def test_an_oracle_s_zeros_are_named(pictured_run):
    _, ax = an.plot_readaptation(with_oracle(pictured_run))
    assert "oracle (0 throughout)" in ax.get_legend_handles_labels()[1]


def test_aligned_panels_are_peri_change_medians(pictured_run):
    _, axes = plotting.plot_aligned(pictured_run, 0.5)
    averages = pictured_run.adaptnet.peri_change_averages()
    assert len(axes) == averages.sizes["transition"] == 3
    one = averages["median"].isel(circuit=0, transition=1)
    known = np.isfinite(one.values)
    np.testing.assert_allclose(axes[1].get_lines()[0].get_ydata(), one.values[known])
    for ax in axes:
        assert ax.get_ylim()[1] >= ax.get_lines()[0].get_ydata().max()
