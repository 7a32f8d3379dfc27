"""Runs on disk: the same as in memory, whatever stops them in between."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.circuits.interneuron import InterneuronCircuit
from adaptnet.files import atomic, provenance
from adaptnet.files.locks import Lock
from adaptnet.files.paths import working_folder
from adaptnet.simulation.sinks import disk, existing
from environments import SwitchingEnvironment
from tests.adaptnet.simulation.sinks import run_for_kills, run_on_small_disk

CIRCUITS = {
    "direct": an.DirectCircuit(learning_rate=1e-3),
    "interneuron": an.InterneuronCircuit(n_interneurons=3, learning_rate=1e-3),
}
ENVIRONMENT = SwitchingEnvironment(
    [np.diag([1.0, 2.0]), np.array([[1.0, 0.3], [0.3, 0.5]])], block_length=700
)
EVERYTHING = ("whitening_error", "frobenius_error", "effective_weights", "fast_steps", "covariance")


def simulate(n_samples=5_000, **options):
    options = {"n_replicates": 5, "rng": 5, "record_every": 7, "record": EVERYTHING} | options
    return an.simulate(CIRCUITS, ENVIRONMENT, n_samples, **options)


def assert_same_run(one: xr.Dataset, other: xr.Dataset) -> None:
    """Bytes, not numbers: NaN is NaN and 0.0 is not -0.0."""
    assert set(one.variables) == set(other.variables)
    for name, variable in one.variables.items():
        assert variable.dims == other[name].dims
        assert variable.values.tobytes() == other[name].values.tobytes(), name
        assert_same_attributes(variable.attrs, other[name].attrs)
    # The commit is that of the folder a session works in, which may have moved on meanwhile.
    of_a_session = ("date_created", "history", "git_commit")
    first, second = (
        {key: value for key, value in run.attrs.items() if key not in of_a_session}
        for run in (one, other)
    )
    assert_same_attributes(first, second)


def assert_same_attributes(first, second):
    assert first.keys() == second.keys()
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key])


class Interrupts:
    """Stops a run with an exception after a number of calls of one function."""

    def __init__(self, monkeypatch, owner, name, after, error):
        self.left, self.error, self.hit = after, error, False
        original = getattr(owner, name)

        def counting(*args, **kwargs):
            self.left -= 1
            if self.left < 0:
                self.hit = True
                raise self.error
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)


@pytest.fixture(scope="module")
def in_memory():
    return simulate()


def test_file_equals_run_in_memory(tmp_path, in_memory):
    target = tmp_path / "run.nc"
    assert_same_run(simulate(path=target), in_memory)
    assert_same_run(an.load(target), in_memory)
    assert list(tmp_path.iterdir()) == [target]


def test_file_of_an_environment_with_a_path_for_each_replicate(tmp_path, monkeypatch):
    monkeypatch.setattr(SwitchingEnvironment, "shared_path", False)
    assert_same_run(simulate(path=tmp_path / "run.nc"), simulate())


@pytest.mark.parametrize("options", [{"n_threads": 1}, {"n_threads": 2}, {"block_size": 13}])
def test_threads_and_blocks_change_nothing(tmp_path, in_memory, options):
    assert_same_run(simulate(path=tmp_path / "run.nc", **options), in_memory)


def test_divergence_is_remembered_over_interruptions(tmp_path, monkeypatch):
    wild = {"wild": an.DirectCircuit(learning_rate=0.9), "sound": CIRCUITS["direct"]}
    options = {"n_replicates": 2, "rng": 0, "record_every": 50, "block_size": 100}
    with pytest.warns(an.DivergenceWarning, match="wild"):
        whole = an.simulate(wild, ENVIRONMENT, 4_000, **options)
    assert (whole.diverged_sample.sel(circuit="wild") >= 0).all()
    assert (whole.diverged_sample.sel(circuit="sound") == -1).all()
    options |= {"path": tmp_path / "run.nc", "checkpoint_seconds": 0}
    with monkeypatch.context() as patch:
        Interrupts(patch, an.DirectCircuit, "advance", 50, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            an.simulate(wild, ENVIRONMENT, 4_000, n_threads=1, **options)
    with pytest.warns(an.DivergenceWarning, match="wild"):
        resumed = an.simulate(wild, ENVIRONMENT, 4_000, **options)
    assert_same_run(resumed, whole)


@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (InterneuronCircuit, "advance", 3),
        (disk.DiskSink, "keep", 7),  # between replicates that go side by side
    ],
)
def test_resumes_after_any_block(tmp_path, monkeypatch, in_memory, owner, name, calls):
    target = tmp_path / "run.nc"
    options = {"path": target, "checkpoint_seconds": 0, "block_size": 500, "n_threads": 1}
    stops = 0
    for _ in range(100):
        with monkeypatch.context() as patch:
            stop = Interrupts(patch, owner, name, calls, KeyboardInterrupt())
            try:
                run = simulate(**options)
                break
            except KeyboardInterrupt:
                assert stop.hit
                assert not target.exists()
                stops += 1
    assert stops >= 6  # 3 replicates, then 2, each of 10 blocks
    assert_same_run(run, in_memory)


def test_finished_run_is_not_run_again(tmp_path, monkeypatch):
    target = tmp_path / "run.nc"
    simulate(path=target)
    before = target.stat()
    Interrupts(monkeypatch, InterneuronCircuit, "advance", 0, AssertionError("ran again"))
    simulate(path=target)
    simulate(path=target, rng=None)
    assert target.stat() == before


def test_other_parameters_are_refused_and_shown(tmp_path, monkeypatch):
    target = tmp_path / "run.nc"
    simulate(path=target)
    with pytest.raises(FileExistsError, match=r"n_samples: 5000 there, 6000 here"):
        simulate(6_000, path=target)
    other = tmp_path / "other.nc"
    with monkeypatch.context() as patch:
        Interrupts(patch, InterneuronCircuit, "advance", 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            simulate(path=other, block_size=100)
    with pytest.raises(FileExistsError, match=r"seed_entropy: '5' there, '6' here"):
        simulate(path=other, rng=6)
    with monkeypatch.context() as patch:
        versions = json.dumps({"numpy": "0.1"})
        original = provenance.provenance
        patch.setattr(
            "adaptnet.simulation.label.provenance",
            lambda seed: original(seed) | {"versions": versions},
        )
        with pytest.raises(FileExistsError, match=r"versions\.numpy: .* there, '0\.1' here"):
            simulate(path=other)
    assert_same_run(simulate(path=other, rng=6, overwrite=True), simulate(rng=6))


def test_two_runs_on_one_file(tmp_path):
    lock = Lock(working_folder(tmp_path / "run.nc").absolute())
    with pytest.raises(BlockingIOError, match="in use by another process"):
        simulate(path=tmp_path / "run.nc")
    lock.release()


def unfinished(target, monkeypatch, seconds=0.0):
    with monkeypatch.context() as patch:
        Interrupts(patch, InterneuronCircuit, "advance", 14, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            simulate(path=target, block_size=500, checkpoint_seconds=seconds, n_threads=1)
    return working_folder(target)


@pytest.mark.parametrize("name", ["0.rows", "0.state", "1.rows", "1.state", "1.previous"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove"])
def test_damaged_checkpoint_falls_back(tmp_path, monkeypatch, in_memory, name, damage):
    target = tmp_path / "run.nc"
    path = unfinished(target, monkeypatch) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        path.unlink()
    else:
        whole, half = bytes(content), path.read_bytes()[: len(content) // 2]
        path.write_bytes({"flip": whole, "truncate": half, "empty": b""}[damage])
    assert_same_run(simulate(path=target), in_memory)


def test_damaged_description_is_refused(tmp_path, monkeypatch, in_memory):
    target = tmp_path / "run.nc"
    path = unfinished(target, monkeypatch) / "run"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileExistsError, match="damaged"):
        simulate(path=target)
    assert_same_run(simulate(path=target, overwrite=True), in_memory)


def test_folder_that_vanishes(tmp_path, monkeypatch):
    target = tmp_path / "run.nc"
    original = InterneuronCircuit.advance

    def removing(*args):
        shutil.rmtree(working_folder(target), ignore_errors=True)
        return original(*args)

    monkeypatch.setattr(InterneuronCircuit, "advance", removing)
    with pytest.raises(OSError, match="removed while the run was under way"):
        simulate(path=target, n_threads=1)  # one thread: no other writes into the gap
    assert not target.exists()


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_read_only_target_is_refused_before_the_run(tmp_path, monkeypatch, code):
    Interrupts(monkeypatch, Path, "mkdir", 0, OSError(code, os.strerror(code)))
    ran = Interrupts(monkeypatch, InterneuronCircuit, "advance", 0, AssertionError())
    with pytest.raises(OSError, match=os.strerror(code)):
        simulate(path=tmp_path / "run.nc")
    assert not ran.hit
    with pytest.raises(FileNotFoundError, match="make it first"):
        simulate(path=tmp_path / "nowhere" / "run.nc")


@pytest.mark.parametrize("operation", ["_write", "_sync", "_rename"])
def test_disk_that_fails_at_every_operation_in_turn(tmp_path, monkeypatch, in_memory, operation):
    """Every session gets one operation further, then the disk is full: the file is whole or not."""
    target = tmp_path / "run.nc"
    failures = 0
    for after in range(1000):
        with monkeypatch.context() as patch:
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            Interrupts(patch, atomic, operation, after, full)
            try:
                simulate(path=target, block_size=2500, checkpoint_seconds=0, n_threads=1)
                break
            except OSError as error:
                assert "No space left on device" in str(error)  # noqa: PT017
                failures += 1
        assert not target.exists() or operation == "_sync"
        if target.exists():  # the folder may lose the name in a power cut, but it is there
            assert_same_run(an.load(target), in_memory)
        else:  # begin anew, so that each operation fails in turn
            shutil.rmtree(working_folder(target), ignore_errors=True)
    assert failures >= 5
    assert_same_run(an.load(target), in_memory)


def test_disk_that_is_full_while_the_netcdf_file_is_written(tmp_path):
    """The netCDF library writes by itself: here the system refuses it files beyond a size."""
    pytest.importorskip("resource")
    script = Path(__file__).with_name("run_within_sizes.py")
    command = [sys.executable, script, tmp_path / "run.nc"]
    tried = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert tried[-1] == "finished"
    for words in ("File too large", "could not be written"):  # by this package, and by netCDF
        assert any(words in line for line in tried), tried
    run_for_kills.run(tmp_path / "whole.nc", 20_000)
    assert_same_run(an.load(tmp_path / "run.nc"), an.load(tmp_path / "whole.nc"))


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
    mounted = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False)
    if not mounted or mounted.returncode:
        pytest.skip("mounting a small disk needs the rights of an administrator, and tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_small_disk_that_gets_full(small_disk):
    """Wherever it gets full, the same command goes on when there is room again."""
    script = Path(__file__).with_name("run_on_small_disk.py")
    expected = run_on_small_disk.simulate()
    printed = []
    for leave in (0, 100_000, 250_000, 330_000, 450_000):
        for writes in (0, 2, 31):
            command = [sys.executable, script, small_disk, str(leave), str(writes)]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            printed.append(ended.stdout)
            target = small_disk / "run.nc"
            assert target.exists() == ("finished" in ended.stdout), ended.stdout
            (small_disk / "filler").unlink(missing_ok=True)
            run_on_small_disk.simulate(target)
            assert_same_run(an.load(target), expected)
            assert list(small_disk.iterdir()) == [target]
            target.unlink()
    for words in ("are free at", "No space left on device", "could not be written", "finished"):
        assert any(words in line for line in printed), (words, printed)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")
def test_survives_a_kill_at_each_file_operation(tmp_path):
    script = Path(__file__).with_name("run_killed_at_operations.py")
    command = [sys.executable, script, tmp_path]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    words = ended.stdout.split()
    assert int(words[1]) >= 30, ended.stdout
    assert words[-1] == "0", ended.stdout


@pytest.mark.slow
def test_survives_kills(tmp_path):
    kill_at_random(tmp_path, n_kills=3, n_samples=1_500_000)


@pytest.mark.slow
def test_survives_fifty_kills(tmp_path):
    kill_at_random(tmp_path, n_kills=50, n_samples=30_000_000)


def samples_kept(target):
    made = existing.progress_made(target)
    return sum(made[1].values()) if made else 0


def kill_at_random(folder, n_kills, n_samples):
    script = Path(__file__).with_name("run_for_kills.py")
    target = folder / "run.nc"
    command = [sys.executable, script, target, str(n_samples)]
    moments = np.random.default_rng(0).uniform(0.0, 0.05, n_kills)
    last = -1
    for number, moment in enumerate(moments):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        if number % 10:  # every tenth is killed at any moment of its start instead
            while process.poll() is None and samples_kept(target) <= last:
                time.sleep(0.002)
            time.sleep(moment)
        else:
            time.sleep(40 * moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not target.exists()
        done = samples_kept(target)
        assert done >= last
        last = done
    assert last > 0
    run_for_kills.run(target, n_samples)
    run_for_kills.run(folder / "whole.nc", n_samples)
    assert_same_run(an.load(target), an.load(folder / "whole.nc"))
