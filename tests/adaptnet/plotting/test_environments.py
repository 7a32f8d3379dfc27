"""The picture of an environment shows what the environment says of itself."""

import numpy as np
import pytest

import adaptnet as an
from environments import RecordedEnvironment
from tests.environments.catalogue import ENVIRONMENTS, A, B


@pytest.mark.parametrize("name", ["blocks", "log_ou", "recorded_window", "concatenated_gradual"])
def test_curves_are_the_truth(name):
    environment = ENVIRONMENTS[name]
    figure, axes = an.plot_environment(environment, 3000, seed=3)
    realization = environment.realize(np.random.SeedSequence(3))
    (distance,) = axes["distance"].lines
    samples = distance.get_xdata().astype(int)
    assert set(realization.change_samples(3000)) <= set(samples)
    covariances = realization.covariances(samples)
    expected = an.metrics.affine_invariant_distance(covariances[0], covariances)
    np.testing.assert_allclose(distance.get_ydata(), expected)
    spectrum = np.array([line.get_ydata() for line in axes["spectrum"].lines]).T
    np.testing.assert_allclose(spectrum, np.linalg.eigvalsh(covariances))
    assert len(figure.axes) == len(axes) == 8


def test_contexts_are_bands_with_their_names():
    environment = ENVIRONMENTS["given"]  # changes at 300, 1100, 2000
    _, axes = an.plot_environment(environment, 2500)
    bands = [patch.get_bbox().intervalx.tolist() for patch in axes["spectrum"].patches]
    assert bands == [[0, 300], [300, 1100], [1100, 2000], [2000, 2500]]
    texts = [text.get_text() for text in axes["spectrum"].get_legend().get_texts()]
    assert texts == ["context_0", "context_1"]


def test_two_neurons_are_drawn_as_ellipses_of_one_standard_deviation():
    environment = ENVIRONMENTS["blocks"].__class__([A[:2, :2], B[:2, :2]], 1000)
    _, axes = an.plot_environment(environment, 1000)
    (line,) = axes["covariance_0"].lines
    points = np.array(line.get_data())
    mahalanobis = (points * np.linalg.solve(A[:2, :2], points)).sum(axis=0)
    np.testing.assert_allclose(mahalanobis, 1)


def test_images_are_the_covariances():
    _, axes = an.plot_environment(ENVIRONMENTS["stationary"], 100)
    (image,) = axes["covariance_4"].images
    np.testing.assert_array_equal(image.get_array(), A)


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="environment must be an environment"):
        an.plot_environment(A, 100)
    with pytest.raises(ValueError, match="n_samples must be a whole number"):
        an.plot_environment(ENVIRONMENTS["stationary"], 0)
    recorded = RecordedEnvironment(np.random.default_rng(0).normal(size=(50, 2)), truth="absent")
    with pytest.raises(ValueError, match="nothing is known of its covariances"):
        an.plot_environment(recorded, 50)
