"""Gain circuits settle by sums and elimination over padded fours, whatever their sizes.

These run interpreted too (NUMBA_DISABLE_JIT=1).
"""

import numpy as np
import pytest

from adaptnet.kernels.building_blocks.frame import combine_frame, frame_of, settle_frame

# Interpreted, NumPy tells of overflows that compiled code passes over.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SIZES = [*range(1, 14), 32]  # every remainder of fours; tiles of four, eight and twelve columns


def settled(frame, gains, x, leak=0.0):
    padded = np.zeros(frame.z.shape)
    padded[: len(gains)] = gains
    combine_frame(frame, padded, leak)
    definite = settle_frame(frame, x)
    return definite, frame.y[: len(x)].copy(), frame.z[: len(gains)].copy()


@pytest.mark.parametrize("n", SIZES)
def test_the_fixed_point_solves_the_equations(n):
    rng = np.random.default_rng(n)
    rows, x = rng.normal(size=(2 * n + 3, n)), rng.normal(size=n)
    gains = rng.uniform(0.5, 1.5, len(rows))
    A = 0.3 * np.eye(n) + (rows.T * gains) @ rows
    definite, y, z = settled(frame_of(rows), gains, x, 0.3)
    assert definite
    # A backward stable solution is within the condition number times the rounding of the numbers.
    bound = 50 * np.finfo(float).eps * np.linalg.cond(A)
    assert np.abs(y - np.linalg.solve(A, x)).max() <= bound * np.abs(y).max()
    np.testing.assert_allclose(z, rows @ y, rtol=1e-13, atol=1e-13 * np.abs(y).max())


@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan, np.inf])
@pytest.mark.parametrize("n", [1, 4, 6, 9])
def test_weights_that_are_not_positive_definite_are_noticed_wherever_they_are(n, bad):
    rng = np.random.default_rng(n)
    frame = frame_of(np.eye(n))
    for place in range(n):
        gains = rng.uniform(0.5, 1.5, n)
        gains[place] = bad
        assert not settled(frame, gains, np.ones(n))[0]
        gains[place] = 0.5
        assert settled(frame, gains, np.ones(n))[0]


@pytest.mark.parametrize("n", [1, 3, 6, 9])
def test_an_overflow_leaves_nothing_behind(n):
    rows = np.random.default_rng(n).normal(size=(n + 2, n))
    expected = settled(frame_of(rows), np.ones(n + 2), np.ones(n))
    frame = frame_of(rows)
    assert not np.isfinite(settled(frame, np.full(n + 2, 1e-5), np.full(n, 1e305))[1]).all()
    for values, others in zip(settled(frame, np.ones(n + 2), np.ones(n)), expected, strict=True):
        np.testing.assert_array_equal(values, others)
