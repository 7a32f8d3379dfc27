"""Pictures and archives from strangers: no program starts, and no memory is taken on their word."""

import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from environments import NaturalImageEnvironment, RecordedEnvironment, from_parameters
from environments.data.image_files import luminance


def test_a_postscript_picture_starts_no_program(tmp_path, monkeypatch):
    """Pillow reads an EPS by a program called gs: here a harmless one stands in its place."""
    ran = tmp_path / "ran"
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    picture = tmp_path / "picture.png"
    Image.new("L", (8, 8)).save(picture, "EPS")
    with pytest.raises(ValueError, match="not a picture in a format"):
        luminance(picture)
    assert not ran.exists()


def test_a_small_file_of_a_huge_picture(tmp_path):
    picture = tmp_path / "picture.png"
    Image.new("1", (9_000, 9_000)).save(picture)
    assert picture.stat().st_size < 100_000
    with pytest.raises(ValueError, match="9000 x 9000"):
        luminance(picture)


def test_an_archive_of_zeros(tmp_path, monkeypatch):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.zeros((4_000, 2)))
    monkeypatch.setattr(os, "sysconf", lambda name: 1 if name == "SC_PAGE_SIZE" else 100_000)
    assert zipfile.is_zipfile(path)
    with pytest.raises(MemoryError, match=r"64,\d+ bytes unpacked"):
        RecordedEnvironment(path)


def test_a_picture_that_changes_is_noticed(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8)).save(path)
    before = NaturalImageEnvironment(paths, patch_size=2).parameters()
    assert from_parameters(before).parameters() == before
    Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8)).save(paths[1])
    assert NaturalImageEnvironment(paths, patch_size=2).parameters() != before
    with pytest.raises(ValueError, match=r"two\.png.*has changed|two\.png.*it has"):
        from_parameters(before)
