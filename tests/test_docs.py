"""The code in README and docs runs as it is printed."""

import re
import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from click.testing import CliRunner

import adaptnet
import scenarios
from adaptnet import estimators, plotting
from scenarios.cli import main

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
    recorded = np.random.default_rng(0).normal(size=(6_000, 3)) * np.repeat([[1], [2]], 3_000, 0)
    np.savetxt("recording.csv", recorded, delimiter=",")
    exec(compile(block, "block", "exec"), {"__name__": "block"})


def commands():
    """Yield the commands of the pages in the order in which they are read, and files to write.

    The order of the pages is that of README's list.
    """
    names = re.findall(r"\]\((docs/\w+\.md)\)", PAGES[0].read_text())
    with_commands = {page for page in PAGES[1:] if "```sh" in page.read_text()}
    assert with_commands <= {ROOT / name for name in names}, "README lists them"
    for page in [PAGES[0], *(ROOT / name for name in dict.fromkeys(names))]:
        before = ""
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.M | re.S):
            if language == "toml" and "scenario = " in block:
                before = block
            elif language == "sh":
                for line in block.splitlines():
                    command = line.split("#")[0].rpartition("&& ")[2].split()
                    if command[:1] == ["adaptnet"]:
                        yield page.name, command[1:], before


@pytest.mark.slow
def test_the_pages_commands_run_in_reading_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = 0
    for page, command, text in commands():
        if command[0] == "run" and not command[1].endswith(".nc"):
            command += ["--preview", "--replicates", "2"]
        if command[1].endswith(".toml"):
            (tmp_path / command[1]).write_text(text)
        done = CliRunner().invoke(main, ["-q", *command])
        assert done.exit_code == 0, (page, command, done.output)
        seen += 1
    assert seen > 15


def test_the_gallery_shows_every_scenario_and_every_picture():
    # The examples run when the site is built.
    texts = "".join(path.read_text() for path in (ROOT / "docs" / "examples").glob("*.py"))
    shown = {*re.findall(r"\bfind\(\"([\w-]+)\"\)", texts), *re.findall(r"\b(\w+)\(", texts)}
    pictures = {name for name in plotting.__all__ if name.startswith(("plot_", "animate_"))}
    names = [n for n in scenarios.names() if scenarios.find(n).__module__.startswith("scenarios.")]
    wanted = {*names, *pictures, *estimators.__all__, "sweep", "RecordedEnvironment"}
    assert wanted <= shown, wanted - shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
