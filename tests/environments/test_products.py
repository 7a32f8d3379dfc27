"""Variances of products of whitened inputs: closed forms, and the samples themselves."""

import numpy as np
import pytest

from environments import (
    Concatenate,
    DriftingEnvironment,
    NaturalImageEnvironment,
    NoisyEnvironment,
    RecordedEnvironment,
    Sources,
    StationaryEnvironment,
    SwitchingEnvironment,
)
from environments.paths import Rotation
from environments.samples.products import long_run_variances
from environments.transitions import Gradual, Incremental
from tests.environments.catalogue import ENVIRONMENTS, A, B

N = 2**18
EYE = np.eye(3)


def _variances(environment, sample=0, rates=None):
    return environment.realize(np.random.SeedSequence(0)).product_variances(sample, rates)


def _whitened(environment, n_samples=N):
    realization = environment.realize(np.random.SeedSequence(1))
    values, vectors = np.linalg.eigh(realization.covariances(np.array([0]))[0])
    return next(realization.blocks(n_samples, n_samples)) @ (vectors / np.sqrt(values))


def _by_hand(series):
    """Return Var(y_i y_j) as one would write it."""
    n = series.shape[1]
    return np.array([[(series[:, i] * series[:, j]).var() for j in range(n)] for i in range(n)])


def test_gaussian_samples():
    for environment in (
        StationaryEnvironment(A),
        SwitchingEnvironment([A, B], 50, transition=Incremental(20)),
        DriftingEnvironment(Rotation(A), duration=900),
        NoisyEnvironment(StationaryEnvironment(A), 0.3),
    ):
        np.testing.assert_allclose(_variances(environment, 60), 1 + EYE, atol=1e-12)


def test_student_t_has_the_fourth_moments_of_its_common_scale():
    for degrees, growth in ((5, 3.0), (6, 2.0), (10, 4 / 3)):
        environment = StationaryEnvironment(
            A, sources=Sources("student_t", degrees_of_freedom=degrees)
        )
        np.testing.assert_allclose(
            _variances(environment), growth * (1 + 2 * EYE) - EYE, rtol=1e-12
        )


def test_laplace_depends_on_the_factor_that_colours():
    factor = np.linalg.cholesky(A)
    values, vectors = np.linalg.eigh(A)
    mixing = (vectors / np.sqrt(values)).T @ factor
    expected = 1 + EYE + 3 * mixing**2 @ (mixing**2).T
    environment = StationaryEnvironment(A, sources=Sources("laplace"))
    np.testing.assert_allclose(_variances(environment), expected, rtol=1e-12)


@pytest.mark.parametrize("time_constant", [0.3, 1, 10, 100])
def test_memory_adds_up_over_lags(time_constant):
    environment = StationaryEnvironment(A, sources=Sources(time_constant=time_constant))
    expected = (1 + EYE) / np.tanh(1 / time_constant)
    np.testing.assert_allclose(_variances(environment), expected, rtol=1e-12)
    # a circuit that forgets within a sample sees no memory
    np.testing.assert_allclose(_variances(environment, 0, np.ones((3, 3))), 1 + EYE, rtol=1e-12)
    rates, lags = np.full((3, 3), 0.02), np.arange(1, 20_000)
    weights = 1 + 2 * (0.98**lags * np.exp(-2 * lags / time_constant)).sum()
    np.testing.assert_allclose(_variances(environment, 0, rates), weights * (1 + EYE), rtol=1e-9)


@pytest.mark.parametrize(
    "environment",
    [
        StationaryEnvironment(A, sources=Sources("laplace")),
        StationaryEnvironment(A, sources=Sources("student_t", degrees_of_freedom=12)),
        NoisyEnvironment(StationaryEnvironment(A, sources=Sources("laplace")), 0.5),
        NoisyEnvironment(
            StationaryEnvironment(A, sources=Sources("student_t", degrees_of_freedom=12)), 0.5
        ),
        Concatenate(
            [StationaryEnvironment(A, sources=Sources("laplace")), StationaryEnvironment(B)], [N]
        ),
        NaturalImageEnvironment(["grass", "brick"], patch_size=2, block_length=N),
        NaturalImageEnvironment(["camera", "brick"], patch_size=3, block_length=N, ridge=0.2),
    ],
    ids=lambda environment: type(environment).__name__,
)
def test_independent_samples_have_the_variances_given(environment):
    """Within 5 standard errors, estimated from the scatter of 64 parts."""
    parts = np.array([_by_hand(part) for part in np.split(_whitened(environment), 64)])
    error = parts.std(axis=0, ddof=1) / np.sqrt(len(parts))
    assert (np.abs(parts.mean(axis=0) - _variances(environment)) < 5 * error).all()
    assert (error < 0.05 * parts.mean(axis=0)).all()  # so that the bound means something


