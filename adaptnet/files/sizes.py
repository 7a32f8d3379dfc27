"""Sizes are checked before memory is asked for: a system may grant more than it has."""

import os
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")


def available_memory() -> int:
    """Return the bytes of memory that a process could still get, or could at most."""
    if _MEMINFO.is_file():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 2**63


def require_memory(what: str, n_bytes: int, remedy: str) -> None:
    """Raise a MemoryError that says so unless `n_bytes` of memory are available.

    Examples
    --------
    >>> require_memory("two numbers", 16, "count on your fingers")
    """
    available = available_memory()
    if n_bytes > available:
        raise MemoryError(
            f"{what} would take {readable(n_bytes)} of memory and {readable(available)} are "
            f"available; {remedy}"
        )


def readable(n_bytes: int) -> str:
    """Return a number of bytes as people write it.

    Examples
    --------
    >>> readable(2_000_000)
    '2 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000  # type: ignore[assignment]
    return f"{n_bytes:,.4g} TB"
