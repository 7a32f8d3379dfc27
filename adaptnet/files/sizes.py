"""Sizes are checked before memory is asked for: a system may grant more than it has."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import resource

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 2**63


def available_memory() -> int:
    """Return the bytes of memory that this process could still get, or could at most.

    The limits of the machine, of the process (``ulimit``) and of its control groups (containers,
    schedulers) all count.
    """
    return max(0, min(_of_machine(), _of_process(), *_of_control_groups(), _UNLIMITED))


def _of_machine() -> int:
    status = _PROC / "meminfo"
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _UNLIMITED


def _of_process() -> int:
    status = _PROC / "self" / "statm"
    if sys.platform == "win32" or not status.is_file():
        return _UNLIMITED
    sizes = [int(pages) * resource.getpagesize() for pages in status.read_text().split()]
    used = {resource.RLIMIT_AS: sizes[0], resource.RLIMIT_DATA: sizes[5]}
    limits = {kind: resource.getrlimit(kind)[0] for kind in used}
    return min(
        (limit - used[kind] for kind, limit in limits.items() if limit != resource.RLIM_INFINITY),
        default=_UNLIMITED,
    )


def _of_control_groups() -> Iterator[int]:
    """Yield what each control group of this process, and each that holds it, still allows."""
    memberships = _PROC / "self" / "cgroup"
    if not memberships.is_file():
        return
    for line in memberships.read_text().splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers == "":  # version 2
            root, limit, usage = _CGROUPS, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root = _CGROUPS / "memory"
            limit, usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        group = Path(name.lstrip("/"))
        for folder in (root / group, *(root / parent for parent in group.parents)):
            allowed, used = _number(folder / limit), _number(folder / usage)
            if allowed is not None and used is not None:
                yield allowed - used + _reclaimable(folder)


def _reclaimable(folder: Path) -> int:
    """Return the bytes of copies of files that a control group's memory holds for now."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    sizes = dict(line.split(" ", 1) for line in lines)
    return int(sizes.get("total_inactive_file", sizes.get("inactive_file", 0)))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # none such, or "max"
        return None


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
