"""The code in README and docs runs as it is printed."""

import re
import shutil
from pathlib import Path

import matplotlib
import pytest

import adaptnet
import scenarios

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{i}")
    for page in PAGES
    for i, block in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S))
]


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    path = tmp_path_factory.mktemp("docs") / "run.nc"
    kind = scenarios.find("switching")
    adaptnet.save(kind.from_values(kind.preview).run(n_replicates=4), path)
    return path


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")  # the runs are short
def test_printed_code_runs(block, a_run, tmp_path, monkeypatch):
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    shutil.copy(a_run, "run.nc")
    exec(compile(block, "block", "exec"), {"__name__": "block"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
