"""Paths of covariances: against pyRiemann, closed forms, and at the speed asked for."""

import numpy as np
import pytest
from pyriemann.geometry import geodesic as oracle

from adaptnet import metrics
from environments import DriftingEnvironment
from environments.paths import (
    Geodesic,
    LogOrnsteinUhlenbeck,
    Rotation,
    SinusoidalSpectrum,
    WishartProcess,
)
from environments.paths.geometry import METRICS
from environments.paths.lines import between
from environments.transitions import Incremental
from tests.environments.catalogue import A, B, C

ORACLES = {
    "euclidean": oracle.geodesic_euclid,
    "affine_invariant": oracle.geodesic_riemann,
    "log_euclidean": oracle.geodesic_logeuclid,
    "bures_wasserstein": oracle.geodesic_wasserstein,
}
DISTANCES = {
    "euclidean": metrics.frobenius_distance,
    "affine_invariant": metrics.affine_invariant_distance,
    "log_euclidean": metrics.log_euclidean_distance,
    "bures_wasserstein": metrics.bures_wasserstein_distance,
}


def _pair(n):
    drawn = np.random.default_rng(n).normal(size=(2, n, n + 3))
    return drawn @ np.swapaxes(drawn, -1, -2)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [1, 2, 10])
def test_geodesics_equal_pyriemann(metric, n):
    start, end = _pair(n)
    t = np.array([0.0, 0.25, 0.5, 0.9, 1.0])
    expected = np.array([ORACLES[metric](start, end, alpha) for alpha in t])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        between(start, end, metric).covariances(t), expected, atol=1e-10 * scale
    )


@pytest.mark.parametrize("metric", METRICS)
def test_a_line_is_walked_at_constant_speed(metric):
    start, end = _pair(5)
    way = between(start, end, metric)
    steps = way.covariances(np.linspace(0, 1, 6))
    lengths = DISTANCES[metric](steps[:-1], steps[1:])
    np.testing.assert_allclose(lengths, way.length / 5, rtol=1e-8)


