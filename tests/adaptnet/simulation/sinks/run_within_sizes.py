"""A run tried again while the system lets files grow ever larger: ``run_within_sizes.py TARGET``.

Prints what became of each try.
"""

import resource
import sys
from pathlib import Path

if __name__ == "__main__":
    import run_for_kills  # beside this script

    target, size = Path(sys.argv[1]), 2000
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    while not target.exists():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
        try:
            run_for_kills.run(target, 20_000)
            print("finished")
        except OSError as error:
            assert not target.exists()
            print(error)
        size *= 4
