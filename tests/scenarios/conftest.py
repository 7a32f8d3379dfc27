"""What tests of scenarios share."""

import pytest

from adaptnet import theory
from adaptnet.circuits.base import Circuit, concrete_subclasses


@pytest.fixture
def no_run(monkeypatch, tmp_path):
    """Let every run that is accepted end at its first block, or first use of theory."""

    def stop(*args, **kwargs):
        raise ValueError("stopped at the first block")

    for name in ("readaptation_time", "convergence_time"):  # scenarios ask for thousands of them
        monkeypatch.setattr(theory, name, stop)
    for kind in concrete_subclasses(Circuit):
        monkeypatch.setattr(kind, "advance", stop)
    monkeypatch.setattr("adaptnet.files.provenance.git_commit", lambda folder: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path
