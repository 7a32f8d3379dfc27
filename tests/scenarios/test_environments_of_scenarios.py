"""Scenarios of drift, contrast and chance: their environments are what they say."""

import numpy as np
import pytest
from click.testing import CliRunner

from adaptnet.metrics import affine_invariant_distance
from scenarios.catalogue.contrast import Contrast
from scenarios.catalogue.drifting import Drifting
from scenarios.catalogue.markov import Markov
from scenarios.cli import main


def _realized(scenario, seed=0):
    return scenario.environment().realize(np.random.SeedSequence(seed))


@pytest.mark.parametrize("metric", ["affine_invariant", "bures_wasserstein"])
def test_drift_has_its_speed_and_covers_the_jump(metric):
    scenario = Drifting(rest=2000, speed=0.5, metric=metric)
    realization = _realized(scenario)
    begin, end, back = realization.change_samples(scenario.n_samples)
    assert (begin, back - end) == (2000, 2000)
    assert scenario.n_samples - back == 2000
    start, early, arrived, left, again = realization.covariances(
        np.array([0, begin, end, back - 1, back])
    )
    np.testing.assert_array_equal(arrived, left)
    np.testing.assert_allclose(again, start, rtol=1e-12)
    np.testing.assert_allclose(early, start, rtol=1e-9, atol=1e-9)
    if metric == "affine_invariant":
        distance = affine_invariant_distance(start, arrived)
        # the drift is a whole number of samples long
        assert distance / (end - begin) * 1000 == pytest.approx(0.5, rel=1e-3)


def test_contrast_changes_the_scale_alone():
    scenario = Contrast(block_length=100, high=2.0, low=0.5, n_blocks=3)
    high, low, again = _realized(scenario).covariances(np.array([0, 100, 299]))
    np.testing.assert_allclose(high, 16 * low, rtol=1e-14)
    np.testing.assert_array_equal(high, again)
    assert np.sqrt(np.diag(high)) == pytest.approx(2.0)


def test_markov_replicates_share_a_path_of_chance():
    scenario = Markov(length=5000, mean_duration=500.0)
    assert scenario.environment().shared_path
    changes = [_realized(scenario, seed).change_samples(5000).tolist() for seed in range(2)]
    assert changes[0] == changes[1]
    other = Markov(length=5000, mean_duration=500.0, path_seed=7)
    assert _realized(other).change_samples(5000).tolist() != changes[0]


@pytest.mark.parametrize("name", ["drifting", "contrast", "markov"])
def test_plot_environment_on_the_command_line(name, tmp_path):
    picture = tmp_path / "picture.png"
    arguments = ["plot-environment", name, "-o", str(picture), "--set", "n_neurons=3"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code != 0
    assert "--overwrite" in again.output or "exists" in again.output


def test_plot_environment_says_what_is_wrong(tmp_path):
    for arguments, message in (
        (["contrasts"], "did you mean 'contrast'?"),
        (["contrast", "--set", "hihg=2"], "did you mean 'high'?"),
        (["contrast", "--seed", "-1"], "--seed must not be negative"),
        (["drifting", "--samples", "1000"], "beyond the run of 1000 samples"),
    ):
        output = ["-o", str(tmp_path / "none.png")]
        result = CliRunner().invoke(main, ["plot-environment", *arguments, *output])
        assert result.exit_code == 1
        assert message in result.output
        assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize("kind", [Drifting, Contrast, Markov])
def test_previews_run_to_their_end(kind):
    dataset = kind(**kind.preview).run(n_replicates=2, progress=False)
    assert (dataset["diverged_sample"] == -1).all()
    assert np.isfinite(dataset["whitening_error"]).all()
    assert dataset.sizes["change"] >= 3
