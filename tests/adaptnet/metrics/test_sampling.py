"""Second moments of outputs, and their floors, against closed forms and samples."""

import numpy as np
import pytest

from adaptnet.metrics import empirical_errors, running_second_moments, sampling_floor

OUTPUTS = np.random.default_rng(3).normal(size=(2, 60, 3))


def by_definition(outputs, end, window, timescale):
    age = np.arange(end - 1, -1, -1)
    weights = np.ones(end)
    if window is not None:
        weights = (age < window) * 1.0
    if timescale is not None:
        weights = (1 - 1 / timescale) ** age
    y = outputs[:end]
    return (y.T * weights) @ y / weights.sum(), weights.sum() ** 2 / (weights**2).sum()


@pytest.mark.parametrize("options", [{}, {"window": 7}, {"timescale": 4.5}, {"timescale": 1}])
@pytest.mark.parametrize("samples", [None, [1, 5, 6, 60]])
def test_moments_are_weighted_means(options, samples):
    moments, n_effective = running_second_moments(OUTPUTS, samples, **options)
    ends = range(1, 61) if samples is None else samples
    assert moments.shape == (2, len(ends), 3, 3)
    for record, end in enumerate(ends):
        for repetition in range(2):
            expected, weight = by_definition(
                OUTPUTS[repetition], end, options.get("window"), options.get("timescale")
            )
            # Sums of 60 products of order 1: rounding alone.
            np.testing.assert_allclose(moments[repetition, record], expected, atol=1e-13)
            np.testing.assert_allclose(n_effective[record], weight, rtol=1e-12)


def test_a_timescale_is_as_precise_as_so_many_samples_in_the_long_run():
    outputs = np.ones((400, 1))
    assert running_second_moments(outputs, [400], timescale=10).n_effective == pytest.approx(19)


def test_errors_vanish_for_white_outputs_and_hold_what_is_known_of_others():
    y = np.sqrt(2) * np.array([[1.0, 0.0], [0.0, 1.0]] * 10)
    even = np.arange(2, 21, 2)
    errors = empirical_errors(y, even)
    np.testing.assert_allclose(errors.frobenius_error, 0.0, atol=1e-14)
    errors = empirical_errors(y * [np.sqrt(3), 1.0], even)  # variances 3 and 1
    np.testing.assert_allclose(errors.whitening_error, 2.0, atol=1e-13)


def test_floors_are_those_of_samples():
    """The mean over 4,000 draws is within 2 % of what any number of draws would give."""
    rng = np.random.default_rng(0)
    for n, w in [(1, 10), (2, 10), (5, 3), (5, 50)]:
        y = rng.standard_normal((4000, w, n))
        errors = empirical_errors(y, [w])
        floor = sampling_floor(n, w)
        found = np.sqrt(np.mean(errors.whitening_error**2))
        assert floor.whitening_error == pytest.approx(found, rel=0.03)
        found = np.sqrt(np.mean(errors.frobenius_error**2))
        assert floor.frobenius_error == pytest.approx(found, rel=0.03)


def test_floors_hold_for_fading_weights():
    y = np.random.default_rng(1).standard_normal((2000, 120, 3))
    errors = empirical_errors(y, [120], timescale=12)
    for error, floor in zip(errors[:2], errors[2:], strict=True):
        assert floor[0] == pytest.approx(np.sqrt(np.mean(error**2)), rel=0.03)


@pytest.mark.parametrize(("n", "limit"), [(1, 2.0), (2, 5.0)])
def test_operator_floor_has_its_closed_limits(n, limit):
    """E max eigenvalue(G)^2 of Gaussian orthogonal G: 2 if n = 1, 1 + 2 + 2 if n = 2."""
    w = 1e8
    assert w * sampling_floor(n, w).whitening_error ** 2 == pytest.approx(limit, rel=0.02)


def test_operator_floor_meets_the_edge_of_the_spectrum():
    """Of n = 200, w = 2000, the largest eigenvalue is (1 + (n/w)^1/2)^2, less n^(-2/3) of it."""
    edge = (1 + np.sqrt(0.1)) ** 2 - 1
    assert sampling_floor(200, 2000).whitening_error == pytest.approx(edge, rel=0.03)


def test_floors_of_many_numbers_are_those_of_each():
    w = np.geomspace(4, 4000, 100)
    many = sampling_floor(4, w)
    each = [float(sampling_floor(4, one).whitening_error) for one in w[::9]]
    # Between points of the grid: the bend of the curve and the draws' own 1 %.
    np.testing.assert_allclose(many.whitening_error[::9], each, rtol=0.03)
    np.testing.assert_allclose(many.frobenius_error, np.sqrt(20 / w), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 2.0],), ValueError, "shape"),
        (([["a"]],), TypeError, "real numbers"),
        (([[np.nan]],), ValueError, "finite"),
        ((OUTPUTS, [3, 3]), ValueError, "ascend"),
        ((OUTPUTS, [0, 3]), ValueError, "ascend"),
        ((OUTPUTS, [61]), ValueError, "at most 60"),
        ((OUTPUTS, [1.5]), TypeError, "whole numbers"),
    ],
)
def test_bad_outputs_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        running_second_moments(*arguments)


def test_bad_weights_are_refused():
    with pytest.raises(ValueError, match="not both"):
        running_second_moments(OUTPUTS, window=3, timescale=3)
    with pytest.raises(ValueError, match="at least 1"):
        running_second_moments(OUTPUTS, timescale=0.5)
    with pytest.raises(ValueError, match="window"):
        running_second_moments(OUTPUTS, window=0)
    with pytest.raises(ValueError, match="at least 1"):
        sampling_floor(2, 0.5)
