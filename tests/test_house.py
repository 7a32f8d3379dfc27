"""The house itself: which way imports run, what importing costs, what is exported."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

import adaptnet
import adaptnet.circuits
import adaptnet.kernels
import environments

ROOT = Path(__file__).parent.parent


def loaded_after(statement):
    """Return the top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_imports_run_one_way():
    # In a process of its own: it switches off the loggers of the one it runs in.
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_compiles_and_draws_nothing():
    assert not loaded_after("import adaptnet") & {"numba", "matplotlib", "skimage", "tqdm"}


def test_the_command_line_loads_nothing_heavy_for_its_help():
    heavy = {"numba", "matplotlib", "numpy", "scipy", "xarray", "netCDF4"}
    assert not loaded_after("import scenarios.cli") & heavy


@pytest.mark.parametrize("package", [adaptnet, adaptnet.circuits, environments])
def test_exports_are_real_sorted_and_documented(package):
    assert list(package.__all__) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__doc__


def test_packages_are_named_once():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert "[project]" not in (ROOT / "pyproject.toml").read_text()
    assert config["metadata"]["name"] == "adaptnet"
