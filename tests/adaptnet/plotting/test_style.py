"""The look of pictures, and who shows them."""

import builtins
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import adaptnet as an
from adaptnet import plotting
from tests.adaptnet.synthetic import run_of

RUN = run_of(np.ones((1, 2, 9)), [4])


def test_settings_are_as_before_after_a_picture():
    before = dict(mpl.rcParams)
    an.plot_readaptation(RUN)
    assert dict(mpl.rcParams) == before


def test_a_user_s_axes_keep_the_user_s_settings():
    with mpl.rc_context({"lines.linewidth": 7.0}):
        _, ax = plt.subplots()
        an.plot_readaptation(RUN, ax=ax)
    assert ax.get_lines()[0].get_linewidth() == 7.0


def test_none_leaves_matplotlib_s_settings():
    with mpl.rc_context({"lines.linewidth": 7.0}), plotting.style(None):
        _, ax = an.plot_readaptation(RUN)
    assert ax.get_lines()[0].get_linewidth() == 7.0


def test_pyplot_shows_the_figures_of_programs_that_use_it():
    figure, _ = an.plot_readaptation(RUN)
    assert plt.figure(plt.get_fignums()[-1]) is figure


def test_notebooks_show_figures(monkeypatch):
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    figure, _ = an.plot_readaptation(RUN)
    assert figure.number  # which pyplot, and nobody else, gives


@pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")
def test_reports_leave_no_figure_open():
    open_before = plt.get_fignums()
    an.report(RUN)
    assert plt.get_fignums() == open_before
