"""The picture of an environment shows what the environment says of itself."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

import adaptnet as an
from adaptnet import plotting
from adaptnet.plotting import STYLES
from environments import RecordedEnvironment, SwitchingEnvironment
from tests.adaptnet.plotting.layout import faults
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
    to_data = axes["spectrum"].transData.inverted()
    boxes = [patch.get_window_extent() for patch in axes["spectrum"].patches]
    bands = [to_data.transform_bbox(box).intervalx for box in boxes]
    np.testing.assert_allclose(
        bands, [[0, 300], [300, 1100], [1100, 2000], [2000, 2500]], atol=1e-6
    )
    texts = [text.get_text() for text in axes["spectrum"].get_legend().get_texts()]
    assert texts == ["context 0", "context 1"]


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


def drawn(name, **options):
    environment = ENVIRONMENTS[name]
    if environment.truth == "absent":
        pytest.skip("nothing is known of its covariances")
    return an.plot_environment(environment, 2500, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "style"), list(itertools.product(ENVIRONMENTS, STYLES)))
def test_every_environment_is_drawn_with_texts_whole_and_apart(name, style):
    with plotting.style(style):
        figure, axes = drawn(name)
    assert {"spectrum", "distance", "covariance_4"} <= axes.keys()
    assert not faults(figure)


@pytest.mark.parametrize("n_contexts", [1, 2, 6, 8])
def test_a_covariance_of_every_context_is_shown(n_contexts):
    scales = np.geomspace(0.01, 1, n_contexts)
    environment = SwitchingEnvironment(
        [scale * A for scale in scales],
        block_length=100,
        context_names=[f"contrast_number_{i}" for i in range(n_contexts)],
    )
    figure, axes = an.plot_environment(environment, 100 * n_contexts + 300)
    largest = {float(np.abs(ax.images[0].get_array()).max()) for n, ax in axes.items() if "_" in n}
    assert len(largest) == n_contexts
    for name, ax in axes.items():
        if "_" in name:  # nothing looks blank, however low the contrast
            assert ax.images[0].get_clim()[1] == np.abs(ax.images[0].get_array()).max()
    assert not faults(figure)


def test_it_draws_on_the_axes_that_it_is_passed():
    own = Figure(layout="constrained")
    own_axes = own.subplots(2, 4)
    figure, axes = drawn("blocks", axes=own_axes)
    assert figure is own
    assert list(axes.values())[:7] == own_axes.ravel()[:7].tolist()
    with pytest.raises(ValueError, match="axes must hold one for each of 7 panels, got 4"):
        drawn("blocks", axes=own_axes[0])
