"""Builders give what their names say, and refuse bad values."""

import numpy as np
import pytest
from scipy import stats

from environments import covariances as cov
from environments.presets import contrast_steps, orientation_ensembles, rotations


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_all_are_covariances(rng):
    built = [
        cov.with_spectrum([1, 2, 3, 4], cov.random_eigenbasis(4, rng)),
        cov.spectrum_matched(np.diag([1.0, 2, 3, 4]), rng),
        cov.wishart_covariance(4, 6, rng),
        cov.random_correlation([0.2, 0.8, 1, 2], rng),
        cov.toeplitz_covariance(0.8 ** np.arange(4)),
        cov.power_law_covariance(4, 1.5),
        cov.gaussian_neighbours(4, 2.0),
        cov.tuned_population(4, [0.5, 0.25, 0.25]),
        cov.low_rank_plus_noise(4, 2, 0.1, rng),
        cov.sparse_mixing(cov.random_eigenbasis(4, rng)[:, :2], [0.0, 3.0]),
    ]
    for matrix in built:
        assert matrix.shape == (4, 4)
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] > 0


@pytest.mark.slow
def test_wishart_has_the_identity_as_its_mean(rng):
    mean = np.mean([cov.wishart_covariance(3, 8, rng) for _ in range(2000)], axis=0)
    # entries have variances (1 + [i = j]) / 8; 5 standard errors
    assert np.abs(mean - np.eye(3)).max() < 5 * np.sqrt(2 / 8 / 2000)


def test_power_law_has_a_power_law():
    spectrum = np.fft.fft(cov.power_law_covariance(64, 2.0)[0]).real[:32]
    np.testing.assert_allclose(spectrum / spectrum[0], (1 + np.arange(32.0)) ** -2, rtol=1e-10)


def test_correlation_has_its_spectrum(rng):
    matrix = cov.random_correlation([0.3, 0.7, 2.0], rng)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), [0.3, 0.7, 2.0], atol=1e-12)


def test_sparse_mixing_has_its_root(rng):
    frame = rng.normal(size=(5, 7))
    frame /= np.linalg.norm(frame, axis=0)
    gains = np.array([0, 0, 2.0, 0, 0, 1.0, 0])
    matrix = cov.sparse_mixing(frame, gains)
    values, vectors = np.linalg.eigh(matrix)
    root = (vectors * np.sqrt(values)) @ vectors.T
    np.testing.assert_allclose(root, np.eye(5) + frame @ np.diag(gains) @ frame.T, atol=1e-12)


def test_uniform_orientations_leave_no_neuron_apart():
    uniform = cov.tuned_population(12, np.full(12, 1 / 12))
    np.testing.assert_allclose(np.roll(uniform, (1, 1), (0, 1)), uniform, atol=1e-14)


def test_tuned_population_is_the_covariance_of_responses(rng):
    chances = np.array([0.4, 0.2, 0.2, 0.2])
    shown = rng.choice(4, p=chances, size=200_000) * np.pi / 4
    preferred = np.arange(3) * np.pi / 3
    responses = np.exp(2.0 * (np.cos(2 * (shown[:, None] - preferred)) - 1))
    expected = np.cov(responses.T) + 0.1 * np.eye(3)
    # responses lie in [0, 1]: standard errors are below 1 / sqrt(200000)
    assert np.abs(cov.tuned_population(3, chances) - expected).max() < 5 / np.sqrt(200_000)


