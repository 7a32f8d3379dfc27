"""Where a run came from: versions, command, seed, time, commit."""

import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

_OF_ONE_SESSION = ("date_created", "history", "git_commit")
_SOFTWARE = ("source", "versions", "machine", "cpu", "cpu_features", "first_inputs_sha256")
_PACKAGES = ("adaptnet", "numba", "numpy", "scipy", "xarray", "netCDF4")


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
        "versions": json.dumps({"python": platform.python_version(), **versions, "code": _code()}),
        "machine": f"{platform.system()} {platform.machine()}",
        **_processor(),
    }
    commit = _git_commit()
    return attributes | ({"git_commit": commit} if commit else {})


@functools.cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


@functools.cache
def _code() -> str:
    """Return a checksum of this package's sources: versions stay while code is worked on."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


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
        there, here = (_unpacked(of.get(name)) for of in (stored, wanted))
        lines += _differing(name, there, here)
    return lines


def _unpacked(value: Any) -> Any:
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
    return " ".join([Path(sys.argv[0] or "python").name, *sys.argv[1:]])


def _plain(value: Any) -> Any:
    """Return NumPy's integers and sequences as JSON's."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else list(value)


def _git_commit() -> str | None:
    """Return the commit of the user's working directory, marked where files differ from it."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
