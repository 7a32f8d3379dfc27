"""Commands given odd files and parameters answer with a sentence; faults ask to be reported."""

import io
import sys
import zipfile

import netCDF4
import numpy as np
import pytest
from click.testing import CliRunner

import adaptnet as an
from adaptnet.files import seals
from environments import RecordedEnvironment, SwitchingEnvironment
from scenarios.cli import main
from scenarios.cli.codes import FAULT
from tests.marks import slow_but
from tests.scenarios.hostile import answered

KINDS = ["readaptation", "aligned", "survival", "transitions", "scaling", "matrices"]
KINDS += ["spectrum", "ellipses"]
RECORD = ["whitening_error", "effective_weights", "covariance"]


@pytest.fixture(scope="module")
def run():
    environment = SwitchingEnvironment([2 * np.eye(2), np.eye(2)], block_length=50)
    circuits = {"a": an.DirectCircuit(), "b": an.InterneuronCircuit()}
    return an.simulate(
        circuits, environment, 200, rng=0, record=RECORD, record_every=10, n_replicates=2
    )


def without_truth(run):
    return run.assign_attrs({"truth": "sworn"})


def without_finite_records(run):
    run = run.copy(deep=True)
    for name in ("whitening_error", "effective_weights"):
        run[name][0] = np.nan
    return run


ODD = {
    "no circuit": lambda run: run.drop_vars("circuit"),
    "no truth": without_truth,
    "no samples": lambda run: run.isel(sample=slice(0, 0)),
    "one sample": lambda run: run.isel(sample=[0]),
    "no changes": lambda run: run.isel(change=slice(0, 0)),
    "no replicates": lambda run: run.isel(replicate=slice(0, 0)),
    "a scalar replicate": lambda run: run.isel(replicate=0),
    "a scalar circuit": lambda run: run.isel(circuit=0),
    "nothing finite": without_finite_records,
}


@pytest.mark.parametrize("odd", slow_but(["no samples", "a scalar circuit"], ODD))
def test_odd_runs(tmp_path, monkeypatch, run, odd):
    monkeypatch.chdir(tmp_path)
    ODD[odd](run).to_netcdf("run.nc")
    for command in ("info", "readapt", "report", "verify"):
        answered(command, "run.nc")
    for kind in KINDS:
        answered("plot", "run.nc", "--kind", kind, "-o", f"{kind}.gif")


def test_sizes_that_a_file_claims(tmp_path, monkeypatch, run):
    """No array of so many samples is made: it would take 17 GB."""
    monkeypatch.chdir(tmp_path)
    run.assign_attrs(n_samples=2**31).to_netcdf("run.nc")
    available = []
    monkeypatch.setattr(np, "zeros", watched(np.zeros, available))
    monkeypatch.setattr(np, "arange", watched(np.arange, available))
    for command in ("info", "readapt", "report"):
        answered(command, "run.nc")
    assert max(available) < 10**6


def watched(function, sizes):
    def watching(*arguments, **options):
        array = function(*arguments, **options)
        sizes.append(array.size)
        return array

    return watching


def test_info_reads_no_data(tmp_path, run):
    path = tmp_path / "run.nc"
    run.to_netcdf(path)
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("huge", 2**33)
        file.createVariable("huge", "f8", ("huge",), chunksizes=(1000,))
    assert answered("info", path, codes=(1,)).exit_code == 1  # the index alone would take 64 GB
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("huge", "empty")
    assert "8589934592 huge" in answered("info", path, codes=(0,)).output


def test_control_characters_do_not_reach_the_terminal(tmp_path, run):
    path = tmp_path / "run.nc"
    run.assign_attrs(title="\x1b]0;title\x07\x9b31mred").to_netcdf(path)
    shown = answered("info", path, codes=(0,)).output
    assert r"\x1b]0;title\x07\x9b31mred" in shown
    assert not any(c in shown for c in "\x1b\x07\x9b")


def test_links_do_not_lead_outside(tmp_path, monkeypatch, run):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    np.save(outside / "data.npy", np.random.default_rng(0).normal(size=(500, 2)))
    (inside / "link.npy").symlink_to(outside / "data.npy")
    monkeypatch.chdir(inside)
    environment = RecordedEnvironment("link.npy")
    recorded = an.simulate(an.DirectCircuit(), environment, 100, rng=0, record_every=50)
    an.save(recorded, "run.nc")
    refused = answered("verify", "run.nc", codes=(1,))
    assert "outside this folder" in refused.output
    assert answered("verify", "run.nc", "--allow-paths", codes=(0,)).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "switching", "--set", "contrast_step=1e200"],
        ["run", "initialization", "--set", "decades=600"],
        ["run", "natural-images", "--set", "pictures=[]"],
        ["run", "natural-images", "--set", "pictures="],
    ],
)
def test_parameters_beyond_all_bounds(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert "must" in answered(*arguments, "--preview", codes=(1,)).output


def test_a_picture_whose_program_is_missing(tmp_path, monkeypatch, run):
    path = tmp_path / "run.nc"
    an.save(run, path)
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = answered("plot", path, "-o", tmp_path / "run.pgf", codes=(0, 1))
    assert refused.exit_code == 0 or "or write .pdf" in refused.output


def test_a_damaged_member_of_an_archive(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.random.default_rng(0).normal(size=(100, 3)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert zipfile.is_zipfile(path)
    with pytest.raises(ValueError, match=r"damaged.*CRC"):
        RecordedEnvironment(path)


def test_a_library_that_fails_while_a_run_is_verified(tmp_path, monkeypatch, run):
    path = tmp_path / "run.nc"
    an.save(run, path)
    content = bytearray(path.read_bytes()[:-48])
    middle = content.find(b"\x78\x5e", len(content) // 3)  # of compressed records
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)
    seals.seal(path)
    answered("verify", path)


def test_a_fault_asks_to_be_reported_and_keeps_its_traceback(tmp_path, monkeypatch, run):
    def fail(path):
        raise ZeroDivisionError("\x1b[31m")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("scenarios.cli.stored.progress_made", fail)
    ended = CliRunner().invoke(main, ["info", "run.nc"])
    assert ended.exit_code == FAULT
    assert "please report it (ZeroDivisionError: \\x1b[31m)" in ended.output
    (log,) = tmp_path.glob("adaptnet-*.log")
    assert str(log) in ended.output
    assert "Traceback" in log.read_text()
    shown = CliRunner().invoke(main, ["--debug", "info", "run.nc"])
    assert isinstance(shown.exception, ZeroDivisionError)


@pytest.mark.parametrize("stream", [None, io.StringIO(), object()])
def test_programs_without_standard_error(tmp_path, monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    inputs = np.random.default_rng(0).normal(size=(50, 2))
    an.simulate(an.DirectCircuit(), inputs, progress=None)
    if stream is None:
        an.simulate(an.DirectCircuit(), inputs, progress=True)
