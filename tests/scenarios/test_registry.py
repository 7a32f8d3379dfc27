"""Scenarios are found wherever they are defined, and the command line loads what it uses."""

import importlib
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest
from click.testing import CliRunner

import scenarios
from scenarios import registry
from scenarios.cli import main
from scenarios.cli.group import COMMANDS

MINE = '''
from dataclasses import dataclass
import numpy as np
from environments import SwitchingEnvironment
from scenarios import Race, parameter


@dataclass(frozen=True, kw_only=True)
class {name}(Race):
    """Contrast doubles and halves."""

    period: int = parameter(40, "samples between switches", above=0)

    def environment(self):
        return SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=self.period)

    @property
    def n_samples(self):
        return 4 * self.period
'''


def command(folder, *words):
    """Return what a command prints in a process of its own, in a folder."""
    code = f"from scenarios.cli import main; main({list(words)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("order", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_a_module_of_the_working_directory_brings_scenarios(tmp_path, order):
    (tmp_path / "mine.py").write_text(MINE.format(name="FarAway"))
    given = ["--import", "mine"]
    run = ["run", "far-away", "--set", "period=50", "--replicates", "1", "-q"]
    code, out = command(tmp_path, *([*given, *run] if order == "before" else [*run, *given]))
    assert code == 0, out
    assert (tmp_path / "far-away.nc").exists()
    if order == "before":
        assert "far-away: Contrast doubles and halves." in command(tmp_path, *given, "list")[1]
        code, out = command(tmp_path, "plot", "far-away.nc", "-o", "picture.png", *given)
        assert code == 0, out
        code, out = command(tmp_path, *given, "verify", "far-away.nc")
        assert code == 0, out
    code, out = command(tmp_path, "run", "far-away")
    assert code == 1
    assert "there is no scenario 'far-away'" in out
    assert "adaptnet --import MODULE" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "No module named 'theirs'"), ("1 / 0", "ZeroDivisionError"), ("def", "SyntaxError")],
)
def test_a_module_that_cannot_be_imported_gets_a_sentence(tmp_path, text, message):
    if text:
        (tmp_path / "theirs.py").write_text(text)
    code, out = command(tmp_path, "--import", "theirs", "list")
    assert code == 1
    assert out.startswith("Error: --import theirs: the module cannot be imported")
    assert message in out
    assert "Traceback" not in out


def test_packages_bring_scenarios_by_entry_points(tmp_path, monkeypatch):
    (tmp_path / "packaged.py").write_text(MINE.format(name="FromAPackage"))
    monkeypatch.syspath_prepend(tmp_path)
    entries = [
        EntryPoint("good", "packaged", registry.ENTRY_POINTS),
        EntryPoint("bad", "missing_module", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    registry.load_scenarios.cache_clear()
    with pytest.warns(UserWarning, match="'bad' of missing_module cannot be imported"):
        assert "from-a-package" in scenarios.names()
    assert scenarios.find("from-a-package").__module__ == "packaged"


def test_two_scenarios_of_one_name_are_not_mixed_up():
    def define(module):
        @dataclass(frozen=True, kw_only=True)
        class Doublet(scenarios.find("switching")):
            """The same again."""

        Doublet.__module__ = module
        return Doublet

    first = define("one")
    again = define("one")  # as a notebook's cell that is run twice
    assert scenarios.find("doublet") is again
    second = define("two")
    with pytest.raises(ValueError, match="2 scenarios 'doublet', in one and two"):
        scenarios.find("doublet")
    del first, second


def test_public_names_are_there_and_no_others():
    for name in scenarios.__all__:
        assert getattr(scenarios, name).__doc__
    assert dir(scenarios) == sorted(scenarios.__all__)
    with pytest.raises(AttributeError, match="no attribute 'scenario'"):
        scenarios.scenario  # noqa: B018, it is looked up


def test_help_names_every_command_without_loading_it():
    out = CliRunner().invoke(main, ["--help"]).output
    for name, home in COMMANDS.items():
        assert f"  {name} " in out
        command = main.get_command(None, name)
        assert command.name == name
        assert command.callback.__module__ == f"scenarios.cli.{home.module}"
    assert CliRunner().invoke(main, ["rum"]).exit_code == 2


def test_every_command_is_in_the_group():
    for module in {home.module for home in COMMANDS.values()}:
        of_module = vars(importlib.import_module(f"scenarios.cli.{module}")).values()
        named = {value.name for value in of_module if hasattr(value, "callback")}
        assert named <= set(COMMANDS)