def test_a_mixture_of_two_parts_adds_their_excess():
    """Halfway through a Euclidean transition, whose samples are sums of both parts'."""
    loud = StationaryEnvironment(4 * A, sources=Sources("laplace"))
    environment = Concatenate([loud, StationaryEnvironment(B)], [10], transition=Incremental(9))
    weight = 0.5  # at age 4 of 9
    covariance = (1 - weight) * 4 * A + weight * B
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(values)).T
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(N, 3)) for _ in range(2))
    first = rng.laplace(scale=np.sqrt(0.5), size=(N, 3))
    mixed = np.sqrt(1 - weight) * first @ np.linalg.cholesky(4 * A).T
    mixed += np.sqrt(weight) * second @ np.linalg.cholesky(B).T
    expected = _by_hand(mixed @ whitening.T)
    np.testing.assert_allclose(_variances(environment, 14), expected, rtol=0.05)


def test_recordings_are_measured():
    """An AR(1) recording: the integrated autocorrelation of its products is coth(1 / tau)."""
    for time_constant in (0, 5):
        source = StationaryEnvironment(A, sources=Sources(time_constant=time_constant))
        recorded = RecordedEnvironment(source.sample(2**16, seed=3))
        expected = _variances(source)
        # a sum over 6 correlation times of 2.6 samples, from 65536: a relative error near 4 %
        np.testing.assert_allclose(_variances(recorded), expected, rtol=0.15)
        noisy = _variances(NoisyEnvironment(recorded, 0.7))
        np.testing.assert_allclose(noisy, _variances(NoisyEnvironment(source, 0.7)), rtol=0.15)
    assert _variances(RecordedEnvironment(source.sample(900), truth="absent")) is None


def test_long_run_variances_of_a_filtered_series():
    """Sum (1 - a)^|k| g_k is the variance of the series filtered with memory 1 - a, rescaled."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(2)
    series = lfilter([1.0], [1.0, -0.7], rng.normal(size=(2**16, 2)), axis=0)
    rates = np.array([[0.05, 0.1], [0.1, 0.2]])
    found = long_run_variances(series, rates)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        products = series[:, i] * series[:, j]
        kept = 1 - rates[i, j]
        filtered = lfilter([1.0], [1.0, -kept], products - products.mean())
        assert found[i, j] == pytest.approx((1 - kept**2) * filtered.var(), rel=0.05)


def test_walks_over_pictures_remember():
    environment = NaturalImageEnvironment(
        ["grass", "brick"], patch_size=2, block_length=N, step=3, ridge=0.1
    )
    rates = np.full((4, 4), 0.02)
    direct = long_run_variances(_whitened(environment, 2**16), rates)
    found = _variances(environment, 0, rates)
    # two estimates of 65536 samples each that remember some 30
    np.testing.assert_allclose(found, direct, rtol=0.2)
    assert (np.diag(found) > 1.5 * np.diag(_variances(environment, 0, np.ones((4, 4))))).all()


def test_mixtures_of_two_contexts_are_not_known():
    switching = SwitchingEnvironment([A, B], 50, transition=Gradual(20))
    joined = Concatenate([StationaryEnvironment(A)] * 2, [50], transition=Gradual(20))
    for environment in (switching, joined):
        assert _variances(environment, 60) is None
        assert _variances(environment, 40) is not None
        assert _variances(environment, 70) is not None


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_knows_its_variances_or_says_not(name):
    variances = _variances(ENVIRONMENTS[name], 1000)
    if variances is None:
        assert name == "recorded_absent" or "gradual" in name
        return
    n = ENVIRONMENTS[name].n_neurons
    assert variances.shape == (n, n)
    np.testing.assert_array_equal(variances, variances.T)
    assert (variances > 0).all()
