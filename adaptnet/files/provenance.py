"""Where a run came from: versions, command, seed, time, commit."""

import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

_OF_ONE_SESSION = ("date_created", "history", "git_commit")
_SOFTWARE = ("source", "versions", "machine", "cpu", "cpu_features", "first_inputs_sha256")
_PACKAGES = ("adaptnet", "numba", "numpy", "scipy", "xarray", "netCDF4")
_SOURCES = ("adaptnet", "environments", "scenarios")
_ROOT = Path(__file__).parents[2]
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def provenance(seed: np.random.SeedSequence) -> dict[str, str]:
    """Return the attributes that say how a run was made, all of them strings.

    Examples
    --------
    >>> provenance(np.random.SeedSequence(7))["seed_entropy"]
    '7'
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = _versions()
    attributes = {
        "source": f"adaptnet {versions['adaptnet']}",
        "date_created": now,
        "history": f"{now}: {_command()}",
        "seed_entropy": json.dumps(seed.entropy, default=_plain),
        "seed_spawn_key": json.dumps(list(seed.spawn_key), default=_plain),
        "versions": json.dumps(
            {
                "python": platform.python_version(),
                **versions,
                "blas": _blas(),
                "code": code(),
            }
        ),
        "machine": f"{platform.system()} {platform.machine()}",
        **_processor(),
    }
    commit = git_commit(Path.cwd())
    return attributes | ({"git_commit": commit} if commit else {})


@functools.cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


@functools.cache
def code() -> str:
    """Return a checksum of the sources: versions stay while code is worked on.

    Environments and scenarios decide on the bits of a run as well as this package, beside which
    they lie.
    """
    digest = hashlib.sha256()
    for package in _SOURCES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(f"{path.relative_to(_ROOT).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@functools.cache
def _blas() -> str:
    """Return the libraries of linear algebra: their kernels differ between kinds of processor."""
    import scipy.linalg  # noqa: F401, has a library of its own, which kernels use
    from threadpoolctl import threadpool_info

    names = ("internal_api", "version", "architecture")
    found = {
        " ".join(str(library[name]) for name in names if library.get(name))
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return ", ".join(sorted(found)) + "; 1 thread"


def _processor() -> dict[str, str]:
    """Return what kernels are compiled for: rounding may differ between kinds of processor."""
    from llvmlite import binding  # comes with numba
    from numba import config

    chosen: Any = config  # NUMBA_CPU_NAME and NUMBA_CPU_FEATURES override the host's
    host = binding.get_host_cpu_features()
    return {
        "cpu": chosen.CPU_NAME or binding.get_host_cpu_name(),
        "cpu_features": chosen.CPU_FEATURES
        or " ".join(sorted(f for f, has in host.items() if has)),
    }


def differences(
    stored: Mapping[str, Any], wanted: Mapping[str, Any], *, software: bool
) -> list[str]:
    """Return a line for each parameter, or piece of software or machine, that differs.

    Examples
    --------
    >>> differences({"n_samples": 10, "cpu": "a"}, {"n_samples": 20, "cpu": "b"}, software=False)
    ['n_samples: 10 there, 20 here']
    """
    lines = []
    for name in wanted:
        if name in _OF_ONE_SESSION or (name in _SOFTWARE) != software:
            continue
        if isinstance(wanted[name], str) and wanted[name] == stored.get(name):
            continue  # at once, since parameters may be long
        there, here = (_plain_value(side.get(name)) for side in (stored, wanted))
        lines += _differing(name, there, here)
    return lines


def _plain_value(value: Any) -> Any:
    """Return an attribute's plain value: what is written as JSON unpacked."""
    value = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            pass
    return value


def _differing(name: str, there: Any, here: Any) -> list[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        keys = dict.fromkeys([*here, *there])
        pairs = [(f"{name}.{key}", there.get(key), here.get(key)) for key in keys]
        return [line for pair in pairs for line in _differing(*pair)]
    # As text, in which NaN is NaN and 1 is not 1.0: runs are alike if they are written alike.
    return (
        [] if repr(there) == repr(here) else [f"{name}: {_short(there)} there, {_short(here)} here"]
    )


def _short(value: Any, length: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def _command() -> str:
    """Return the command line, programs by their bare name."""
    command = " ".join([Path(sys.argv[0] or "python").name, *sys.argv[1:]])
    # Arguments are bytes, and files hold Unicode without NUL.
    return command.encode(errors="backslashreplace").decode().replace("\0", "")


def _plain(value: Any) -> Any:
    """Return NumPy's integers and sequences as JSON's."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else list(value)


@functools.cache
def git_commit(folder: Path) -> str | None:
    """Return the commit that is checked out around `folder`, or None outside of a repository.

    The files of the repository are read: Git itself runs programs that a repository's configuration
    names, so that a folder from elsewhere could run anything.
    """
    for parent in (folder, *folder.parents):
        git = parent / ".git"
        try:
            if git.is_file():  # of a work tree, or a submodule
                git = parent / git.read_text().removeprefix("gitdir:").strip()
            if git.is_dir():
                return _head(git)
        except (OSError, ValueError):
            return None
    return None


def _head(git: Path) -> str | None:
    head = _first_line(git / "HEAD")
    shared = _first_line(git / "commondir")
    common = git / shared if shared else git
    for _ in range(5):  # references may refer to references
        if not head.startswith("ref:"):
            break
        name = head.removeprefix("ref:").strip()
        if ".." in name:
            return None
        head = _first_line(git / name) or _first_line(common / name) or _packed(common, name)
    return head if _COMMIT.fullmatch(head) else None


def _packed(git: Path, name: str) -> str:
    path = git / "packed-refs"
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.endswith(f" {name}"):
                return line.split(" ")[0]
    return ""


def _first_line(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open() as file:
        return file.readline(4096).strip()
