"""Files under their final name are whole, however many write to it and whenever they are killed."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.files import atomic, locks, paths, seals
from adaptnet.files.whole import whole


@pytest.fixture(scope="module")
def runs():
    inputs = np.random.default_rng(0).normal(size=(2_000, 4))
    circuits = [an.DirectCircuit(learning_rate=rate) for rate in (1e-3, 2e-3)]
    return [an.simulate(circuit, inputs, record_every=2) for circuit in circuits]


def test_threads_that_save_to_one_name_leave_a_whole_file(tmp_path, runs):
    target = tmp_path / "run.nc"
    failed = []

    def work(run):
        try:
            for _ in range(10):
                an.save(run, target, overwrite=True)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert any(an.load(target).identical(run) for run in runs)
    assert list(tmp_path.iterdir()) == [target]


def test_names_do_not_depend_on_the_number_of_the_process(tmp_path, monkeypatch):
    """Two containers share a folder, and both processes have number 1."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    target = tmp_path / "file.txt"
    with whole(target) as one, whole(target) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one"


# Both processes are number 1, as the first ones of two containers are.
NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
SAVE_OFTEN = """
import os, sys
import numpy as np
import adaptnet as an

assert os.getpid() == 1
inputs = np.random.default_rng(0).normal(size=(2_000, 4))
run = an.simulate(an.DirectCircuit(learning_rate=float(sys.argv[1])), inputs, record_every=2)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    an.save(run, "run.nc", overwrite=True)
"""


@pytest.mark.slow
def test_containers_that_save_to_one_name_leave_a_whole_file(tmp_path, runs):
    try:
        allowed = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if allowed.returncode:
        pytest.skip("processes may not have numbers of their own here")
    processes = [
        subprocess.Popen(
            [*NAMESPACE, sys.executable, "-c", SAVE_OFTEN, rate],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rate in ("1e-3", "2e-3")
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    try:
        while any(process.poll() is None for process in processes):
            if (tmp_path / "run.nc").exists():
                an.load(tmp_path / "run.nc")  # whole at any time
    finally:
        for process in processes:
            process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    last = an.load(tmp_path / "run.nc")
    kept = [last["effective_weights"].identical(run["effective_weights"]) for run in runs]
    assert kept.count(True) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]


def test_a_file_that_is_replaced_while_it_is_verified_is_not_damaged(tmp_path, monkeypatch):
    path, following = tmp_path / "file", tmp_path / "following"
    for target, text in ((path, b"one"), (following, b"another, which is longer")):
        target.write_bytes(text)
        seals.seal(target)

    def sha256():
        if following.exists():
            following.replace(path)
        return hashlib.sha256()

    monkeypatch.setattr(seals, "hashlib", SimpleNamespace(sha256=sha256))
    assert seals.is_sealed(path)
    assert not following.exists()


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "file.txt"
    with pytest.raises(FileExistsError, match="appeared meanwhile"):  # noqa: PT012, SIM117
        with whole(target, overwrite=False) as part:
            part.write_text("of this program")
            target.write_text("of another")
    assert target.read_text() == "of another"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("unlinked", [True, False])
def test_new_names_on_disks_without_links(tmp_path, monkeypatch, unlinked):
    def refuse(*names):
        raise PermissionError(1, "Operation not permitted")

    if unlinked:
        monkeypatch.setattr(atomic, "_link", refuse)
    target = tmp_path / "file.txt"
    with whole(target, overwrite=False) as part:
        part.write_text("text")
    assert target.read_text() == "text"
    with pytest.raises(FileExistsError), whole(target, overwrite=False) as part:
        part.write_text("other text")
    assert target.read_text() == "text"


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), whole(target) as part:  # noqa: PT012
        part.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


