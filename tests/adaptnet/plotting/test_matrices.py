"""Images and spectra are those of the recorded matrices."""

import numpy as np
import pytest

from adaptnet import plotting

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def test_matrices_are_those_before_and_after(pictured_run):
    _, grid = plotting.plot_matrices(pictured_run, 1)
    images = [ax.get_images()[0].get_array() for ax in grid[:, 0]]
    np.testing.assert_allclose(images[0], pictured_run.covariance.sel(sample=790))
    np.testing.assert_allclose(images[1], pictured_run.covariance.sel(sample=1190))
    root = grid[1, 1].get_images()[0].get_array()
    np.testing.assert_allclose(root @ root, pictured_run.covariance.sel(sample=1190))
    weights = grid[1, 2].get_images()[0].get_array()
    np.testing.assert_allclose(
        weights, pictured_run.effective_weights.isel(replicate=0).sel(circuit="direct", sample=1190)
    )
    with pytest.raises(ValueError, match="change must be one of"):
        plotting.plot_matrices(pictured_run, 9)
    with pytest.raises(ValueError, match="has not recorded"):
        plotting.plot_matrices(pictured_run.drop_vars("covariance"))


def test_spectrum_is_that_of_the_static_circuit(pictured_run):
    _, (ax,) = plotting.plot_spectrum(pictured_run, "static")
    drawn = np.array([line.get_ydata()[0] for line in ax.get_lines()[:2]])
    np.testing.assert_allclose(drawn, [1.0, 3.0])  # identity weights: the inputs' own
    with pytest.raises(ValueError, match="circuit must be one of"):
        plotting.plot_spectrum(pictured_run, "statik")
