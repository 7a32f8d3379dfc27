"""What passes before the first block of samples is computed, each time in a process of its own.

Bytecode and machine code are there, as they are from the second use of an installed package on.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Seconds, interleaved

REFERENCE = "import xarray"
_FIRST_BLOCK = """
import os, sys
from adaptnet.circuits import DirectCircuit

advance = DirectCircuit.advance

def advance_and_end(*arguments, **options):
    advance(*arguments, **options)
    os._exit(0)

DirectCircuit.advance = advance_and_end
sys.argv = ["adaptnet", "run", "switching", "--preview", "-o", "run.nc"]
from scenarios.entry import main
main()
sys.exit("the run ended without the block")
"""
PROGRAMS = {
    REFERENCE: REFERENCE,
    "import adaptnet": "import adaptnet",
    "import xarray, numba": "import xarray, numba",
    "adaptnet run switching --preview, to its first block": _FIRST_BLOCK,
}


def starts(repetitions: int) -> dict[str, Seconds]:
    """Return seconds from the start of Python, for each of the programs, taken in turn."""
    with tempfile.TemporaryDirectory() as folder:
        paths = os.pathsep.join(
            str(Path(path).resolve()) for path in ("", *sys.path[1:]) if not path.endswith(".zip")
        )
        environment = os.environ | {"PYTHONPYCACHEPREFIX": folder, "PYTHONPATH": paths}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(program: str) -> None:
            with tempfile.TemporaryDirectory(dir=folder) as empty:  # nothing to resume
                subprocess.run(
                    [sys.executable, "-c", program],
                    cwd=empty,
                    env=environment,
                    check=True,
                    capture_output=True,
                )

        for program in PROGRAMS.values():
            run(program)  # writes bytecode, and compiles what is not in the cache
        return interleaved(
            {name: (lambda p=program: run(p)) for name, program in PROGRAMS.items()}, repetitions
        )
