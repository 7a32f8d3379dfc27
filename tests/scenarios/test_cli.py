"""The command line, used as a stranger would, wrong input included."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

import adaptnet as an
import scenarios
from adaptnet.readaptation import MEASURES
from scenarios.cli import DIVERGED, main
from scenarios.text import text_table

SMALL = ["--preview", "--replicates", "2", "--no-progress"]


@pytest.fixture
def adaptnet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(main, [str(a) for a in arguments])

    return call


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "switching.nc"
    assert CliRunner().invoke(main, ["run", "switching", *SMALL, "-o", str(path)]).exit_code == 0
    return path


def test_a_run_leaves_a_file_a_picture_and_a_table(adaptnet, tmp_path):
    done = adaptnet("run", "switching", *SMALL)
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["switching.nc", "switching.png"]
    assert (tmp_path / "switching.png").read_bytes().startswith(b"\x89PNG")
    lines = done.output.splitlines()
    assert lines[1].split() == ["change", "and", "circuit", "median", "quartiles", "censored"]
    # Title, header and rule; three changes, each with two circuits and one at equal floors.
    assert lines[3 + 3 * 4] == ""
    assert max(map(len, lines)) <= 80
    assert an.load("switching.nc").attrs["scenario"] == "switching"


def test_the_table_says_what_the_file_says(adaptnet, stored):
    lines = adaptnet("readapt", stored, "--threshold", "0.6").output.splitlines()
    times = an.readaptation_times(an.load(stored), 0.6)
    assert lines[0] == "samples until the whitening error is below 0.6"
    table = lines[3 : lines.index("")]
    changes = [line for line in table if not line.startswith(" ")]
    assert changes == [
        f"{label} (at sample {sample})"
        for label, sample in zip(
            times["transition"].values, times["change_sample"].values, strict=True
        )
    ]
    for number in range(3):
        for line in table[4 * number + 1 : 4 * number + 3]:
            name, median, *_ = line.split()
            samples = times.sel(circuit=name).isel(change=number)["samples"]
            # Of two replicates the lower is the median by inverse distribution function.
            assert int(median) == samples.min()


def test_parameters_are_set_by_name(adaptnet):
    done = adaptnet("run", "switching", *SMALL, "--set", "n_neurons=3", "--set", "condition=4")
    assert done.exit_code == 0, done.output
    run = an.load("switching.nc")
    assert run.sizes["neuron"] == 3
    assert json.loads(run.attrs["scenario_parameters"])["condition"] == 4.0


def test_a_toml_file_says_it_all(adaptnet, tmp_path):
    (tmp_path / "mine.toml").write_text(
        'scenario = "switching"\nreplicates = 3\nseed = 4\n'
        "[parameters]\nblock_length = 500\nlearning_rate = 1e-3\nthreshold = 1\n"
    )
    done = adaptnet("run", "mine.toml")
    assert done.exit_code == 0, done.output
    run = an.load("mine.nc")
    assert run.sizes["replicate"] == 3
    assert run.attrs["seed_entropy"] == "4"
    assert json.loads(run.attrs["scenario_parameters"])["threshold"] == 1.0
    assert run.attrs["n_samples"] == 2000


def test_a_run_can_be_run_again_from_its_file(adaptnet, stored):
    done = adaptnet("run", stored, "-o", "again.nc")
    assert done.exit_code == 0, done.output
    assert (
        an.load("again.nc").drop_attrs(deep=False).identical(an.load(stored).drop_attrs(deep=False))
    )
    other = adaptnet("run", stored, "-o", "other.nc", "--seed", "9")
    assert other.exit_code == 0, other.output
    assert not an.load("other.nc").equals(an.load(stored))


def test_info_says_how_a_run_was_made(adaptnet, stored):
    out = adaptnet("info", stored).output
    for text in (
        "scenario: switching",
        "seed: 0",
        "learning_rate: 0.001",
        "numba:",
        "2 replicate",
    ):
        assert text in out


def test_plot_draws_a_stored_run(adaptnet, stored, tmp_path):
    done = adaptnet("plot", stored, "-o", "figure.pdf", "--threshold", "0.3")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    again = adaptnet("plot", stored, "-o", "figure.pdf")
    assert again.exit_code == 1
    assert "--overwrite" in again.output
    assert adaptnet("plot", stored, "-o", "figure.pdf", "--overwrite").exit_code == 0


def test_list_names_scenarios_and_parameters(adaptnet):
    out = adaptnet("list").output
    for text in ("switching:", "natural-images:", "block_length = 120000", "patch_size = 3"):
        assert text in out


def test_a_reader_that_has_gone_is_no_error():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "from scenarios.cli import main; main(['list'])"]
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert ended.stderr == ""


def test_divergence_is_saved_said_and_in_the_exit_code(adaptnet):
    done = adaptnet("run", "switching", *SMALL, "--set", "learning_rate=0.9")
    assert done.exit_code == DIVERGED
    assert "warning: circuit 'direct', replicate 0 diverged at sample" in done.output
    assert "not reached" in done.output
    assert (an.load("switching.nc")["diverged_sample"].sel(circuit="direct") >= 0).all()
    assert "diverged: direct, replicate 0" in adaptnet("info", "switching.nc").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "swiching"], "did you mean 'switching'?"),
        (["run", "switching", "--set", "blok_length=3"], "did you mean 'block_length'?"),
        (["run", "switching", "--set", "block_length"], "must be given as name=value"),
        (["run", "switching", "--set", "block_length=3.5"], "block_length must be of type int"),
        (["run", "switching", "--set", "block_length=many"], "block_length must be of type int"),
        (["run", "switching", "--set", "block_length=-5"], "block_length must be greater than 0"),
        (["run", "switching", "--set", "learning_rate=nan"], "learning_rate must be finite"),
        (["run", "switching", "--set", "learning_rate=0"], "learning_rate must be greater than 0"),
        (["run", "switching", "--set", "n_interneurons=2"], "n_interneurons must be at least"),
        (["run", "switching", "--replicates", "0"], "--replicates must be at least 1"),
        (["run", "switching", "--seed", "-3"], "rng must not be negative"),
        (["run", "switching", "-o", "run.png"], "--output must end in .nc"),
        (["run", "switching", "-o", "no/folder/run.nc"], "does not exist; make it first"),
        (["run", "missing.toml"], "missing.toml"),
        (["run", "missing.nc"], "there is no file missing.nc"),
        (["info", "missing.nc"], "there is no file missing.nc"),
        (["readapt", "notes.txt"], "not a netCDF file"),
        (["run", "natural-images", "--set", "pictures=grass"], "at least two"),
        (["run", "natural-images", "--set", "pictures=grass,hay"], "there is no picture file hay"),
        (["run", "natural-images", "--set", "patch_size=1000"], "patch_size must be at most"),
    ],
)
def test_wrong_input_gets_a_sentence(adaptnet, tmp_path, arguments, message):
    (tmp_path / "notes.txt").write_text("not a run")
    done = adaptnet(*arguments)
    assert done.exit_code == 1, done.output
    assert message in done.output
    assert done.output.startswith("Error: ")
    assert "Traceback" not in done.output
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenario = ", "is not a TOML file"),
        ("replicates = 2", "must name a scenario"),
        ('scenario = "swich"', "did you mean 'switching'?"),
        ('scenario = "switching"\nreplicate = 2', "did you mean 'replicates'?"),
        ('scenario = "switching"\nseed = "x"', "seed must be of type int"),
        ('scenario = "switching"\n[parameters]\nn_neuron = 2', "did you mean 'n_neurons'?"),
        (
            'scenario = "switching"\n[parameters]\nn_neurons = "two"',
            "n_neurons must be of type int",
        ),
    ],
)
def test_wrong_toml_gets_a_sentence(adaptnet, tmp_path, text, message):
    (tmp_path / "mine.toml").write_text(text)
    done = adaptnet("run", "mine.toml")
    assert done.exit_code == 1
    assert message in done.output


def test_an_existing_file_is_kept(adaptnet, tmp_path):
    (tmp_path / "switching.png").write_text("precious")
    done = adaptnet("run", "switching", *SMALL)
    assert done.exit_code == 1
    assert "would be lost" in done.output
    assert not (tmp_path / "switching.nc").exists()
    assert (tmp_path / "switching.png").read_text() == "precious"
    assert adaptnet("run", "switching", *SMALL, "--overwrite").exit_code == 0


def test_bugs_keep_their_traceback_on_request(adaptnet):
    done = adaptnet("--debug", "run", "swiching")
    assert isinstance(done.exception, ValueError)


def test_more_is_recorded_on_request(adaptnet, tmp_path):
    done = adaptnet("run", "switching", *SMALL, "--record", "effective_weights, covariance")
    assert done.exit_code == 0, done.output
    run = an.load("switching.nc")
    assert {"whitening_error", "effective_weights", "covariance"} <= set(run.data_vars)
    for kind in ("matrices", "spectrum", "survival", "aligned"):
        drawn = adaptnet("plot", "switching.nc", "--kind", kind)
        assert drawn.exit_code == 0, drawn.output
        assert (tmp_path / f"switching-{kind}.png").exists()
    refused = adaptnet("run", "initialization", "--preview", "--record", "covariance")
    assert refused.exit_code == 1
    assert "--record needs a scenario of one simulation" in refused.output


def test_pictures_take_free_names(adaptnet, stored, tmp_path):
    shutil.copy(stored, "run.nc")
    for name in ("run.png", "run-2.png", "run-3.png"):
        assert adaptnet("plot", "run.nc").output == f"wrote {name}\n"
    assert adaptnet("plot", "run.nc", "--overwrite").output == "wrote run.png\n"
    assert adaptnet("plot", "run.nc", "--kind", "survival").output == "wrote run-survival.png\n"


def test_pictures_of_some_circuits_at_other_resolutions(adaptnet, stored, tmp_path):
    for dpi in (60, 120):
        done = adaptnet("plot", stored, "-o", f"{dpi}.png", "--circuit", "direct", "--dpi", dpi)
        assert done.exit_code == 0, done.output
    pictures = [(tmp_path / f"{dpi}.png").read_bytes() for dpi in (60, 120)]
    small, large = (int.from_bytes(picture[16:20], "big") for picture in pictures)  # widths
    assert large == pytest.approx(2 * small, rel=0.01)
    for arguments, message in (
        (["--circuit", "direkt"], "did you mean 'direct'?"),
        (["--change", "1"], "--change needs --kind matrices"),
    ):
        refused = adaptnet("plot", stored, "-o", "other.png", *arguments)
        assert refused.exit_code == 1
        assert message in refused.output


def test_times_below_for_several_records_with_intervals(adaptnet, stored):
    lines = adaptnet("readapt", stored, "--hold", "5", "--intervals").output.splitlines()
    assert lines[0] == "samples until the whitening error is below 0.5 for 5 records in a row"
    assert lines[1].endswith("95 % interval")
    times = an.readaptation_times(an.load(stored), 0.5, hold=5)
    found = times.adaptnet.summary().sel(circuit="direct").isel(change=0)
    cells = lines[4].split()
    assert cells[:2] == ["direct", f"{float(found['median']):.0f}"]
    assert cells[-3] == f"{float(found['median_low']):.0f}"


def test_a_wide_table_has_the_words_of_its_header_below_each_other():
    rows = [["a circuit of a long name" + 26 * "e", "1.5", "2"]]
    lines = text_table("title", ["circuit", "synaptic_time", "standard_error"], rows).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["synaptic", "standard"],
        ["circuit", "time", "error"],
    ]
    assert lines[1].index("synaptic") == lines[2].index("time") == lines[4].index("1.5")
    assert max(map(len, lines)) == len(lines[3]) <= 80


def test_other_measures_are_printed(adaptnet, stored):
    done = adaptnet("readapt", stored, "--measure", "excess_area")
    assert done.exit_code == 0, done.output
    area = an.load(stored).adaptnet.excess_area()["area"].median("replicate")
    line = next(x for x in done.output.splitlines() if x.startswith("  direct "))
    assert line.split()[1] == f"{float(area.sel(circuit='direct')[0]):.4g}"
    wrong = adaptnet("readapt", stored, "--measure", "exces_area")
    assert wrong.exit_code == 1
    assert "did you mean 'excess_area'?" in wrong.output


def test_a_run_of_which_most_times_are_censored_says_what_to_do(adaptnet):
    slow = adaptnet("run", "switching", *SMALL, "--set", "learning_rate=1e-5", "-o", "slow.nc")
    assert slow.exit_code == 0, slow.output
    assert "simulate longer segments" in " ".join(slow.output.split())
    usual = adaptnet("run", "switching", *SMALL, "-o", "usual.nc")
    assert "note:" not in usual.output


def test_merged_runs_are_saved_and_measured_but_cannot_be_verified(adaptnet, stored, tmp_path):
    run = an.load(stored)
    an.save(run.isel(replicate=[0, 1, 0, 1]), tmp_path / "merged.nc")
    assert adaptnet("readapt", tmp_path / "merged.nc").exit_code == 0
    done = adaptnet("verify", tmp_path / "merged.nc")
    assert done.exit_code == 1
    assert "or runs were merged" in done.output


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "drifting.nc"
    kind = scenarios.find("drifting")
    record = ["whitening_error", "effective_weights", "covariance"]
    an.save(kind.from_values(kind.preview).run(n_replicates=2, rng=0, record=record), path)
    return path


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_has_a_table(adaptnet, drifting, measure):
    done = adaptnet("readapt", drifting, "--measure", measure)
    assert done.exit_code == 0, done.output
    title, _, rule, *rows = done.output.splitlines()
    assert measure in title or measure == "first_passage"
    assert set(rule) == {"-"}
    assert any(row.split()[0] == "direct" and row.split()[1][0].isdigit() for row in rows)


def test_list_describes_one_scenario(adaptnet):
    out = adaptnet("list", "contrast").output
    assert "High and low contrast alternate." in out
    assert "n_blocks = 4" in out
    assert "patch_size" not in out
    assert "did you mean 'contrast'?" in adaptnet("list", "contrasts").output


def test_a_toml_file_may_begin_with_a_byte_order_mark(adaptnet, tmp_path):
    text = 'scenario = "switching"\nreplicates = 1\n[parameters]\nblock_length = 50\n'
    (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert adaptnet("run", "marked.toml").exit_code == 0


def test_it_runs_as_a_module(tmp_path):
    command = [sys.executable, "-m", "adaptnet", "list"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "switching: " in done.stdout
    (tmp_path / "environments.py").write_text("")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{tmp_path / 'environments.py'} hides the package 'environments'" in done.stderr


def test_imports_are_not_hidden_by_folders_of_the_same_name(tmp_path):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "__init__.py").write_text("")
    (tmp_path / "mine.py").write_text("")
    code = "from scenarios.cli import main; main(['--import', 'mine', 'list'])"
    command = [sys.executable, "-c", code.replace("from", "import sys; sys.path.remove(''); from")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
