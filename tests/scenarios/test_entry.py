"""Ctrl+C while the command is loaded, and while its process ends."""

import signal
import subprocess
import sys

import pytest

SEND = "import os, signal, sys; send = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
ON_IMPORT = """
class Finder:
    def find_spec(name, *_):
        if name == "click":
            send()
sys.meta_path.insert(0, Finder)
"""
AT_EXIT = "import atexit; atexit.register(send)\n"
COMMAND = "sys.argv[1:] = ['list']\nfrom scenarios.entry import main; main()\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def ended(before, handler):
    code = SEND + f"signal.signal(signal.SIGINT, {handler})\n" + before + COMMAND
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("moment", [ON_IMPORT, AT_EXIT])
def test_an_interrupt_outside_of_the_work_ends_without_a_traceback(moment):
    result = ended(moment, "signal.default_int_handler")
    assert result.returncode == -signal.SIGINT
    assert result.stderr == ""


def test_an_interrupt_that_is_ignored_stays_ignored():
    result = ended(ON_IMPORT + AT_EXIT, "signal.SIG_IGN")
    assert result.returncode == 0
    assert "switching" in result.stdout