@pytest.mark.parametrize("metric", Incremental.METRICS)
def test_colour_gives_the_covariance_of_its_t(metric):
    """Colouring is linear: coloured unit vectors are the columns of a factor of C(t)."""
    start, end = _pair(4)
    way = between(start, end, metric)
    for t in (0.0, 0.3, 1.0):
        at = np.full(4, t)
        columns = np.empty((4, 4))
        way.colour(at, np.eye(4), columns)
        factor = columns.T
        np.testing.assert_allclose(factor @ factor.T, way.covariances(at)[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("metric", Incremental.METRICS)
def test_a_walk_in_even_steps_colours_as_its_positions_say(metric):
    way = between(*_pair(4), metric)
    white = np.random.default_rng(0).normal(size=(50, 4))
    walked, said = np.empty_like(white), np.empty_like(white)
    for start, step in ((0.1, 0.002), (0.7, 0.002), (0.2, 0.01)):
        for size in (50, 20, 50):  # what is kept from a shorter walk must not be used up
            way.walk(start, step, white[:size], walked[:size])
            way.colour(start + step * np.arange(size), white[:size], said[:size])
            np.testing.assert_allclose(walked[:size], said[:size], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "path",
    [
        Geodesic([A, B, C, A]),
        Geodesic([A, B], "bures_wasserstein"),
        Rotation(A),
        Rotation(np.diag([1.0, 2.0, 3.0, 4.0, 9.0])),
        SinusoidalSpectrum(A, 0.7, [0.1, 0.2, 0.3]),
    ],
    ids=lambda path: type(path).__name__,
)
def test_smooth_paths_colour_each_sample_as_they_say(path):
    n = path.n_neurons
    start, step = 0.05, 0.21  # beyond a geodesic's end
    u = start + step * np.arange(7)
    covariances = path.covariances(u)
    factors = np.empty((7, n, n))
    for column, unit in enumerate(np.eye(n)):
        coloured = np.empty((7, n))
        path.colour(start, step, np.tile(unit, (7, 1)), coloured)
        factors[:, :, column] = coloured
    np.testing.assert_allclose(factors @ np.swapaxes(factors, -1, -2), covariances, atol=1e-12)
    assert np.linalg.eigvalsh(covariances).min() > 0


def test_rotation_keeps_the_spectrum_and_comes_back():
    path = Rotation(A)
    covariances = path.covariances(np.array([0.0, 0.1, 0.37, 1.0]))
    np.testing.assert_allclose(np.linalg.eigvalsh(covariances), [np.linalg.eigvalsh(A)] * 4)
    np.testing.assert_allclose(covariances[[0, 3]], [A, A], atol=1e-13)
    assert np.abs(covariances[2] - A).max() > 0.1


def test_half_a_turn_brings_back_what_does_not_covary_with_the_rest():
    four = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.3
    cases = [(four, None, True), (A, None, False), (np.diag([1.0, 2.0, 3.0]), None, True)]
    cases += [(four, np.eye(4)[:, :2], False), (four[:2, :2], None, True)]
    for covariance, planes, back in cases:
        half = Rotation(covariance, planes).covariances(np.array([0.5]))[0]
        assert np.allclose(half, covariance, atol=1e-12) == back


def test_sinusoid_has_its_covariance_as_the_mean_of_a_period():
    path = SinusoidalSpectrum(A, 0.9, [0, 0.2, 0.5])
    mean = path.covariances(np.arange(64) / 64).mean(axis=0)
    np.testing.assert_allclose(mean, A, atol=1e-13)


def test_geodesic_stays_at_its_end():
    np.testing.assert_allclose(Geodesic([A, B]).covariances(np.array([1.0, 7.0])), [B, B])


def test_geodesic_passes_its_waypoints():
    line = [DISTANCES["affine_invariant"](*ends) for ends in ((A, B), (B, C))]
    middle = line[0] / sum(line)
    np.testing.assert_allclose(Geodesic([A, B, C]).covariances(np.array([middle])), [B], atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "path",
    [Geodesic([A, B, C]), Rotation(A), SinusoidalSpectrum(A, 0.8)],
    ids=lambda path: type(path).__name__,
)
def test_speed_is_the_distance_a_thousand_samples(path, metric):
    """Over a unit of path, cut finer than the environment cuts it, the arc has the length said."""
    environment = DriftingEnvironment(path, speed=0.5, metric=metric)
    covariances = path.covariances(np.union1d(np.linspace(0, 1, 2001), path.corners))
    arc = DISTANCES[metric](covariances[:-1], covariances[1:]).sum()
    # chords of 1/512 of a path are shorter than the arc by a few millionths
    assert arc / environment.duration * 1000 == pytest.approx(0.5, rel=1e-4)
    assert environment.speed(metric) == pytest.approx(0.5, rel=1e-12)


def test_speed_of_a_wandering_logarithm_has_a_closed_form():
    """E |L(s + 1000) - L(s)|^2 = 2 spread^2 (1 - exp(-1000 / duration)) n (n + 1) / 2."""
    spread, duration = 0.3, 5000
    environment = DriftingEnvironment(LogOrnsteinUhlenbeck(A, spread), duration=duration)
    expected = np.sqrt(2 * spread**2 * -np.expm1(-1000 / duration) * 3 * 4 / 2)
    # a root mean square over 341 pairs of 6 entries: a relative error near 1 / sqrt(2 * 341 * 6)
    assert environment.speed("log_euclidean") == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "path",
    [LogOrnsteinUhlenbeck(A, 0.3), LogOrnsteinUhlenbeck(A, 1.0), WishartProcess(A, 12)],
    ids=["narrow", "wide", "wishart"],
)
def test_speeds_of_random_paths_have_the_standard_error_stated(path, metric):
    """Against ten thousand other pairs, within 5 standard errors of both."""
    rng = np.random.default_rng(7)
    start = rng.normal(size=(10_000, *path.state_shape))
    end = np.exp(-0.2) * start + np.sqrt(1 - np.exp(-0.4)) * rng.normal(size=start.shape)
    factors = [path.factor(states) for states in (start, end)]
    covariances = [factor @ np.swapaxes(factor, -1, -2) for factor in factors]
    squares = DISTANCES[metric](*covariances) ** 2
    expected = np.sqrt(squares.mean())
    error = squares.std() / 100 / squares.mean() / 2
    stated = path.displacement_error(0.2, metric)
    assert stated < (0.15 if metric == "euclidean" else 0.03)
    bound = 5 * expected * np.hypot(error, stated)
    assert abs(path.displacement(0.2, metric) - expected) < bound


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "path", [LogOrnsteinUhlenbeck(A, 0.3), WishartProcess(A, 12)], ids=["log_ou", "wishart"]
)
def test_random_paths_have_the_speed_asked_for(path, metric):
    speed = 0.2
    environment = DriftingEnvironment(path, speed=speed, metric=metric, resolution=100)
    apart = []
    for seed in range(60):
        realization = environment.realize(np.random.SeedSequence(seed))
        ends = realization.covariances(np.arange(0, 8001, 1000))
        apart.append((DISTANCES[metric](ends[:-1], ends[1:]) ** 2).mean())
    scatter = np.std(apart, ddof=1) / np.sqrt(len(apart))
    # its own scatter, and 5 % for the 341 pairs from which the duration was estimated
    assert abs(np.mean(apart) - speed**2) < 5 * scatter + 0.1 * speed**2


