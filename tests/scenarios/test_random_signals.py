"""Signals at random moments, single and double: the file is whole, or its run can be resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import adaptnet as an
from adaptnet.files.paths import working_folder

REPOSITORY = str(Path(__file__).parents[2])
COMMAND = [sys.executable, "-c", "from scenarios.entry import main; main()"]
RUN = ["run", "switching", "--set", "records=40000", "--set", "block_length=20000"]
RUN += ["--set", "n_neurons=6", "--replicates", "3", "--seed", "4", "--threads", "2"]
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP)
SECONDS = 2.0  # from the first signal that ends a process to its end
BUSY = 10.0  # beside other work on the same cores, not the package's


def heed_interrupts():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in the background


def is_publishing(target):
    folder = working_folder(target)
    part = folder / "file.part"
    try:
        return part.stat().st_size > 0 and len(list(folder.glob("*.state"))) == 3
    except FileNotFoundError:
        return False


def one_session(target, rng):
    """Start or resume the run, and send signals; return their number, and how it ended."""
    process = subprocess.Popen(
        [*COMMAND, "-v", *RUN, "--checkpoint-seconds", "0.1", "-o", str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    moment = rng.random()
    if moment > 0.1:  # else while it starts
        while "recording to" not in process.stderr.readline():
            assert process.poll() is None
    if moment > 0.5:
        while process.poll() is None and not is_publishing(target):
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.2))
    else:
        time.sleep(rng.exponential(0.3))
    if rng.random() < 0.2:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        process.send_signal(signal.SIGCONT)
    began = time.monotonic()
    n_signals = rng.integers(1, 4)
    for _ in range(n_signals):
        process.send_signal(rng.choice(ENDING[:2] if rng.random() < 0.7 else ENDING))
        time.sleep(rng.choice([0.0, 0.01, 0.1]))
    _, errors = process.communicate(timeout=120)
    return n_signals, time.monotonic() - began, process.returncode, errors


def ended_as_it_should(code, errors):
    if "Traceback" in errors:
        # Python has a traceback of its own if it is interrupted before it comes to the program.
        return "KeyboardInterrupt" in errors and REPOSITORY not in errors
    return code in (0, 130, 143, *(-number for number in ENDING))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("seed", range(int(os.environ.get("ADAPTNET_SIGNALS", "10"))))
def test_random_signals(tmp_path, seed):
    rng = np.random.default_rng(seed)
    whole, target = tmp_path / "whole.nc", tmp_path / "run.nc"
    subprocess.run([*COMMAND, "-q", *RUN, "-o", str(whole)], check=True, capture_output=True)
    expected = an.load(whole)
    n_signals, durations, codes = 0, [], []
    for _ in range(12):
        number, duration, code, errors = one_session(target, rng)
        n_signals += number
        durations.append(duration)
        codes.append(code)
        assert ended_as_it_should(code, errors), (code, errors)
        if target.exists():
            assert an.load(target).sizes == expected.sizes
            break
    print("signals", n_signals, "durations", [round(d, 2) for d in durations], "codes", codes)
    subprocess.run([*COMMAND, "-q", *RUN, "-o", str(target)], check=True, capture_output=True)
    found = an.load(target)
    for name, variable in expected.variables.items():
        assert found[name].values.tobytes() == variable.values.tobytes(), name
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "run.nc",
        "run.png",
        "whole.nc",
        "whole.png",
    ]
    assert max(durations) < BUSY
