"""Distances against pyRiemann, and against what they promise."""

import numpy as np
import pytest
from pyriemann.geometry import distance as oracle

from adaptnet import metrics
from environments.paths.geometry import METRICS, distance

RIEMANN = {
    "frobenius_distance": oracle.distance_euclid,
    "affine_invariant_distance": oracle.distance_riemann,
    "log_euclidean_distance": oracle.distance_logeuclid,
    "bures_wasserstein_distance": oracle.distance_wasserstein,
    "stein_distance": oracle.distance_logdet,
    "kl_divergence": oracle.distance_kullback,
}
NAMES = [*RIEMANN, "jeffreys_divergence"]


@pytest.fixture
def pairs():
    drawn = np.random.default_rng(0).normal(size=(2, 4, 3, 6, 9))
    return drawn @ np.swapaxes(drawn, -1, -2)


@pytest.mark.parametrize("name", RIEMANN)
def test_equal_to_pyriemann(name, pairs):
    ours = getattr(metrics, name)(*pairs)
    assert ours.shape == (4, 3)
    theirs = [
        [RIEMANN[name](a, b) for a, b in zip(*row, strict=True)] for row in zip(*pairs, strict=True)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_jeffreys_is_both_directions_added(pairs):
    a, b = pairs
    both = metrics.kl_divergence(a, b) + metrics.kl_divergence(b, a)
    np.testing.assert_allclose(metrics.jeffreys_divergence(a, b), both, rtol=1e-10)


def test_kl_is_that_of_gaussians():
    """In one dimension: ln(s2 / s1) + s1^2 / (2 s2^2) - 1/2."""
    expected = np.log(3 / 2) + 4 / 18 - 0.5
    np.testing.assert_allclose(metrics.kl_divergence([[4.0]], [[9.0]]), expected, rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_leading_dimensions_broadcast(name, pairs):
    a, b = pairs
    found = getattr(metrics, name)
    expected = [[found(x, y) for y in b[0]] for x in a[:, 0]]
    np.testing.assert_allclose(found(a[:, :1], b[0]), expected, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_zero_at_equality_and_unmoved_by_rotation(name, pairs):
    a, b = pairs[:, 0, 0]
    found = getattr(metrics, name)
    assert found(a, a) == pytest.approx(0, abs=1e-6)  # roots of rounding errors
    q = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    rotated = [q @ m @ q.T for m in (a, b)]
    np.testing.assert_allclose(found(*rotated), found(a, b), rtol=1e-8)


@pytest.mark.parametrize("name", ["affine_invariant_distance", "stein_distance", "kl_divergence"])
def test_unmoved_by_any_invertible_map(name, pairs):
    a, b = pairs[:, 0, 0]
    t = np.random.default_rng(1).normal(size=(6, 6))
    found = getattr(metrics, name)
    np.testing.assert_allclose(found(t @ a @ t.T, t @ b @ t.T), found(a, b), rtol=1e-7)


@pytest.mark.parametrize("name", NAMES[1:])
def test_near_covariances_keep_their_digits(name):
    """For B = (1 + h) I every distance is linear in h to first order, and divergences quadratic."""
    found = getattr(metrics, name)
    small, smaller = (float(found(np.eye(3), (1 + h) * np.eye(3))) for h in (1e-5, 1e-6))
    power = 2 if "divergence" in name else 1
    # 1e-16 of rounding against 1e-12 of a divergence at h = 1e-6
    assert small / smaller == pytest.approx(10**power, rel=1e-3)


@pytest.mark.parametrize("metric", METRICS)
def test_environments_measure_the_same_distances(metric, pairs):
    name = "frobenius" if metric == "euclidean" else metric
    ours = getattr(metrics, f"{name}_distance")(*pairs)
    np.testing.assert_allclose(distance(*pairs, metric), ours, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("second", "message"),
    [
        (np.ones((2, 3)), "second must be square"),
        ([[1.0, 2.0], [0.0, 1.0]], "second must be symmetric"),
        ([[np.nan, 0.0], [0.0, 1.0]], "second must be finite"),
        (np.eye(3), "both must have one size"),
        ([[1.0, 0.0], [0.0, 0.0]], "second must be positive definite"),
    ],
)
def test_bad_matrices_are_refused(name, second, message):
    if name == "frobenius_distance" and "definite" in message:
        assert metrics.frobenius_distance(np.eye(2), second) == 1.0
        return
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(np.eye(2), second)
