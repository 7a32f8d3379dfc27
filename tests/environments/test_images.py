import sys

import numpy as np
import pytest
from PIL import Image

from environments import NaturalImageEnvironment
from environments.data.image_files import SHIPPED, luminance

RNG = np.random.default_rng(0)
SMALL = [RNG.random((20, 30)), np.add.outer(np.arange(25.0), np.sin(np.arange(25.0)))]


def inputs(environment, n_samples, seed=0):
    replicate = environment.realize(np.random.SeedSequence(seed))
    return np.concatenate(list(replicate.blocks(n_samples, 4096)))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_pictures_are_there(name):
    picture = luminance(name)
    assert picture.ndim == 2
    assert min(picture.shape) >= 300


def test_truth_is_the_covariance_over_all_patches_plus_the_ridge():
    environment = NaturalImageEnvironment(SMALL, patch_size=3, block_length=10, ridge=0.05)
    truth = environment.realize(np.random.SeedSequence(0)).covariances(np.array([0, 10]))
    for picture, covariance in zip(SMALL, truth, strict=True):
        rows, columns = picture.shape
        patches = (
            np.array(
                [
                    picture[i : i + 3, j : j + 3].ravel()
                    for i in range(rows - 2)
                    for j in range(columns - 2)
                ]
            )
            / picture.std()
        )
        expected = np.cov(patches.T, bias=True) + 0.05 * np.eye(9)
        np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("step", [0, 2])
def test_inputs_have_the_stated_mean_and_covariance(step):
    environment = NaturalImageEnvironment(
        SMALL, patch_size=2, block_length=10**6, ridge=0.1, step=step
    )
    drawn = inputs(environment, 400_000)
    truth = environment.realize(np.random.SeedSequence(0)).covariances(np.zeros(1, int))[0]
    # Independent draws: standard errors of 0.002 and 0.003, allow five. The walk takes about
    # 200 samples to cross the picture, so it knows sqrt(200) times less.
    error = 0.015 if step == 0 else 0.2
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=error)
    np.testing.assert_allclose(drawn.T @ drawn / len(drawn), truth, atol=error)


def test_the_gaze_walks_in_small_steps():
    ramp = np.add.outer(100.0 * np.arange(40), np.arange(40))
    environment = NaturalImageEnvironment(
        [ramp, ramp.T], patch_size=1, block_length=500, ridge=0.0, step=1
    )
    drawn = inputs(environment, 3000)[:, 0] * ramp.std()
    jumps = np.abs(np.diff(drawn))
    jumps[499::500] = 0  # between contexts the picture changes
    # One pixel along each axis is at most 101 in the ramp; anywhere would reach 3,900.
    assert 99 < jumps.max() < 101.5


@pytest.mark.parametrize("step", [0, 3])
def test_neither_block_size_nor_start_changes_a_sample(step):
    environment = NaturalImageEnvironment(SMALL, patch_size=2, block_length=600, step=step)
    replicate = environment.realize(np.random.SeedSequence(1))
    whole = np.concatenate(list(replicate.blocks(2500, 2500)))
    np.testing.assert_array_equal(np.concatenate(list(replicate.blocks(2500, 77))), whole)
    np.testing.assert_array_equal(
        np.concatenate(list(replicate.blocks(2500, 9, 1500))), whole[1500:]
    )


def test_pictures_come_from_files_and_in_colour(tmp_path):
    colour = (RNG.random((16, 16, 3)) * 255).astype(np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    np.testing.assert_array_equal(luminance(tmp_path / "colour.png"), luminance(colour))
    np.testing.assert_allclose(luminance(colour), colour @ [0.2126, 0.7152, 0.0722])
    grey = colour[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    environment = NaturalImageEnvironment(
        [tmp_path / "colour.png", str(tmp_path / "grey.png")], patch_size=2
    )
    assert environment.context_names == ("colour.png", "grey.png")


def test_sixteen_bit_files_keep_their_depth(tmp_path):
    deep = (RNG.random((8, 8)) * 65535).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(luminance(tmp_path / "deep.png"), deep)


@pytest.mark.parametrize(
    ("pictures", "settings", "message"),
    [
        (SMALL[:1], {}, "pictures must be a sequence of at least two"),
        ("grass", {}, "pictures must be a sequence of at least two"),
        (SMALL, {"patch_size": 21}, r"patch_size must be at most .*picture_0 .*\(20, 30\).*is 21"),
        ([SMALL[0], np.ones((9, 9))], {}, "picture_1 has no contrast"),
        ([SMALL[0], np.full((9, 9), np.nan)], {}, "must be finite"),
        ([SMALL[0], np.ones((9, 9, 2))], {}, "3 or 4 channels"),
        (SMALL, {"ridge": -1}, "ridge must be finite and at least 0"),
        ([SMALL[0], np.add.outer(np.arange(9.0), np.arange(9.0))], {"ridge": 0}, "ridge"),
        (SMALL, {"order": [0, 2]}, "order must name contexts 0 to 1"),
        (SMALL, {"step": -1}, "step must be at least 0"),
    ],
)
def test_bad_pictures_are_refused(pictures, settings, message):
    with pytest.raises(ValueError, match=message):
        NaturalImageEnvironment(pictures, **settings)


def test_files_that_are_no_pictures_are_refused(tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(ValueError, match="not a picture in a format"):
        luminance(tmp_path / "notes.png")
    with pytest.raises(FileNotFoundError, match="shipped pictures are grass"):
        luminance("gras")


def test_without_scikit_image_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ModuleNotFoundError, match=r"adaptnet\[images\]"):
        luminance("grass")
