"""A run on a disk that gets full: ``python run_on_small_disk.py FOLDER BYTES_LEFT WRITES_BEFORE``.

The rest of the disk is filled after WRITES_BEFORE writes. Prints what became of the run.
"""

import os
import sys
from pathlib import Path

import numpy as np

import adaptnet as an
from adaptnet.files import atomic
from environments import SwitchingEnvironment


def simulate(path=None):
    circuits = {"direct": an.DirectCircuit(), "interneuron": an.InterneuronCircuit()}
    environment = SwitchingEnvironment([np.diag([1.0, 2.0]), np.eye(2)], block_length=60)
    return an.simulate(
        circuits,
        environment,
        4_000,
        n_replicates=2,
        rng=0,
        path=path,
        checkpoint_seconds=0,
        block_size=500,
        n_threads=1,
    )


def fill(folder, leave):
    """Take all of the disk but `leave` bytes."""
    disk = os.statvfs(folder)
    (folder / "filler").write_bytes(bytes(max(0, disk.f_bavail * disk.f_frsize - leave)))


if __name__ == "__main__":
    folder, leave, wait = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    written, write = 0, atomic._write

    def counting(file, data):
        global written
        written += 1
        if written == wait:
            fill(folder, leave)
        return write(file, data)

    atomic._write = counting
    if wait == 0:
        fill(folder, leave)
    try:
        simulate(folder / "run.nc")
        print("finished")
    except OSError as error:
        print(error)
