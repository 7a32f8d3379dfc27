"""Sweeps that are killed, extended, shared and taken for others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.files.locks import Lock
from adaptnet.sweeps import status
from tests.adaptnet.sweeps import models
from tests.adaptnet.sweeps.test_sweep import same

RATES = [0.0005, 0.001, 0.0015]


def swept(path: Path | None = None, rates: list[float] | None = None, **options: object) -> object:
    return an.sweep(models.step, {"learning_rate": rates or RATES}, path=path, **options)


def runs(folder: Path) -> int:
    """Return how many times a point was computed; each also was once checked in advance."""
    return len(list(folder.glob("*-*")))


def test_a_finished_sweep_is_not_run_again(tmp_path: Path) -> None:
    first = swept(tmp_path / "sweep.nc")
    changed = (tmp_path / "sweep.nc").stat().st_mtime_ns
    assert swept(tmp_path / "sweep.nc").identical(first)
    assert (tmp_path / "sweep.nc").stat().st_mtime_ns == changed
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.nc"]
    assert an.load(tmp_path / "sweep.nc").identical(first)
    assert status(tmp_path / "sweep.nc") == (3, 0, 0, 0, 0.0)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"rates": RATES[:2]}, {}),
        ({"rates": RATES[1:]}, {}),
        ({"n_replicates": 2}, {"n_replicates": 5}),
        ({"rates": RATES[:1], "n_replicates": 2}, {"n_replicates": 3}),
    ],
)
def test_extending_is_running_anew(
    first: dict[str, object], then: dict[str, object], tmp_path: Path
) -> None:
    swept(tmp_path / "sweep.nc", **first)
    longer = swept(tmp_path / "sweep.nc", **then)
    assert same(longer, swept(**then))
    assert an.load(tmp_path / "sweep.nc").identical(longer)


def test_only_what_is_new_is_computed(tmp_path: Path) -> None:
    def call(numbers: list[int]) -> xr.Dataset:
        return an.sweep(
            models.marked,
            {"number": numbers},
            fixed={"folder": str(tmp_path)},
            path=tmp_path / "s.nc",
        )

    call([0, 1])
    assert runs(tmp_path) == 4  # each was checked, and computed
    call([0, 1, 2])
    assert runs(tmp_path) == 8  # three were checked, one computed


def test_points_are_extended_by_dimensions_of_other_lengths(tmp_path: Path) -> None:
    for lengths in ([200], [100, 200]):
        longer = an.sweep(
            models.number_of_blocks, {"block_length": lengths}, path=tmp_path / "sweep.nc"
        )
    assert same(longer, an.sweep(models.number_of_blocks, {"block_length": [100, 200]}))


def test_an_interrupted_sweep_goes_on(tmp_path: Path) -> None:
    path, calls = tmp_path / "sweep.nc", tmp_path / "calls"

    def interrupted(run: xr.Dataset) -> xr.Dataset:
        with calls.open("a") as file:
            file.write("x")
        if calls.read_text() == "xx":
            raise KeyboardInterrupt
        return models.last_error(run)

    over = {"learning_rate": RATES}
    with pytest.raises(KeyboardInterrupt):
        an.sweep(models.step, over, keep=interrupted, path=path)
    assert status(path)[:4] == (1, 0, 2, 0)
    whole = an.sweep(models.step, over, keep=interrupted, path=path)
    assert calls.read_text() == "xxxx"  # two before the interrupt, and the two that were missing
    calls.unlink()
    np.testing.assert_array_equal(whole["error"], swept(keep=models.last_error)["error"])
    assert not (tmp_path / "sweep.nc.partial").exists()


def test_what_failed_is_tried_again_until_the_sweep_is_finished(tmp_path: Path) -> None:
    path, switch = tmp_path / "sweep.nc", tmp_path / "broken"
    over = {"learning_rate": RATES}

    def fragile(run: xr.Dataset) -> xr.Dataset:
        if switch.exists():
            raise OSError("the disk is full")
        return models.last_error(run)

    switch.touch()
    with pytest.warns(an.SweepWarning, match="3 failed"):
        an.sweep(models.step, over, keep=fragile, path=path, share=(1, 1))
    assert status(path)[:4] == (0, 0, 0, 3)
    switch.unlink()
    whole = an.sweep(models.step, over, keep=fragile, path=path)
    assert (whole["status"] == "done").all()


def test_another_sweep_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sweep.nc"
    first = swept(path)
    for other in ({"rates": RATES[:2]}, {"rng": 1}, {"keep": models.last_error}):
        with pytest.raises(FileExistsError, match="overwrite=True"):
            swept(path, **other)
    swept(path, n_replicates=2)
    with pytest.raises(FileExistsError, match="more than 1"):
        swept(path, n_replicates=1)
    assert an.load(path)["samples"].sizes["replicate"] == 2
    again = swept(path, overwrite=True)
    assert same(again, first)


def test_an_unfinished_folder_of_another_sweep_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "sweep.nc"
    swept(path, share=(1, 2))
    with pytest.raises(FileExistsError, match="2 points of another sweep"):
        swept(path, rng=1)
    assert status(path)[:4] == (2, 0, 1, 0)
    assert same(swept(path, rng=1, overwrite=True), swept(rng=1))


def test_shares_meet_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "sweep.nc"
    parts = [swept(path, share=(number, 3)) for number in (3, 1, 2)]
    assert [int((part["status"] == "done").sum()) for part in parts] == [1, 2, 3]
    assert not path.exists()
    assert same(swept(path), swept())


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "sweep.nc"
    swept(path, share=(1, 3))
    shared = Lock(tmp_path / "sweep.nc.partial", shared=True)
    try:
        with pytest.raises(BlockingIOError, match="in use by another process"):
            swept(path)
        swept(path, share=(2, 3))
        taken = Lock(tmp_path / "sweep.nc.partial" / "share-3-3")
        with pytest.raises(BlockingIOError, match="share-3-3 is in use"):
            swept(path, share=(3, 3))
        taken.release()
    finally:
        shared.release()
    assert same(swept(path), swept())


def test_a_run_is_not_taken_for_a_sweep(tmp_path: Path) -> None:
    run = an.simulate(an.DirectCircuit(), np.ones((10, 2)))
    an.save(run, tmp_path / "run.nc")
    with pytest.raises(FileExistsError, match="is no sweep"):
        swept(tmp_path / "run.nc")
    with pytest.raises(ValueError, match="is no sweep"):
        status(tmp_path / "run.nc")


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sweep.nc"
    swept(path, share=(1, 1))
    part = next((tmp_path / "sweep.nc.partial").glob("*.done"))
    part.write_bytes(part.read_bytes()[:-60])
    with pytest.raises(ValueError, match=r"\.done is damaged"):
        swept(path)
    part.unlink()
    assert same(swept(path), swept())


def test_a_lost_worker_loses_no_point(tmp_path: Path) -> None:
    (tmp_path / "parent").write_text(str(os.getpid()))
    over, fixed = {"number": [0, 1, 2, 3]}, {"folder": str(tmp_path)}
    dataset = an.sweep(models.lethal, over, fixed=fixed, executor=2)
    assert (tmp_path / "killed").exists()
    assert (dataset["status"] == "done").all()
    assert same(dataset, an.sweep(models.lethal, over, fixed=fixed))


def test_a_point_that_kills_its_workers_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "parent").write_text(str(os.getpid()))
    over, fixed = {"number": [0, 1, 2]}, {"folder": str(tmp_path)}
    with pytest.warns(an.SweepWarning, match="worker was lost three times"):
        dataset = an.sweep(models.always_lethal, over, fixed=fixed, executor=2)
    assert dataset["status"].values.tolist() == ["done", "failed", "done"]


_KILLED = """
import sys
import adaptnet as an
from tests.adaptnet.sweeps import models
over = {"learning_rate": [0.0001 * (1 + i) for i in range(30)]}
an.sweep(models.step, over, path=sys.argv[1], executor=int(sys.argv[2]) or None, progress=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("executor", [0, 2])
def test_kills_lose_no_finished_point(tmp_path: Path, executor: int) -> None:
    # Kills at random moments, from the start of the interpreter on.
    path, rng = tmp_path / "sweep.nc", np.random.default_rng(executor)
    script = tmp_path / "script.py"
    script.write_text('if __name__ == "__main__":\n' + _KILLED.replace("\n", "\n    "))
    call = [sys.executable, str(script), str(path), str(executor)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    kept = 0
    for _ in range(int(os.environ.get("ADAPTNET_KILLS", "8"))):
        process = subprocess.Popen(call, env=environment, start_new_session=True)
        deadline = time.monotonic() + rng.uniform(1.0, 4.0)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is not None:
            assert process.returncode == 0
            path.unlink()
            kept = 0
            continue
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        folder = tmp_path / "sweep.nc.partial"
        done = len(list(folder.glob("*.done"))) if folder.exists() else 0
        if not path.exists():
            assert done >= kept or kept == 30
            kept = done
    subprocess.run(call, env=environment, check=True)
    over = {"learning_rate": [0.0001 * (1 + i) for i in range(30)]}
    assert same(an.load(path), an.sweep(models.step, over))
