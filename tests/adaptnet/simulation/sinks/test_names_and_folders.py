"""Runs replace nothing that they were not asked to, and say where they are."""

import os

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.files.paths import working_folder
from adaptnet.simulation.sinks.disk import DiskSink

INPUTS = np.random.default_rng(0).normal(size=(300, 3))


def simulate(path, rate=1e-3, **options):
    options = {"rng": 0} | options
    return an.simulate(an.DirectCircuit(learning_rate=rate), INPUTS, path=path, **options)


def unfinished(path, rate=1e-3, **options):
    """Stop a run when all of it is recorded."""

    def stop(*arguments):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskSink, "publish", stop)
        with pytest.raises(KeyboardInterrupt):
            simulate(path, rate, **options)


def test_an_unfinished_run_beside_a_finished_one_is_kept(tmp_path, caplog):
    target = tmp_path / "run.nc"
    simulate(target)
    unfinished(target, 2e-3, overwrite=True)
    kept = {path.name: path.read_bytes() for path in working_folder(target).iterdir()}
    simulate(target)
    assert "holds an unfinished run of other parameters; it is kept" in caplog.text
    assert {path.name: path.read_bytes() for path in working_folder(target).iterdir()} == kept
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(an.DirectCircuit, "advance", None)  # resumes: nothing is left to compute
        patch.setattr(an.DirectCircuit, "advance_side_by_side", None, raising=False)
        simulate(target, 2e-3, overwrite=True)
    assert '"learning_rate": 0.002' in an.load(target).attrs["circuits"]


def test_what_is_left_of_a_finished_run_is_removed(tmp_path):
    target = tmp_path / "run.nc"
    unfinished(target)
    simulate(tmp_path / "copy.nc")
    (tmp_path / "copy.nc").rename(target)
    simulate(target)
    assert not working_folder(target).exists()


def test_a_file_that_appears_during_a_run_is_not_replaced(tmp_path):
    target = tmp_path / "run.nc"
    publish = DiskSink.publish

    def late(*arguments):
        target.write_text("of another program")
        publish(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskSink, "publish", late)
        with pytest.raises(FileExistsError, match=r"appeared meanwhile.*run\.nc\.partial"):
            simulate(target)
    assert target.read_text() == "of another program"
    target.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(an.DirectCircuit, "advance", None)
        patch.setattr(an.DirectCircuit, "advance_side_by_side", None, raising=False)
        simulate(target)
    assert an.load(target).identical(simulate(target).load())


def test_overwriting_without_a_seed_reads_nothing_of_what_it_replaces(tmp_path):
    target = tmp_path / "run.nc"
    first = simulate(target, rng=None).attrs["seed_entropy"]
    assert simulate(target, rng=None).attrs["seed_entropy"] == first
    assert simulate(target, rng=None, overwrite=True).attrs["seed_entropy"] != first
    target.write_bytes(b"damaged")
    working_folder(target).mkdir()
    (working_folder(target) / "run").write_bytes(b"damaged")
    simulate(target, rng=None, overwrite=True)
    assert an.load(target).sizes["sample"] == 301


def test_relative_paths_are_resolved_when_a_run_begins(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    publish = DiskSink.publish

    def moved(*arguments):
        os.chdir(tmp_path / "elsewhere")
        publish(*arguments)

    monkeypatch.setattr(DiskSink, "publish", moved)
    run = simulate("run.nc")
    assert (tmp_path / "run.nc").is_file()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert run.effective_weights.shape == (1, 1, 301, 3, 3)


@pytest.mark.parametrize("name", ["n" * 260 + ".nc", "n" * 250 + ".nc"])
def test_names_that_are_too_long_are_refused_before_a_run(tmp_path, monkeypatch, name):
    monkeypatch.setattr(DiskSink, "restore", None)
    with pytest.raises(OSError, match="too long"):
        simulate(tmp_path / name)


def test_the_file_is_rehearsed_before_a_run(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise RuntimeError("NetCDF: no such thing")

    def ran(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(DiskSink, "restore", ran)
    with pytest.raises(ZeroDivisionError):
        simulate(tmp_path / "run.nc")
    monkeypatch.setattr(xr.Dataset, "to_netcdf", refuse)
    with pytest.raises(OSError, match="no such thing"):
        simulate(tmp_path / "run.nc")


@pytest.mark.parametrize("name", ["0.rows", "0.state.part", "run.part", "file.part", "lock"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_links_and_pipes_in_a_working_folder(tmp_path, name, kind):
    """Nothing outside is written, and nothing waits for a pipe."""
    target, outside = tmp_path / "run.nc", tmp_path / "outside.txt"
    outside.write_text("mine")
    unfinished(target)
    planted = working_folder(target) / name
    planted.unlink(missing_ok=True)
    for state in ("0.state", "0.previous"):
        (working_folder(target) / state).unlink(missing_ok=True)
    if kind == "link":
        planted.symlink_to(outside)
    else:
        os.mkfifo(planted)
    try:
        simulate(target)
    except (OSError, ValueError) as error:
        assert "link or a pipe" in str(error) or "not a file" in str(error)  # noqa: PT017
        assert name in ("0.rows", "lock")
    else:
        assert an.load(target).sizes["sample"] == 301
    assert outside.read_text() == "mine"


def test_a_working_folder_that_is_a_link(tmp_path):
    (tmp_path / "outside").mkdir()
    working_folder(tmp_path / "run.nc").symlink_to(tmp_path / "outside")
    with pytest.raises(NotADirectoryError, match="is a link"):
        simulate(tmp_path / "run.nc")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_folder_that_was_removed_is_not_said_to_hold_anything(tmp_path):
    def remove(sink, *arguments, **options):
        for path in working_folder(tmp_path / "run.nc").iterdir():
            path.unlink()
        return keep(sink, *arguments, **options)

    keep = DiskSink.keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskSink, "keep", remove)
        with pytest.raises(FileNotFoundError, match="was removed") as raised:
            simulate(tmp_path / "run.nc", rng=0)
    assert "what was done" not in str(raised.value)
