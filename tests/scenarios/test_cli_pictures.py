"""The commands that draw and report."""

import pytest
from click.testing import CliRunner

from scenarios.cli import main

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
