"""What a run says of the software that made it."""

import json

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from adaptnet.files import provenance

PACKAGES = ("adaptnet", "environments", "scenarios")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_code_is_that_of_all_packages(package, tmp_path, monkeypatch):
    for name in PACKAGES:
        (tmp_path / name / "deeper").mkdir(parents=True)
        (tmp_path / name / "deeper" / "rule.py").write_text("RATE = 1\n")
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    uncached = provenance.code.__wrapped__
    before = uncached()
    assert uncached() == before
    (tmp_path / package / "deeper" / "rule.py").write_text("RATE = 2\n")
    changed = uncached()
    assert changed != before
    (tmp_path / package / "deeper" / "rule.py").rename(tmp_path / package / "rule.py")
    assert uncached() not in (before, changed)


def test_linear_algebra_is_named_and_compared():
    here = provenance.provenance(np.random.SeedSequence(0))
    blas = json.loads(here["versions"])["blas"]
    for library in threadpool_info():
        if library["user_api"] == "blas":
            assert f"{library['internal_api']} {library['version']}" in blas
    assert blas.endswith("1 thread")  # which is what all results are computed on
    versions = json.loads(here["versions"]) | {"blas": "another 1.0; 1 thread"}
    there = here | {"versions": json.dumps(versions)}
    (line,) = provenance.differences(there, here, software=True)
    assert line.startswith("versions.blas: 'another 1.0; 1 thread' there")
