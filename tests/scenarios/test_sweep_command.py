"""The command that sweeps, used as a stranger would, wrong input included."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import adaptnet as an
from adaptnet.plotting import plot_sweep
from scenarios.catalogue.switching import Switching
from scenarios.cli import main
from tests.adaptnet.plotting.layout import faults

SMALL = ["n_neurons=3", "equal_floors=false", "records=100", "block_length=2000"]
SETTINGS = [word for setting in SMALL for word in ("--set", setting)]
OPTIONS = [*SETTINGS, "--replicates", "2", "--no-progress"]
FIXED = {"n_neurons": 3, "equal_floors": False, "records": 100, "block_length": 2000}


@pytest.fixture
def adaptnet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(main, [str(a) for a in arguments])

    return call


def same(one, other):
    return one.drop_vars("seconds").equals(other.drop_vars("seconds"))


def test_a_sweep_leaves_a_file_a_picture_and_a_table(adaptnet, tmp_path):
    call = ["sweep", "switching", "--over", "learning_rate=1e-3,2e-3", *OPTIONS]
    done = adaptnet(*call)
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "switching-sweep.nc", "switching-sweep.png"]  # fmt: skip
    lines = done.output.splitlines()
    assert lines[1].split() == ["learning_rate", "direct", "interneuron"]
    assert len(lines) == 3 + 3 * 3 + 1
    stored = an.load("switching-sweep.nc")
    again = an.sweep(Switching, {"learning_rate": [1e-3, 2e-3]}, fixed=FIXED, n_replicates=2)
    assert same(stored, again)
    # With a further value only that is computed.
    longer = adaptnet("sweep", "switching", "--over", "learning_rate=1e-3,2e-3,3e-3", *OPTIONS)
    assert longer.exit_code == 0, longer.output
    assert an.load("switching-sweep.nc").sizes["learning_rate"] == 3


def test_slices_are_gathered(adaptnet):
    call = ["sweep", "switching", "--over", "learning_rate=lin:1e-3:3e-3:3", *OPTIONS]
    for number in (2, 1):
        done = adaptnet(*call, "--slice", f"{number}/2")
        assert done.exit_code == 0, done.output
    assert "3 of 3 points done" in done.output
    assert "3 of 3 points done" in adaptnet(*call, "--status").output
    assert "unfinished sweep: 3 of 3" in adaptnet("info", "switching-sweep.nc").output
    assert adaptnet(*call, "-q").exit_code == 0
    assert adaptnet("sweep", "switching-sweep.nc", "--status").output.startswith("3 of 3 points")


def test_a_dry_run_lists_the_points_and_a_pilot_is_not_wasted(adaptnet, tmp_path):
    call = ["sweep", "switching", "--over", "learning_rate=1e-3,2e-3", *OPTIONS]
    done = adaptnet(*call, "--dry-run")
    assert done.output.splitlines() == [
        "1: learning_rate = 0.001",
        "2: learning_rate = 0.002",
        "2 points of 2 replicates",
    ]
    assert not list(tmp_path.iterdir())
    pilot = adaptnet(*call, "--pilot", "1")
    assert "1 of 2 points took" in pilot.output
    assert adaptnet(*call, "--status").output.startswith("1 of 2 points done")


def test_a_toml_file_says_what_is_swept(adaptnet, tmp_path):
    parameters = "".join(f"{k} = {json.dumps(v)}\n" for k, v in FIXED.items())
    head = f'scenario = "switching"\nreplicates = 2\n[parameters]\n{parameters}[sweep]\n'
    tables = {
        "product": "over.learning_rate = 'geom:1e-3:4e-3:3'\n"
        'over."interneuron.n_interneurons" = [3, 4]',
        "points": "points = [{learning_rate = 1e-3}, {learning_rate = 3e-3}]",
        "design": 'design = {points = 4, bounds = {learning_rate = [1e-3, 4e-3, "log"]}}',
    }
    dims = {}
    for name, table in tables.items():
        (tmp_path / f"{name}.toml").write_text(head + table)
        done = adaptnet("sweep", f"{name}.toml", "--no-progress")
        assert done.exit_code == 0, done.output
        dims[name] = an.load(f"{name}.nc")["status"].sizes
    assert dims == {
        "product": {"learning_rate": 3, "interneuron.n_interneurons": 2},
        "points": {"point": 2},
        "design": {"point": 4},
    }
    refused = adaptnet("run", "product.toml")
    assert refused.exit_code == 1
    assert "adaptnet sweep product.toml" in refused.output


def test_failures_are_told_by_the_exit_code(adaptnet):
    call = ["sweep", "switching", *OPTIONS, "--over"]
    diverged = adaptnet(*call, "learning_rate=1e-3,0.9", "-o", "diverged.nc")
    assert diverged.exit_code == 3
    assert "diverged: " in diverged.output
    failed = adaptnet(*call, "learning_rate=1e-3", "--keep", "time_constants", "--flow")
    assert failed.exit_code in (0, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--over", "lerning_rate=1"], "did you mean 'learning_rate'"),
        (["--over", "learning_rate"], "NAME=VALUE,VALUE"),
        (["--over", "learning_rate=geom:0:1:3"], "geom:FIRST:LAST:NUMBER with positive numbers"),
        (["--over", "learning_rate=lin:1:2"], "lin:FIRST:LAST:NUMBER"),
        (["--over", "learning_rate=1e-3,-1"], "(point 1: learning_rate = -1)"),
        (["--over", "circuits=direct;gian"], "did you mean 'gain'"),
        (["--over", "learning_rate=1e-3", "--over", "learning_rate=2e-3"], "twice"),
        ([], "nothing is varied"),
        (["--over", "learning_rate=1e-3", "--slice", "3"], "--slice must be given as N/M"),
        (["--over", "learning_rate=1e-3", "--slice", "3/2"], "third of 64 shares"),
        (["--over", "learning_rate=1e-3", "--workers", "0"], "--workers must be at least 1"),
        (["--over", "learning_rate=1e-3", "--keep", "first_pasage"], "'first_passage'"),
        (["--over", "learning_rate=1e-3", "-o", "sweep.png"], "must end in .nc"),
        (["--over", "learning_rate=1e-3", "--status"], "there is no sweep"),
        (["--over", "learning_rate=1e-3", "--pilot", "0"], "--pilot must be at least 1"),
    ],
)
def test_bad_input_ends_in_a_sentence(adaptnet, tmp_path, arguments, message):
    done = adaptnet("sweep", "switching", *OPTIONS, *arguments)
    assert done.exit_code == 1, done.output
    assert message in done.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("over = 3", "over of [sweep] must be of type dict"),
        ("ovre = {}", "did you mean 'over'"),
        ("over = {learning_rate = [1e-3]}\npoints = []", "one of over, points"),
        ('design = {sampler = "sobl", points = 2, bounds = {learning_rate = [1, 2]}}', "'sobol'"),
        ("design = {points = 2}", "design of [sweep] must be"),
        ("points = []", "at least one point"),
    ],
)
def test_bad_tables_end_in_a_sentence(adaptnet, tmp_path, text, message):
    (tmp_path / "bad.toml").write_text(f'scenario = "switching"\n[sweep]\n{text}')
    done = adaptnet("sweep", "bad.toml")
    assert done.exit_code == 1, done.output
    assert message in done.output


@pytest.fixture(scope="module")
def drawn():
    over = {"learning_rate": [1e-3, 2e-3, 4e-3], "condition": [2.0, 10.0], "n_neurons": [2, 3]}
    fixed = {name: value for name, value in FIXED.items() if name != "n_neurons"}
    return an.sweep(Switching, over, fixed=fixed, n_replicates=2)


@pytest.mark.parametrize("name", ["paper", "talk"])
@pytest.mark.parametrize(
    "selected",
    [{}, {"n_neurons": 0}, {"n_neurons": 0, "condition": 0}, {"n_neurons": 0, "learning_rate": 0}],
    ids=["three parameters", "two", "one", "another"],
)
def test_pictures_of_sweeps_are_whole(drawn, selected, name):
    with an.plotting.style(name):
        figure, _ = plot_sweep(drawn.isel(selected))
        assert faults(figure) == []


def test_the_picture_of_one_parameter_shows_the_medians(drawn):
    one = drawn.isel(condition=0, n_neurons=0)
    _, axes = plot_sweep(one)
    medians = one.adaptnet.summary()["median"].isel(change=0)
    for drawn_as, circuit in zip(axes[0].containers, ("direct", "interneuron"), strict=True):
        expected = medians.sel(circuit=circuit).values
        np.testing.assert_array_equal(drawn_as[0].get_ydata(), expected[np.isfinite(expected)])


def test_a_report_of_a_sweep_holds_its_picture(adaptnet, drawn, tmp_path):
    an.save(drawn.isel(n_neurons=[0]), tmp_path / "s.nc")
    assert adaptnet("report", "s.nc").exit_code == 0
    assert adaptnet("plot", "s.nc", "--change", "1").exit_code == 0
    assert "Sweep of switching" in (tmp_path / "s.html").read_text()
    for command, message in {
        ("readapt", "s.nc"): "is a sweep",
        ("verify", "s.nc"): "is a sweep",
        ("run", "s.nc"): "is a sweep",
        ("plot", "s.nc", "--kind", "survival"): "--kind draws runs",
    }.items():
        done = adaptnet(*command)
        assert done.exit_code == 1
        assert message in done.output
