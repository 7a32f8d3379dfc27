"""What pictures draw, the report, and the accessor."""

import importlib
import re
import shutil
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import adaptnet as an
from adaptnet import plotting
from adaptnet.readaptation import readaptation_times, survival_curves, with_oracle
from adaptnet.report import run_warnings
from environments import SwitchingEnvironment
from scenarios.cli import main
from tests.adaptnet.synthetic import run_of

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


@pytest.fixture(scope="module")
def run():
    contexts = [np.diag([1.0, 3.0]), np.array([[3.0, 1.0], [1.0, 1.0]]), 4 * np.eye(2)]
    return an.simulate(
        {"direct": an.DirectCircuit(learning_rate=0.01), "static": an.StaticCircuit()},
        SwitchingEnvironment(contexts, block_length=400),
        1600,
        n_replicates=4,
        rng=0,
        record_every=10,
        record=("whitening_error", "effective_weights", "covariance"),
    )


@pytest.fixture(scope="module")
def path(run, tmp_path_factory):
    file = tmp_path_factory.mktemp("run") / "run.nc"
    an.save(run, file)
    return file


def test_curves_are_medians_within_quartiles(run):
    _, ax = an.plot_readaptation(run, 0.5)
    line = ax.get_lines()[0]
    expected = run.whitening_error.sel(circuit="direct").median("replicate").values[:-1]
    np.testing.assert_allclose(line.get_ydata(), expected)
    assert line.get_color() == plotting.circuit_colours(["direct"])["direct"]
    assert len(ax.collections) == 2


def test_a_single_replicate_has_no_band(run):
    one = run.isel(replicate=[0])
    assert not an.plot_readaptation(one)[1].collections
    with pytest.raises(ValueError, match="at least 2"):
        an.plot_readaptation(one, band=True)


def test_an_oracle_s_zeros_are_named(run):
    _, ax = an.plot_readaptation(with_oracle(run))
    assert "oracle (0 throughout)" in ax.get_legend_handles_labels()[1]


def test_aligned_panels_are_peri_change_medians(run):
    _, axes = plotting.plot_aligned(run, 0.5)
    averages = run.adaptnet.peri_change_averages()
    assert len(axes) == averages.sizes["transition"] == 3
    one = averages["median"].isel(circuit=0, transition=1)
    known = np.isfinite(one.values)
    np.testing.assert_allclose(axes[1].get_lines()[0].get_ydata(), one.values[known])
    for ax in axes:
        assert ax.get_ylim()[1] >= ax.get_lines()[0].get_ydata().max()


def test_survival_panels_are_kaplan_meier(run):
    times = readaptation_times(run, 0.5)
    _, axes = plotting.plot_survival(times)
    curves = survival_curves(times, by="transition")
    line = axes[0].get_lines()[0]
    one = curves.isel(circuit=0, transition=0)
    expected = one.survival.values[one.at_risk.values > 0]
    np.testing.assert_allclose(line.get_ydata(), expected)
    for ax in axes:
        assert ax.get_xlim()[1] >= max(line.get_xdata().max() for line in ax.get_lines())


def test_matrix_says_not_reached(run):
    _, axes = plotting.plot_transition_matrix(readaptation_times(run, 1e-6))
    texts = {text.get_text() for ax in axes for text in ax.texts}
    assert texts == {"not\nreached"}
    assert len(axes) == 2


def test_matrix_has_contexts_in_one_order(run):
    _, axes = plotting.plot_transition_matrix(readaptation_times(run, 1.0))
    names = [t.get_text() for t in axes[0].get_xticklabels()]
    rows = [t.get_text() for t in axes[0].get_yticklabels()]
    assert sorted(names) == sorted(rows) == ["context\n0", "context\n1", "context\n2"]
    assert names == rows


def test_scaling_draws_open_markers_beyond_reach(run):
    _, ax = plotting.plot_scaling(readaptation_times(run, 1e-6))
    drawn = [line for line in ax.get_lines() if len(line.get_xdata())]
    assert drawn
    assert {line.get_fillstyle() for line in drawn} == {"none"}
    with pytest.raises(ValueError, match="x must be a numeric"):
        plotting.plot_scaling(readaptation_times(run), "transition")


def test_matrices_are_those_before_and_after(run):
    _, grid = plotting.plot_matrices(run, 1)
    images = [ax.get_images()[0].get_array() for ax in grid[:, 0]]
    np.testing.assert_allclose(images[0], run.covariance.sel(sample=790))
    np.testing.assert_allclose(images[1], run.covariance.sel(sample=1190))
    root = grid[1, 1].get_images()[0].get_array()
    np.testing.assert_allclose(root @ root, run.covariance.sel(sample=1190))
    weights = grid[1, 2].get_images()[0].get_array()
    np.testing.assert_allclose(
        weights, run.effective_weights.isel(replicate=0).sel(circuit="direct", sample=1190)
    )
    with pytest.raises(ValueError, match="change must be one of"):
        plotting.plot_matrices(run, 9)
    with pytest.raises(ValueError, match="has not recorded"):
        plotting.plot_matrices(run.drop_vars("covariance"))


def test_spectrum_is_that_of_the_static_circuit(run):
    _, ax = plotting.plot_spectrum(run, "static")
    drawn = np.array([line.get_ydata()[0] for line in ax.get_lines()[:2]])
    np.testing.assert_allclose(drawn, [1.0, 3.0])  # identity weights: the inputs' own
    with pytest.raises(ValueError, match="circuit must be one of"):
        plotting.plot_spectrum(run, "statik")


