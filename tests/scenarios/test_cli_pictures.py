"""The commands that draw and report."""

import shutil

import pytest
from click.testing import CliRunner

import adaptnet
import scenarios
from adaptnet.plotting import PLOTS
from scenarios.cli import main
from scenarios.cli.pictures import plot

SMALLEST = {
    "initialization": {"n_scales": 3, "n_samples": 500},
    "readaptation-map": {"n_theory": 3, "n_simulated": 1, "rotated": False},
}

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


@pytest.mark.parametrize(
    ("style", "kinds"),
    [
        ("paper", ("survival", "transitions", "scaling", "matrices", "spectrum")),
        ("talk", ("readaptation", "aligned")),
    ],
)
def test_the_command_line_draws_and_reports(
    pictured_path, tmp_path, style, kinds, without_pictures
):
    calls = [["plot", "--kind", kind, "-o", f"{tmp_path / kind}.png"] for kind in kinds]
    calls.append(["report", "-o", f"{tmp_path / 'page'}.html"])
    for call in calls:
        result = CliRunner().invoke(main, [*call, str(pictured_path), "--style", style])
        assert result.exit_code == 0, result.output
    assert len(list(tmp_path.iterdir())) == len(calls)
    again = CliRunner().invoke(main, [*calls[-1], str(pictured_path)])
    assert again.exit_code == 1
    assert "would be lost" in again.output


def test_the_command_line_notes_what_is_below_the_floor(pictured_path):
    result = CliRunner().invoke(main, ["readapt", str(pictured_path), "--threshold", "0.001"])
    assert "not reached" in result.output
    assert "note: static" in result.output


@pytest.mark.parametrize("name", ["initialization", "readaptation-map"])
def test_tables_are_reported_and_refused_by_plots_of_runs(name, tmp_path):
    kind = scenarios.find(name)
    scenario = kind.from_values({**kind.preview, **SMALLEST[name]})
    path = tmp_path / "table.nc"
    adaptnet.save(scenario.run(n_replicates=2), path)
    result = CliRunner().invoke(main, ["report", str(path)])
    assert result.exit_code == 0, result.output
    text = path.with_suffix(".html").read_text()
    assert text.count("<img") == 1
    assert kind.title() in text
    for kind_of_plot in ("ellipses", "spectrum", "survival"):
        result = CliRunner().invoke(main, ["plot", str(path), "--kind", kind_of_plot])
        assert result.exit_code == 1
        assert "is a table of results" in result.output
    result = CliRunner().invoke(main, ["plot", str(path)])
    assert result.exit_code == 0, result.output


@pytest.mark.skipif(shutil.which("xelatex") is not None, reason="a TeX system is installed")
def test_a_picture_that_needs_tex_is_refused_in_a_sentence(pictured_path, tmp_path):
    result = CliRunner().invoke(main, ["plot", str(pictured_path), "-o", f"{tmp_path / 'f.pgf'}"])
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert not list(tmp_path.iterdir())


def test_the_command_line_draws_every_plot():
    (kinds,) = (option.type.choices for option in plot.params if option.name == "kind")
    assert set(kinds) == set(PLOTS)
