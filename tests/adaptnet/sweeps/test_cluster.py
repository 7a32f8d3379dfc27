"""Sweeps on a real Dask cluster of processes, and sweeps of many points."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import adaptnet as an
from tests.adaptnet.sweeps import models
from tests.adaptnet.sweeps.test_sweep import same

OVER = {"learning_rate": np.geomspace(1e-4, 1e-3, 20).tolist(), "contrast": [2.0, 4.0]}
ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def cluster(n_workers):
    """Give a client of a local cluster, without the warnings of the cluster's own machinery."""
    from distributed import Client, LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            LocalCluster(
                n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=None,
                env={"PYTHONPATH": str(ROOT)},
            ) as local,
            Client(local, set_as_default=False) as client,
        ):  # fmt: skip
            yield client


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kills", [False, True], ids=["in peace", "a worker is killed"])
def test_dask_returns_the_bits_of_one_process(kills):
    alone = an.sweep(models.step, OVER, n_replicates=3)
    with cluster(2) as client:
        if kills:
            pids = list(client.run(os.getpid).values())
            timer = threading.Timer(0.5, os.kill, (pids[0], signal.SIGKILL))
            timer.start()
        far = an.sweep(models.step, OVER, n_replicates=3, executor=client.get_executor())
        if kills:
            timer.join()
            assert not Path(f"/proc/{pids[0]}").exists()
    assert same(alone, far)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_computes_the_replicates_of_a_simulation():
    circuits, environment, n_samples, *_ = models.step()
    alone = an.simulate(circuits, environment, n_samples, n_replicates=9, rng=0)
    with cluster(2) as client:
        far = an.simulate(
            circuits, environment, n_samples, n_replicates=9, rng=0,
            executor=client.get_executor(),
        )  # fmt: skip
    assert alone.drop_attrs(deep=False).identical(far.drop_attrs(deep=False))


_SLICE = """
import sys
import adaptnet as an
from tests.adaptnet.sweeps import models
over = {"learning_rate": [0.00005 * (1 + i) for i in range(30)]}
an.sweep(models.step, over, path=sys.argv[1], share=(int(sys.argv[2]), 3), progress=False)
"""


@pytest.mark.slow
def test_slices_in_three_processes_at_once_are_one_sweep(tmp_path):
    path = tmp_path / "sweep.nc"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    slices = [
        subprocess.Popen([sys.executable, "-c", _SLICE, str(path), str(i)], env=environment)
        for i in (1, 2, 3)
    ]
    assert [one.wait() for one in slices] == [0, 0, 0]
    over = {"learning_rate": [0.00005 * (1 + i) for i in range(30)]}
    began = time.time()
    gathered = an.sweep(models.step, over, path=path)
    assert gathered["seconds"].notnull().all()
    assert path.stat().st_mtime > began
    assert same(gathered, an.sweep(models.step, over))


_MANY = """
import resource, signal, sys
import numpy as np
import adaptnet as an
def tiny(learning_rate):
    return an.Simulation(an.DirectCircuit(learning_rate=learning_rate), INPUTS)
def last(run):
    return run["effective_weights"].isel(sample=-1, drop=True)
# Shells ignore SIGINT in what they start in the background, as this process may have been.
signal.signal(signal.SIGINT, signal.default_int_handler)
INPUTS = np.random.default_rng(0).normal(size=(20, 2))
n, path = int(sys.argv[1]), sys.argv[2]
rates = np.linspace(1e-4, 1e-2, n).tolist()
an.sweep(tiny, {"learning_rate": rates[:10]}, keep=last)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
an.sweep(tiny, {"learning_rate": rates}, keep=last, path=path, progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_many_points_take_little_memory_and_heed_an_interrupt(tmp_path):
    call = [sys.executable, "-c", _MANY, "1000", str(tmp_path / "sweep.nc")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(call, env=environment, stderr=subprocess.PIPE)
    folder = tmp_path / "sweep.nc.partial"
    while len(list(folder.glob("*.done"))) < 300 and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, error = process.communicate()
    assert time.monotonic() - began < 20  # loaded machines included; nothing waits for the end
    assert b"KeyboardInterrupt" in error
    assert len(list(folder.glob("*.done"))) >= 300
    done = subprocess.run(call, env=environment, stdout=subprocess.PIPE, check=True)
    # Results, keys and names of the points are some 300 bytes each, and are held a few times.
    assert int(done.stdout) < 100_000  # kB
    assert an.load(tmp_path / "sweep.nc").sizes["learning_rate"] == 1000
