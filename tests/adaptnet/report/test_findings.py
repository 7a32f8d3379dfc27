"""Sentences of the report are printed if they are true, and only then."""

import numpy as np
import pytest

from adaptnet.report import run_warnings
from tests.adaptnet.synthetic import run_of

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def test_warnings_tell_of_thresholds_below_the_floor():
    noisy = 0.2 + 0.01 * np.random.default_rng(0).random((1, 4, 200))
    (below, censored) = run_warnings(run_of(noisy, [50]), 0.1)
    assert "noise floor" in below
    assert "100% of segments" in below
    assert "censored" in censored
    assert run_warnings(run_of(noisy, [50]), 0.3) == []