KILLED = """
import os, signal, sys
from pathlib import Path
from adaptnet.files.whole import whole
with whole(Path(sys.argv[1])) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    target = tmp_path / "file.txt"
    killed = subprocess.run([sys.executable, "-c", KILLED, target], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    with whole(target) as alive:
        alive.write_text("one")
        with whole(target) as part:  # takes nothing from the one that is alive
            part.write_text("other")
        assert alive.is_file()
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "one"


def test_a_long_name(tmp_path):
    target = tmp_path / ("n" * 240 + ".nc")
    with whole(target) as part:
        part.write_text("text")
    assert target.read_text() == "text"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_only_files_are_replaced(tmp_path, runs, kind):
    target = tmp_path / "run.nc"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target = paths.Path("/dev/null")
    with pytest.raises(OSError, match=r"folder|device or a pipe"):
        an.save(runs[0], target, overwrite=True)
    with pytest.raises(OSError, match=r"folder|device or a pipe"):
        an.simulate(an.DirectCircuit(), np.ones((5, 2)), path=target, overwrite=True)
    assert target.exists()


def test_links_are_followed(tmp_path, runs):
    target, link = tmp_path / "run.nc", tmp_path / "link.nc"
    link.symlink_to(target)
    an.save(runs[0], link)
    an.save(runs[1], link, overwrite=True)
    assert link.is_symlink()
    assert an.load(target).identical(runs[1])


def test_a_lock_is_free_once_its_owner_gives_it_back_whatever_its_children_do(tmp_path):
    lock = locks.Lock(tmp_path / "folder")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)  # lives until the parent closes the pipe
        os._exit(0)
    os.close(reading)
    lock.release()
    locks.Lock(tmp_path / "folder").release()
    os.close(writing)
    assert os.waitpid(child, 0)[1] == 0


def test_locks_that_a_disk_does_not_have_are_not_locks_in_use(tmp_path, monkeypatch):
    def refuse(file, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.raises(OSError, match="a disk that has locks") as raised:
        locks.Lock(tmp_path / "folder")
    assert not isinstance(raised.value, BlockingIOError)


@pytest.mark.parametrize("flag", [True, None, {"a": 1}, 2**70, 1j, b"bytes", [1, [2]]])
def test_attributes_that_netcdf_cannot_hold(tmp_path, runs, flag):
    with pytest.raises((TypeError, ValueError), match="attribute 'flag'"):
        an.save(runs[0].assign_attrs(flag=flag), tmp_path / "run.nc")
    with pytest.raises((TypeError, ValueError), match="attribute 'flag'"):
        an.simulate(an.DirectCircuit(), np.ones((5, 2)), attributes={"flag": flag})


@pytest.mark.parametrize("name", ["a/b", "", " a", "a ", "n" * 256, "_FillValue", "a\n", "\udc80"])
def test_names_that_netcdf_cannot_hold(tmp_path, runs, name):
    with pytest.raises(ValueError, match=r"name|Unicode"):
        an.save(runs[0].assign_attrs({name: "x"}), tmp_path / "run.nc")
    if name != "_FillValue":
        with pytest.raises(ValueError, match=r"name|Unicode"):
            an.save(runs[0].assign({name: xr.Variable((), 1.0)}), tmp_path / "run.nc")


@pytest.mark.parametrize("text", ["\udc80", "a\0b"])
def test_texts_that_netcdf_cannot_hold(tmp_path, runs, text):
    with pytest.raises(ValueError, match=r"Unicode|NUL"):
        an.save(runs[0].assign_attrs(note=text), tmp_path / "run.nc")


@pytest.mark.parametrize("name", ["kind", "n_samples", "circuits"])
def test_attributes_that_a_run_says_of_itself(name):
    with pytest.raises(ValueError, match=f"must not hold '{name}'"):
        an.simulate(an.DirectCircuit(), np.ones((5, 2)), attributes={name: "mine"})


def test_attributes_that_netcdf_can_hold(tmp_path, runs):
    held = {"text": "ä", "empty": "", "number": 3, "real": 0.5, "several": [1, 2], "b_ä-c": "x"}
    an.save(runs[0].assign_attrs(held), tmp_path / "run.nc")
    loaded = an.load(tmp_path / "run.nc").attrs
    for name, value in held.items():
        np.testing.assert_array_equal(loaded[name], value)