def test_presets_are_what_they_say():
    up, down = contrast_steps(np.diag([1.0, 2.0]), [1, 0.1], block_length=9).parameters()[
        "covariances"
    ]
    np.testing.assert_allclose(down, 0.01 * np.array(up), rtol=1e-15)
    spectra = np.linalg.eigvalsh(
        rotations([1, 2, 5], 3, block_length=9).parameters()["covariances"]
    )
    np.testing.assert_allclose(spectra, [[1, 2, 5]] * 3, rtol=1e-12)
    _, biased = orientation_ensembles(12, block_length=9).parameters()["covariances"]
    assert np.argmax(np.diag(biased)) == 0  # the neuron that prefers the adapter varies most


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda r: cov.with_spectrum([1, -1], np.eye(2)), "spectrum must be .* positive"),
        (lambda r: cov.with_spectrum([], np.eye(0)), "spectrum must be .* positive"),
        (lambda r: cov.with_spectrum([1, 1], np.full((2, 2), np.nan)), "orthonormal"),
        (lambda r: cov.toeplitz_covariance([]), "first_row must be a list"),
        (lambda r: cov.tuned_population(4, []), "must be a list of probabilities"),
        (lambda r: cov.with_spectrum([1, 1], np.eye(3)), "eigenbasis must be 2 x 2"),
        (lambda r: cov.with_spectrum([1, 1], 2 * np.eye(2)), "orthonormal"),
        (lambda r: cov.wishart_covariance(4, 3, r), "degrees_of_freedom must be at least 4"),
        (lambda r: cov.random_correlation([1, 2], r), "spectrum must have the sum 2"),
        (lambda r: cov.toeplitz_covariance([1, 0.9, 0]), "add a ridge"),
        (lambda r: cov.toeplitz_covariance(np.eye(2)), "first_row must be a list"),
        (lambda r: cov.power_law_covariance(4, -1), "exponent must be finite and at least 0"),
        (lambda r: cov.gaussian_neighbours(4, 0), "width must be greater than 0"),
        (lambda r: cov.gaussian_neighbours(4, 1, 2), "noise must be at most 1"),
        (lambda r: cov.tuned_population(4, [0.5, 0.6]), "probabilities must sum to one"),
        (lambda r: cov.low_rank_plus_noise(4, 5, 1, r), "rank must be at most n_neurons"),
        (lambda r: cov.sparse_mixing(np.eye(2), [1]), "one for each column"),
        (lambda r: cov.sparse_mixing(2 * np.eye(2), [1, 1]), "unit length"),
        (lambda r: cov.sparse_mixing(np.eye(2), [1, -1]), "gains must be finite"),
        (lambda r: contrast_steps(np.eye(2), [1, 0], block_length=9), r"contrasts\[1\] must be"),
        (lambda r: orientation_ensembles(adapter_probability=0.05), "must lie between 1/12"),
    ],
)
def test_bad_values_are_refused(make, message, rng):
    with pytest.raises(ValueError, match=message):
        make(rng)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cov.with_spectrum("abc", np.eye(3)), "spectrum must be an array of real numbers"),
        (lambda: cov.with_spectrum([1, 2j], np.eye(2)), "spectrum must be an array of real"),
        (lambda: cov.with_spectrum([1, 2], "x"), "eigenbasis must be an array of real numbers"),
        (lambda: cov.sparse_mixing([[1], [0, 1]], [1]), "frame must be an array of real numbers"),
        (lambda: cov.tuned_population(4, "ab"), "probabilities must be an array of real numbers"),
        (lambda: cov.random_eigenbasis(3, "x"), "rng must be None, a whole number, a SeedSequence"),
        (lambda: cov.spectrum_matched(1j * np.eye(2), 0), "covariance must be an array of real"),
        (lambda: contrast_steps(np.eye(2), 5, block_length=9), "contrasts must be a sequence"),
        (lambda: orientation_ensembles(adapter_probability="a"), "adapter_probability must be a"),
    ],
)
def test_bad_types_are_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_a_seed_draws_what_its_generator_draws():
    """As everywhere in scientific Python (SPEC 7): a whole number, a sequence, or a generator."""
    for build in (
        lambda rng: cov.random_eigenbasis(3, rng),
        lambda rng: cov.wishart_covariance(3, 6, rng),
        lambda rng: cov.random_correlation([0.5, 1.0, 1.5], rng),
        lambda rng: cov.low_rank_plus_noise(3, 1, 0.1, rng),
    ):
        drawn = [build(rng) for rng in (5, np.random.SeedSequence(5), np.random.default_rng(5))]
        np.testing.assert_array_equal(drawn[0], drawn[1])
        np.testing.assert_array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize("n", [2, 3, 20])
def test_eigenbases_are_those_of_scipy(n):
    ours = cov.random_eigenbasis(n, np.random.default_rng(n))
    theirs = stats.ortho_group.rvs(n, random_state=np.random.default_rng(n))
    np.testing.assert_array_equal(ours, theirs)
