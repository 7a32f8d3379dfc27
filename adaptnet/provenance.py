"""Where a run came from: versions, command, seed, time, commit."""

import importlib.metadata
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGES = ("adaptnet", "numba", "numpy", "scipy", "xarray", "netCDF4")


def provenance(seed: np.random.SeedSequence) -> dict[str, str]:
    """Return the attributes that say how a run was made, all of them strings.

    Examples
    --------
    >>> provenance(np.random.SeedSequence(7))["seed_entropy"]
    '7'
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    attributes = {
        "source": f"adaptnet {versions['adaptnet']}",
        "date_created": now,
        "history": f"{now}: {_command()}",
        "seed_entropy": json.dumps(seed.entropy, default=_plain),
        "seed_spawn_key": json.dumps(list(seed.spawn_key), default=_plain),
        "versions": json.dumps({"python": platform.python_version(), **versions}),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    commit = _git_commit()
    return attributes | ({"git_commit": commit} if commit else {})


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
