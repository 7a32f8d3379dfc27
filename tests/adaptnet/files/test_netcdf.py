"""Files are read by any number of threads, and whatever the garbage collector does meanwhile."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import adaptnet as an
from adaptnet.files import on_demand

OPEN_FILES = Path("/proc/self/fd")

# Runs opened and left in cycles, which the collector comes upon while others are being opened.
COLLECTED = """
import gc, sys
from pathlib import Path
from adaptnet.files import on_demand, reading, storage
path = Path(sys.argv[1])
for number in range(int(sys.argv[2])):
    gc.set_threshold(8 + number % 24)  # at ever other moments
    cycle = [on_demand.opened(path)]
    cycle.append(cycle)
    del cycle
    reading.attributes(path)
    storage.load(path)
"""

THREADS = """
import sys, threading
from pathlib import Path
from adaptnet.files import on_demand, reading, storage
path = Path(sys.argv[1])
failed = []
def work(number):
    try:
        for again in range(int(sys.argv[2])):
            run = storage.load(path)
            on_demand.opened(path)["whitening_error"].values
        storage.save(run, f"{path}.{number}")
    except BaseException as error:
        failed.append(error)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def simulate(path=None, seed=0):
    from environments import SwitchingEnvironment

    circuits = {"direct": an.DirectCircuit(), "interneuron": an.InterneuronCircuit()}
    environment = SwitchingEnvironment([np.diag([1.0, 2.0]), np.eye(2)], block_length=60)
    return an.simulate(circuits, environment, 5_000, n_replicates=2, rng=seed, path=path)


@pytest.fixture
def path(tmp_path):
    simulate(tmp_path / "run.nc")
    return tmp_path / "run.nc"


@pytest.mark.parametrize(
    ("script", "times"),
    [
        pytest.param(COLLECTED, 24, id="collected"),
        pytest.param(THREADS, 6, id="threads"),
        pytest.param(COLLECTED, 120, id="collected often", marks=pytest.mark.slow),
        pytest.param(THREADS, 20, id="threads often", marks=pytest.mark.slow),
    ],
)
def test_no_use_of_files_ends_the_process(path, script, times):
    command = [sys.executable, "-X", "faulthandler", "-c", script, path, str(times)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_opened_run_equals_a_loaded_one(path):
    assert on_demand.opened(path).identical(an.load(path))
    assert pickle.loads(pickle.dumps(on_demand.opened(path))).identical(an.load(path))


@pytest.mark.parametrize("sample", [7, slice(3, 9, 2), np.array([0, 7, 3])])
def test_parts_of_an_opened_run(path, sample):
    part = {"sample": sample, "circuit": 1}
    values = on_demand.opened(path)["whitening_error"].isel(part).values
    np.testing.assert_array_equal(values, an.load(path)["whitening_error"].isel(part).values)


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="the system does not list open files")
def test_an_opened_run_keeps_no_file_open(path):
    opened = on_demand.opened(path)
    opened["whitening_error"].values  # noqa: B018
    assert path not in [file.resolve() for file in OPEN_FILES.iterdir()]


def test_a_run_that_was_replaced_is_not_read_as_the_old_one(path):
    opened = on_demand.opened(path)
    an.save(simulate(seed=1), path, overwrite=True)
    with pytest.raises(OSError, match="replaced after it was opened"):
        opened["whitening_error"].values  # noqa: B018
