"""The command line as a process: signals, progress, a run again and its verification."""

import logging
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

import adaptnet as an
from adaptnet.simulation.progress import Lines
from adaptnet.simulation.sinks import existing
from scenarios.cli import DIFFERS, DIVERGED, main

COMMAND = [sys.executable, "-c", "from scenarios.entry import main; main()", "-v"]
SHORT = ["--set", "block_length=2000", "--set", "learning_rate=1e-3", "--replicates", "2"]


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def heed_interrupts():
    """End at SIGINT, which shells have ignored by what they start in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_signals_save_and_the_same_command_goes_on(tmp_path):
    target = tmp_path / "run.nc"
    # So many samples that no machine gets to the end before the signal.
    run = ["run", "switching", "--set", "block_length=1e9", "--replicates", "2"]
    command = [*COMMAND, *run, "-o", str(target)]
    reached = 0
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
        )
        while "recording to" not in process.stderr.readline():
            pass
        time.sleep(1.0)
        process.send_signal(number)
        _, shown = process.communicate(timeout=60)
        assert process.returncode == code
        assert "the same command" in shown
        assert "Traceback" not in shown
        assert not target.exists()
        _, processed = existing.progress_made(target)
        assert sum(processed.values()) > reached
        reached = sum(processed.values())
    info = invoke("info", target)
    assert info.exit_code == 0
    assert "is unfinished" in info.output


def test_a_finished_run_is_reported_and_kept(tmp_path):
    target = tmp_path / "run.nc"
    first = invoke("-q", "run", "switching", *SHORT, "-o", target)
    assert first.exit_code == 0, first.output
    before = target.stat()
    again = invoke("run", "switching", *SHORT, "-o", target)
    assert again.exit_code == 0
    assert "finished and is not run again" in again.output
    assert target.stat() == before
    other = invoke("run", "switching", *SHORT, "--seed", 3, "-o", target)
    assert other.exit_code == 1
    assert "seed_entropy: '0' there, '3' here" in other.output
    assert target.stat() == before


def test_verification(tmp_path):
    target = tmp_path / "run.nc"
    invoke("-q", "run", "switching", *SHORT, "-o", target)
    same = invoke("verify", target)
    assert same.exit_code == 0, same.output
    assert "2 of 2 replicates were run again and are identical" in same.output
    run = an.load(target)
    run.whitening_error[1, 1, 7] = np.nextafter(run.whitening_error[1, 1, 7], 9.0)
    an.save(run, target, overwrite=True)
    differs = invoke("verify", target)
    assert differs.exit_code == DIFFERS
    assert "whitening_error: 1 values differ" in differs.output
    assert invoke("verify", target, "--replicates", 1).exit_code == 0  # of replicate 0
    run.attrs["cpu"] = "abacus"
    an.save(run, target, overwrite=True)
    assert "cpu: 'abacus' there" in invoke("verify", target).output


def test_divergence_is_summed_up(tmp_path):
    target = tmp_path / "run.nc"
    arguments = [*SHORT, "--set", "learning_rate=0.9", "--replicates", 2, "-o", target]
    for _ in range(2):  # also when it is finished before
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            result = invoke("run", "switching", *arguments)
        assert result.exit_code == DIVERGED, result.output
        for replicate in (0, 1):
            assert f"diverged: direct, replicate {replicate}, sample" in result.output


def test_progress_lines(caplog):
    now = [0.0]
    lines = Lines(1000, lambda: now[0])
    with caplog.at_level(logging.INFO, "adaptnet"):
        for _ in range(100):
            now[0] += 3.0
            lines(10)
    percents = [record.args[2] for record in caplog.records]
    assert percents[0] == pytest.approx(4.0)  # the first block after ten seconds
    assert len(percents) == 25
    assert percents == sorted(percents)