def test_logarithm_wanders_about_its_mean_isotropically():
    path = LogOrnsteinUhlenbeck(np.diag([1.0, 4.0]), 0.5)
    rng = np.random.default_rng(0)
    factors = np.array([path.factor(path.start(rng)) for _ in range(4000)])
    values, vectors = np.linalg.eigh(factors @ np.swapaxes(factors, -1, -2))
    logs = (vectors * np.log(values)[:, None]) @ np.swapaxes(vectors, -1, -2)
    error = 5 * 0.5 / np.sqrt(4000)  # 5 standard errors of the mean, and of variances below
    assert np.abs(logs.mean(axis=0) - np.diag(np.log([1, 4]))).max() < error
    np.testing.assert_allclose(logs.var(axis=0), 0.25 * np.array([[1, 0.5], [0.5, 1]]), rtol=0.12)


def test_wishart_process_has_its_mean_and_memory():
    path = WishartProcess(A, 5)
    rng = np.random.default_rng(0)
    starts = [path.start(rng) for _ in range(4000)]
    ends = [path.advance(state, 0.5, rng) for state in starts]
    covariances = [
        np.array([path.factor(s) @ path.factor(s).T for s in states]) for states in (starts, ends)
    ]
    for drawn in covariances:
        assert np.abs(drawn.mean(axis=0) - A).max() < 5 * A.max() * np.sqrt(2 / 5 / 4000)
    traces = [np.trace(drawn, axis1=1, axis2=2) for drawn in covariances]
    # entries of X correlate by exp(-1/2), products by its square
    assert np.corrcoef(*traces)[0, 1] == pytest.approx(np.exp(-1), abs=5 / np.sqrt(4000))


def test_steps_do_not_depend_on_the_order_they_are_asked_in():
    environment = DriftingEnvironment(WishartProcess(A, 8), duration=900, resolution=10)
    samples = np.arange(0, 9000, 10)
    forward = environment.realize(np.random.SeedSequence(1)).covariances(samples)
    jumping = environment.realize(np.random.SeedSequence(1))
    order = np.random.default_rng(0).permutation(len(samples))
    np.testing.assert_array_equal(jumping.covariances(samples[order]), forward[order])


def test_describe_tells_speed_and_resolution():
    described = DriftingEnvironment(
        Geodesic([A, B], "log_euclidean"), speed=0.5, metric="log_euclidean", resolution=500
    ).describe(2000)
    assert described["speed_per_1000_samples"]["log_euclidean"] == pytest.approx(0.5)
    assert described["samples_held"] == 500
    assert 0 < described["distance_of_a_step"] < described["distance_covered"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Geodesic([A]), "covariances must be at least two"),
        (lambda: Geodesic([A, A]), "must differ, but are equal"),
        (
            lambda: Geodesic([A, np.diag([1.0, 1.0, -1.0])]),
            r"covariances\[1\] must be positive def",
        ),
        (lambda: Geodesic([A, B], "riemann"), "metric must be one of"),
        (lambda: Rotation(A, np.eye(3)), "two columns per plane"),
        (lambda: Rotation(A, 2 * np.eye(3)[:, :2]), "orthonormal columns"),
        (lambda: Rotation([[1.0]]), "at least one plane"),
        (lambda: SinusoidalSpectrum(A, 1.0), "leave the cone of positive definite"),
        (lambda: SinusoidalSpectrum(A, 0.5, [0.0]), "phases must be 3 numbers"),
        (lambda: LogOrnsteinUhlenbeck(A, 0), "spread must be greater than 0"),
        (lambda: LogOrnsteinUhlenbeck(A, 7), r"spread must be below 6\.99 .* leave the cone"),
        (lambda: WishartProcess(A, 3), "leave the positive definite cone"),
        (lambda: WishartProcess(A, np.int64(2)), "leave the positive definite cone"),
        (lambda: DriftingEnvironment(Rotation(A), duration=0), "duration must be greater than 0"),
        (lambda: DriftingEnvironment(Rotation(A), speed=-1), "speed must be finite"),
        (lambda: DriftingEnvironment(Rotation(A), speed=1, metric="x"), "metric must be one of"),
        (lambda: DriftingEnvironment(Rotation(np.eye(2)), speed=1), "path does not move"),
        (lambda: DriftingEnvironment(Rotation(A), duration=9, path_seed=0), "path_seed fixes"),
        (
            lambda: DriftingEnvironment(LogOrnsteinUhlenbeck(A, 0.1), speed=5),
            "speed must be below .* larger range",
        ),
    ],
)
def test_bad_values_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_bad_types_are_refused():
    with pytest.raises(TypeError, match="path must be a Path"):
        DriftingEnvironment(A, duration=9)
    for arguments in ({}, {"duration": 9, "speed": 1}):
        with pytest.raises(TypeError, match="one of duration and speed"):
            DriftingEnvironment(Rotation(A), **arguments)
