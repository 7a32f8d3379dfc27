"""What all tests share."""

import importlib
import sys

import numpy as np
import pytest

import adaptnet as an
from environments import SwitchingEnvironment


@pytest.fixture(scope="session")
def pictured_run():
    """Return a small run with all that pictures need; only one of its circuits learns."""
    contexts = [np.diag([1.0, 3.0]), np.array([[3.0, 1.0], [1.0, 1.0]]), 4 * np.eye(2)]
    return an.simulate(
        {"direct": an.DirectCircuit(learning_rate=0.01), "static": an.StaticCircuit()},
        SwitchingEnvironment(contexts, block_length=400),
        1600,
        n_replicates=4,
        rng=0,
        record_every=10,
        record=("whitening_error", "effective_weights", "covariance"),
    )


@pytest.fixture(scope="session")
def pictured_path(pictured_run, tmp_path_factory):
    """Return the file of `pictured_run`."""
    file = tmp_path_factory.mktemp("run") / "run.nc"
    an.save(pictured_run, file)
    return file


@pytest.fixture
def without_pictures(monkeypatch):
    """Leave pictures out of reports, for tests of their words."""
    page = importlib.import_module("adaptnet.reports.page")
    monkeypatch.setattr(page, "picture", lambda figure, caption: caption)


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """Close the figures of a test: pyplot, if a test has loaded it, knows every new one."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
