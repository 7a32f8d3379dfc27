"""Kill a run at each of its file operations in turn, and resume it: ``... FOLDER``.

Prints the number of operations, and what came out differently. Processes are forked from one that
has imported everything.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np

import adaptnet as an
from adaptnet.files import atomic
from adaptnet.files.paths import working_folder

OPERATIONS = ("_write", "_sync", "_rename", "_link")
INPUTS = np.random.default_rng(0).normal(size=(400, 3))


def simulate(target):
    circuits = {"a": an.DirectCircuit(learning_rate=1e-3), "b": an.InterneuronCircuit()}
    return an.simulate(
        circuits,
        INPUTS,
        rng=0,
        record_every=4,
        block_size=100,
        n_threads=1,
        path=target,
        checkpoint_seconds=0,
        progress=False,
    )


def kill_at(number):
    """Let file operation `number` of this process be its last, half done if it is a write."""
    count = [0]

    def counting(name, original):
        def operation(*arguments):
            if count[0] == number:
                if name == "_write":
                    file, data = arguments
                    original(file, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            count[0] += 1
            return original(*arguments)

        return operation

    for name in OPERATIONS:
        setattr(atomic, name, counting(name, getattr(atomic, name)))


def in_a_process(function):
    """Return how a forked process that calls `function` ends."""
    child = os.fork()
    if child == 0:
        try:
            function()
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(folder):
    expected = simulate(folder / "whole.nc").load()
    failures = 0
    for number in range(10_000):
        target = folder / f"{number}.nc"

        def killed(target=target, number=number):
            kill_at(number)
            simulate(target)

        status = in_a_process(killed)
        if status == 0:
            break

        def resumed(target=target):
            if target.exists():
                assert an.load(target).equals(expected)
            run = simulate(target).load()
            for name, variable in expected.variables.items():
                assert run[name].values.tobytes() == variable.values.tobytes(), name
            assert not working_folder(target).exists()

        assert os.WIFSIGNALED(status), status
        failures += in_a_process(resumed) != 0
        target.unlink(missing_ok=True)
    print(f"operations {number} failures {failures}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
