"""Results do not depend on the number of cores, and threads end before what they use is closed."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from adaptnet.simulation.threads import in_threads, single_threaded_blas
from environments import SwitchingEnvironment
from environments.covariances import random_correlation
from environments.threads import one_blas_thread

# Builds environments and runs circuits on them; prints checksums of all that comes out.
PROGRAM = """
import hashlib, json, sys, warnings
import numpy as np
import adaptnet as an
from environments import SwitchingEnvironment
from environments.covariances import random_correlation, random_eigenbasis, with_spectrum

warnings.simplefilter("ignore")
found = {}
for n in map(int, sys.argv[1:]):
    spectrum = np.geomspace(3.0, 0.3, n)
    first = random_correlation(spectrum / spectrum.mean(), 0)
    second = with_spectrum(spectrum, random_eigenbasis(n, 1))
    environment = SwitchingEnvironment([first, second], block_length=20)
    circuits = {"a": an.DirectCircuit(learning_rate=1e-5),
                "b": an.InterneuronCircuit(learning_rate=1e-5)}
    run = an.simulate(circuits, environment, 60, rng=0, record_every=20, progress=False)
    for name, variable in sorted(run.variables.items()):
        found[f"{n} {name}"] = hashlib.sha256(variable.values.tobytes()).hexdigest()[:12]
    for name in ("environment", "first_inputs_sha256"):
        found[f"{n} {name}"] = hashlib.sha256(run.attrs[name].encode()).hexdigest()[:12]
print(json.dumps(found))
"""


def checksums(n_threads, sizes):
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS")
    settings = dict.fromkeys(names, str(n_threads))
    command = [sys.executable, "-c", PROGRAM, *map(str, sizes)]
    ended = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("sizes", [[50, 90, 150, 300]])
@pytest.mark.slow
def test_bits_do_not_depend_on_the_threads_of_linear_algebra(sizes):
    if os.cpu_count() == 1:
        pytest.skip("one core: linear algebra has a single thread anyway")
    assert checksums(1, sizes) == checksums(2, sizes)


def blas_threads():
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


@pytest.mark.parametrize("limited_before", [False, True], ids=["first", "after the main thread"])
def test_simulations_in_threads_leave_the_limits_as_they_found_them(limited_before):
    before = blas_threads()
    if limited_before:
        with single_threaded_blas():
            assert blas_threads() == {1}
    first, second = threading.Event(), threading.Event()
    seen = []

    def one():
        with single_threaded_blas():
            first.set()
            second.wait(10)
        seen.append(blas_threads())  # the other is still inside

    def other():
        first.wait(10)
        with one_blas_thread():
            second.set()
            thread.join(10)
            seen.append(blas_threads())

    thread, last = threading.Thread(target=one), threading.Thread(target=other)
    for each in (thread, last):
        each.start()
    last.join()
    assert seen == [{1}, {1}]
    assert blas_threads() == before


def test_limits_of_the_user_s_own_still_end():
    before = blas_threads()
    with threadpool_limits(1, user_api="blas"):
        with single_threaded_blas():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_environments_are_built_on_one_thread():
    seen = []

    class Watched(SwitchingEnvironment):
        def __init__(self):
            seen.append(blas_threads())
            super().__init__([random_correlation([1.0, 1.0], 0)] * 2, block_length=5)

    Watched().sample(3)
    assert seen == [{1}]


def test_an_error_in_a_thread_stops_the_others_before_it_is_raised():
    stopped, ended = threading.Event(), []
    numbers = iter(range(3))

    def work():
        if next(numbers) == 0:
            raise ZeroDivisionError
        stopped.wait(10)
        ended.append(stopped.is_set())

    with pytest.raises(ZeroDivisionError):
        in_threads(work, 3, stopped)
    assert ended == [True, True]


def test_a_system_without_more_threads(monkeypatch):
    start, started = threading.Thread.start, []

    def limited(thread):
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    worked = []
    in_threads(lambda: worked.append(1), 5, threading.Event())
    assert len(worked) == 2


def test_an_interrupt_is_raised_when_all_threads_have_ended():
    # Shells ignore SIGINT in what they start in the background, as this process may have been.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    stopped, ended = threading.Event(), []

    def interrupting():
        signal.raise_signal(signal.SIGINT)
        stopped.wait(10)
        ended.append(stopped.is_set())

    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(interrupting, 1, stopped)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [True]
