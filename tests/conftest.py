"""What all tests share."""

from pathlib import Path

import adaptnet.kernels


def pytest_configure():
    """Forget compiled kernels older than any kernel's source.

    Numba compares a kernel's cache with the kernel's own file alone, not with the files of the
    functions that it calls.
    """
    folder = Path(adaptnet.kernels.__file__).parent
    newest = max(source.stat().st_mtime for source in folder.rglob("*.py"))
    compiled = list(folder.rglob("*.nb?"))
    if any(file.stat().st_mtime < newest for file in compiled):
        for file in compiled:
            file.unlink(missing_ok=True)
