"""The animation around a change."""

import shutil

import numpy as np
import pytest
import xarray as xr

from adaptnet import plotting

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def test_the_animation_has_its_frames(pictured_run, tmp_path):
    from PIL import Image

    plotting.animate_ellipses(pictured_run, tmp_path / "e.gif", n_frames=6)
    with Image.open(tmp_path / "e.gif") as picture:
        assert picture.n_frames >= 6
    with pytest.raises(ValueError, match=r"\.gif or \.mp4"):
        plotting.animate_ellipses(pictured_run, tmp_path / "e.png")
    with pytest.raises(ValueError, match="neurons must be"):
        plotting.animate_ellipses(pictured_run, tmp_path / "e.gif", neurons=(0, 5))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_the_animation_is_a_film_where_there_is_ffmpeg(pictured_run, tmp_path):
    plotting.animate_ellipses(pictured_run, tmp_path / "e.mp4", n_frames=3)
    assert (tmp_path / "e.mp4").read_bytes()[4:8] == b"ftyp"
    assert [file.name for file in tmp_path.iterdir()] == ["e.mp4"]


def test_without_ffmpeg_it_says_what_to_do(pictured_run, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"install it \(.*or write a \.gif"):
        plotting.animate_ellipses(pictured_run, tmp_path / "e.mp4")


def test_what_diverged_is_not_animated(pictured_run, tmp_path):
    lost = pictured_run.copy(deep=True)
    lost.effective_weights.values[0, 0, 50:] = np.nan
    with pytest.raises(ValueError, match="direct diverged around change 0 of replicate 0"):
        plotting.animate_ellipses(lost, tmp_path / "e.gif")
    assert not list(tmp_path.iterdir())


def test_other_datasets_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="is not a run"):
        plotting.animate_ellipses(xr.Dataset(), tmp_path / "e.gif")
