"""Sessions in Python that are interrupted, more than once: files of others stay as they are."""

import json
import signal
import subprocess
import sys
import time

import pytest

import adaptnet as an
from adaptnet.files.paths import working_folder

# Runs until it is interrupted; says what the session has left, and whether it can go on.
SESSION = """
import json, os, signal, sys, threading, time
import numpy as np
import adaptnet as an

target, moment = sys.argv[1:]

def simulate():
    inputs = np.random.default_rng(0).normal(size=(6_000, 60))
    return an.simulate(
        {"a": an.DirectCircuit(learning_rate=1e-4), "b": an.InterneuronCircuit(learning_rate=1e-4)},
        inputs, path=target, record=["effective_weights"], record_every=3, checkpoint_seconds=0.1,
        progress=False,
    )

simulating, interrupted = True, False

def handle(number, frame):
    if simulating:  # what comes later is not the package's to hold back
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, handle)
try:
    try:
        simulate()
    except KeyboardInterrupt:
        interrupted = True
except KeyboardInterrupt:
    pass
while simulating:
    try:
        simulating = False
    except KeyboardInterrupt:
        pass
mine = open(target + ".txt", "w")
alive = threading.active_count()
time.sleep(0.3)
mine.close()
handler = signal.getsignal(signal.SIGINT) is handle
run = simulate()
print(json.dumps({
    "interrupted": interrupted, "threads": alive, "mine": os.path.getsize(mine.name),
    "handler": handler, "records": run.sizes["sample"],
}))
"""


def interrupted(target, moment, numbers, apart):
    """Return what a session says that gets several signals, `apart` seconds between them."""
    command = [sys.executable, "-c", SESSION, target, moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        folder = working_folder(target)
        awaited = folder / ("0.state" if moment == "recording" else "file.part")
        end = time.monotonic() + 120
        while time.monotonic() < end and not (
            awaited.exists() and (moment == "recording" or (folder / "0.state").exists())
        ):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.001)
        for number in numbers:
            time.sleep(apart)
            process.send_signal(number)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize(
    "moment", [pytest.param("recording", marks=pytest.mark.slow), "publishing"]
)
@pytest.mark.parametrize(
    "apart", [0.01, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.0, 0.06))]
)
def test_a_second_interrupt_breaks_nothing(tmp_path, moment, apart):
    said = interrupted(tmp_path / "run.nc", moment, [signal.SIGINT] * 3, apart)
    assert said["mine"] == 0
    assert said["threads"] == 1
    assert said["handler"]
    assert said["records"] == 2_001
    assert said["interrupted"] or moment == "publishing"
    assert an.load(tmp_path / "run.nc").sizes["sample"] == 2_001
    assert not working_folder(tmp_path / "run.nc").exists()
