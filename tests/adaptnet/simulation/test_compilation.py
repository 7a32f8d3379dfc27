"""Kernels that are compiled beforehand need not be compiled by a run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = "from scenarios.cli import main; main()"


@pytest.mark.slow
def test_after_compiling_all_kernels_no_run_compiles_any(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }

    def call(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout + done.stderr

    said = call("compile", "--workers", "1")
    assert "all kernels are compiled now" in said
    assert said.count("compiling kernels, which takes some seconds") == 1
    assert "all kernels were compiled before" in call("compile", "--workers", "1")
    said = call("run", "gains", "--preview", "--replicates", "2", "--no-progress")
    assert "compiling kernels" not in said