def test_the_animation_has_its_frames(run, tmp_path):
    from PIL import Image

    plotting.animate_ellipses(run, tmp_path / "e.gif", n_frames=6)
    with Image.open(tmp_path / "e.gif") as picture:
        assert picture.n_frames >= 6
    with pytest.raises(ValueError, match=r"\.gif or \.mp4"):
        plotting.animate_ellipses(run, tmp_path / "e.png")
    with pytest.raises(ValueError, match="neurons must be"):
        plotting.animate_ellipses(run, tmp_path / "e.gif", neurons=(0, 5))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_the_animation_is_a_film_where_there_is_ffmpeg(run, tmp_path):
    plotting.animate_ellipses(run, tmp_path / "e.mp4", n_frames=3)
    assert (tmp_path / "e.mp4").read_bytes()[4:8] == b"ftyp"
    assert [file.name for file in tmp_path.iterdir()] == ["e.mp4"]


def test_without_ffmpeg_it_says_what_to_do(run, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"install it \(.*or write a \.gif"):
        plotting.animate_ellipses(run, tmp_path / "e.mp4")


def test_what_diverged_is_not_animated(run, tmp_path):
    lost = run.copy(deep=True)
    lost.effective_weights.values[0, 0, 50:] = np.nan
    with pytest.raises(ValueError, match="direct diverged around change 0 of replicate 0"):
        plotting.animate_ellipses(lost, tmp_path / "e.gif")
    assert not list(tmp_path.iterdir())


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.cells = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


def test_the_report_is_whole_and_self_contained(run):
    page = Page(an.report(run, 0.5))
    assert not page.open
    assert page.sources
    assert all(source.startswith("data:") for source in page.sources)
    assert "not reached" in page.cells
    assert not any(re.search(r"\bnan\b", cell, re.IGNORECASE) for cell in page.cells)


@pytest.fixture
def undrawn(monkeypatch):
    """Leave pictures out of reports, of which the words are looked at."""
    page = importlib.import_module("adaptnet.report.page")  # adaptnet.report is its function
    monkeypatch.setattr(page, "picture", lambda figure, caption: caption)


def test_the_report_tells_once_of_thresholds_below_what_theory_says(run, undrawn):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none beside the page
        text = an.report(run, 0.001)
    assert text.count("The threshold 0.001 lies below the noise floor of &#x27;direct&#x27;") == 1


def test_reports_escape_what_users_name(undrawn):
    run = run_of(np.ones((1, 1, 9)), [4], names=("<b>", "&"))
    text = an.report(run)
    assert "<b> →" not in text
    assert "&lt;b&gt; → &amp;" in text


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (run_of(np.ones((2, 3, 9)), np.empty(0, np.int64)), "no change of context"),
        (run_of(np.ones((2, 3, 9)), [4]).drop_vars("whitening_error"), "has no whitening_error"),
        (run_of(np.ones((2, 1, 9)), [4]), "a single replicate"),
        (run_of(np.ones((2, 3, 9)), [[4, 6], [3, -1], [5, 7]]), "100% of times are censored"),
    ],
)
def test_reports_of_poor_runs_say_what_is_missing(run, words, undrawn):
    assert words in an.report(run)


def test_warnings_tell_of_thresholds_below_the_floor():
    noisy = 0.2 + 0.01 * np.random.default_rng(0).random((1, 4, 200))
    (below, censored) = run_warnings(run_of(noisy, [50]), 0.1)
    assert "noise floor" in below
    assert "100% of segments" in below
    assert "censored" in censored
    assert run_warnings(run_of(noisy, [50]), 0.3) == []


def test_the_accessor_is_the_functions(run):
    assert run.adaptnet.readaptation_times(0.5).identical(readaptation_times(run, 0.5))
    assert run.adaptnet.measure("excess_area").area.sel(circuit="direct").sizes["change"] == 3
    times = run.adaptnet.readaptation_times(0.5)
    assert times.adaptnet.summary().sizes == {"circuit": 2, "change": 3}
    assert list(times.to_dataframe().index.names) == ["circuit", "replicate", "change"]
    assert set(times.groupby("context").mean().context.values) == {
        "context_0",
        "context_1",
        "context_2",
    }
    assert "survival_curves" in dir(times.adaptnet)
    with pytest.raises(AttributeError, match="there is no 'readapt'"):
        run.adaptnet.readapt()
    with pytest.raises(ValueError, match="not a run"):
        xr.Dataset().adaptnet.readaptation_times()


@pytest.mark.parametrize(
    ("style", "kinds"),
    [
        ("paper", ("survival", "transitions", "scaling", "matrices", "spectrum")),
        ("talk", ("readaptation", "aligned")),
    ],
)
def test_the_command_line_draws_and_reports(path, tmp_path, style, kinds, undrawn):
    calls = [["plot", "--kind", kind, "-o", f"{tmp_path / kind}.png"] for kind in kinds]
    calls.append(["report", "-o", f"{tmp_path / 'page'}.html"])
    for call in calls:
        result = CliRunner().invoke(main, [*call, str(path), "--style", style])
        assert result.exit_code == 0, result.output
    assert len(list(tmp_path.iterdir())) == len(calls)
    again = CliRunner().invoke(main, [*calls[-1], str(path)])
    assert again.exit_code == 1
    assert "would be lost" in again.output


def test_the_command_line_notes_what_is_below_the_floor(path):
    result = CliRunner().invoke(main, ["readapt", str(path), "--threshold", "0.001"])
    assert "not reached" in result.output
    assert "note: static" in result.output
