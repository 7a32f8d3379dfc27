"""The scenarios that set theory beside simulation: what they claim, and their files."""

import numpy as np
import pytest
from click.testing import CliRunner

import adaptnet as an
import scenarios
from adaptnet import theory
from adaptnet.files.validation import validate
from scenarios.catalogue.initialization import Initialization
from scenarios.catalogue.matched_noise import MatchedNoise
from scenarios.catalogue.readaptation_map import ReadaptationMap
from scenarios.cli import main
from tests.marks import slow_but

TABLES = ["initialization", "matched-noise", "readaptation-map"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a file of a preview of each scenario that makes a table."""
    folder = tmp_path_factory.mktemp("tables")
    for name in TABLES:
        kind = scenarios.find(name)
        scenario = kind.from_values(kind.preview)
        an.save(scenario.run(n_replicates=2, rng=3), folder / f"{name}.nc")
    return folder


def command(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize("name", slow_but(["matched-noise"], TABLES))
def test_tables_are_kept_described_and_drawn(files, name):
    path = files / f"{name}.nc"
    dataset = an.load(path)
    assert dataset.attrs["kind"] == "table"
    assert all(v.attrs["long_name"] for v in dataset.variables.values())
    shown = command("info", path)
    assert shown.exit_code == 0, shown.output
    assert dataset.attrs["title"] in shown.output
    drawn = command("plot", path, "-o", files / f"{name}.png", "--overwrite")
    assert drawn.exit_code == 0, drawn.output


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_tables_are_run_again_from_their_file(files, name):
    again = files / f"{name}-again.nc"
    done = command("run", files / f"{name}.nc", "-o", again, "--overwrite")
    assert done.exit_code == 0, done.output
    first, second = an.load(files / f"{name}.nc"), an.load(again)
    assert first.equals(second)
    assert first.attrs["scenario_parameters"] == second.attrs["scenario_parameters"]


@pytest.mark.parametrize("name", TABLES)
def test_what_a_table_cannot_do_is_said(files, name):
    refused = command("readapt", files / f"{name}.nc")
    assert refused.exit_code == 1
    assert "is a table of results" in refused.output
    refused = command("plot", files / f"{name}.nc", "--threshold", "0.2", "-o", files / "other.png")
    assert refused.exit_code == 1
    assert "--set threshold=0.2" in refused.output


def test_a_table_with_an_undescribed_variable_is_refused(files):
    dataset = an.load(files / "initialization.nc")
    del dataset["flow"].attrs["long_name"]
    with pytest.raises(ValueError, match="flow has no long_name"):
        validate(dataset)


def test_flows_meet_the_closed_form_in_the_initialization_scenario():
    scenario = Initialization(decades=4, n_scales=4, n_samples=1000, learning_rate=1e-3)
    dataset = scenario.run(n_replicates=1)
    s = scenario._targets
    for name in ("direct", "interneuron"):
        flows = dataset["flow"].sel(circuit=name, eigenbasis="spectral").values
        modes = theory.law_of(name).mode_time(s, dataset["scale"].values[:, None] * s, 0.1)
        np.testing.assert_allclose(flows, modes.max(axis=1), rtol=1e-8)


def test_coefficients_are_printed_if_there_are_scales_to_fit():
    preview = Initialization.from_values(Initialization.preview)
    lines = preview.report(preview.run(n_replicates=1, rng=0)).splitlines()
    assert len(lines) == 3 + 8
    few = Initialization(decades=1, n_scales=3, n_samples=1000, learning_rate=1e-3)
    assert "need at least two scales from 10 on" in few.report(few.run(n_replicates=1))


def slopes(report):
    """Return (source, circuit, fitted) from the lines of an initialization report."""
    return [(line.split()[1], line.split()[2], float(line.split()[4])) for line in report]


@pytest.mark.slow
def test_default_slopes_are_those_of_theory():
    scenario = Initialization()
    lines = scenario.report(scenario.run(rng=0)).splitlines()[3:]
    assert len(lines) == 8
    for _, circuit, fitted in slopes(lines):
        assert fitted == pytest.approx({"direct": 1.0, "interneuron": 0.5}[circuit], rel=0.02)


def test_the_map_has_a_region_for_each_circuit():
    scenario = ReadaptationMap(n_theory=7, n_simulated=1)
    dataset = scenario.run(n_replicates=1)
    times = dataset["theory"]
    ratio = (times.sel(circuit="direct") / times.sel(circuit="interneuron")).values
    assert np.isnan(np.diag(ratio)).all()  # no change, nothing to do
    assert ratio[1, 0] < 1 < ratio[5, 6]
    assert np.isnan(dataset["simulated"]).all()  # the one scale simulated is both old and new


def test_the_map_simulates_what_theory_predicts():
    scenario = ReadaptationMap(lowest=0.5, highest=2.0, n_theory=2, n_simulated=2)
    dataset = scenario.run(n_replicates=6, rng=0)
    theirs = dataset["theory_at_points"].values
    ours = dataset["simulated"].median("replicate").values
    off_diagonal = ~np.eye(2, dtype=bool)
    # Floors are a quarter of the threshold or less: passages are early or late by about as much
    # in the error, e^-4t, that is by 0.25 / 4 of a unit of time, and by 1 / sqrt(6) of it here.
    np.testing.assert_allclose(ours[:, off_diagonal], theirs[:, off_diagonal], atol=0.06, rtol=0.03)


def test_the_map_at_equal_floors():
    scenario = ReadaptationMap(lowest=0.5, highest=2.0, n_theory=3, n_simulated=2)
    dataset = scenario.run(n_replicates=6, rng=0)
    # The floors of either circuit, in the context entered, at the rates the table gives.
    for new, ratio in zip(dataset["new"].values, dataset["matched_rate"].values, strict=True):
        entered = scenario._contexts(1.0, new)[1]
        direct = theory.noise_floor("direct", entered, 1e-4).frobenius_error
        matched = theory.noise_floor("interneuron", entered, 1e-4 * ratio).frobenius_error
        assert matched == pytest.approx(direct)
    times = dataset["theory_at_points"]
    direct, interneuron = times.sel(circuit="direct"), times.sel(circuit="interneuron")
    expected = direct / (interneuron / dataset["matched_rate_at_points"])
    simulated = dataset["simulated_floors"].median("replicate")
    ratio = simulated.sel(circuit="direct") / simulated.sel(circuit="interneuron")
    off_diagonal = ~np.eye(2, dtype=bool)
    # As above: early by 0.06 or less, of 1.5 to 2.5 synaptic times, in each of the two.
    np.testing.assert_allclose(ratio.values[off_diagonal], expected.values[off_diagonal], rtol=0.06)
    assert (expected.values[off_diagonal] > 1).all()


@pytest.mark.parametrize("lowest", [0.01, 0.1, 1.0])
def test_the_map_says_who_is_faster_by_the_sign_alone(lowest):
    scenario = ReadaptationMap(lowest=lowest, highest=40 * lowest, n_theory=7, n_simulated=1)
    figure = scenario.plot(scenario.run(n_replicates=1))
    maps, bar = figure.axes[:2], figure.axes[-1]
    assert [ax.get_title() for ax in maps] == ["equal learning rates", "equal noise floors"]
    assert not any(ax.texts for ax in maps)
    low, high = bar.get_ylim()
    assert low * high == pytest.approx(1.0)  # so that the colour of 1 is the neutral one
    assert (bar.get_title(), bar.get_xlabel()) == ("interneurons\nfaster", "direct\nfaster")


@pytest.mark.parametrize("change", ["rotation", "contrast rise", "contrast fall"])
def test_floors_are_those_asked_for_in_the_context_entered(change):
    scenario = MatchedNoise(floor=0.2)
    _, entered = scenario.contexts(change, 10.0, 0)
    for circuit, rate in scenario.learning_rates(entered).items():
        assert theory.noise_floor(circuit, entered, rate).frobenius_error == pytest.approx(0.2)


@pytest.mark.slow
def test_ratios_at_equal_floors_by_theory():
    scenario = MatchedNoise(n_simulated=0, conditions=(10.0,))
    predicted = scenario.run(n_replicates=1)["predicted"].sel(condition=10)
    ratio = predicted.sel(circuit="direct") / predicted.sel(circuit="interneuron")
    # Rises and falls from the closed form at the slowest mode, and the ratio of rates.
    s = np.sqrt(np.geomspace(1, 10, 5) / np.geomspace(1, 10, 5).mean())
    for change, scale, start in (("contrast rise", 10.0, 0.1), ("contrast fall", 1.0, 10.0)):
        direct, interneuron = (
            theory.mode_law_of(name).mode_time(scale * s, start * scale * s, 0.1).max()
            for name in ("direct", "interneuron")
        )
        n, total, inverse = 5, scale * s.sum(), (1 / (scale * s)).sum()
        rates = (n + 1) * inverse / (n**2 + 2 * n + total * inverse)
        found = ratio.sel(change=change)
        np.testing.assert_allclose(found, direct / interneuron * rates, rtol=1e-6)
    assert float(ratio.sel(change="contrast rise")[0]) == pytest.approx(1.38, abs=0.005)
    rotation = ratio.sel(change="rotation")
    # The first of 20 pairs of eigenbases is the least favourable to interneurons.
    assert float(rotation[0]) == float(rotation.min()) == pytest.approx(0.94, abs=0.005)
    assert float(rotation.median()) == pytest.approx(1.06, abs=0.01)
    assert float(rotation.max()) == pytest.approx(1.25, abs=0.005)


def test_simulations_at_equal_floors():
    scenario = MatchedNoise(n_eigenbases=1, n_simulated=1, conditions=(10.0,), floor=0.04)
    dataset = scenario.run(n_replicates=6, rng=0).squeeze()
    medians = dataset["simulated"].median("replicate")
    # The floor of the whitening error is a third of the threshold: noise shifts the passage by
    # about as much in the error, e^-4t for interneurons, and that is a tenth of these times.
    np.testing.assert_allclose(
        medians.transpose(*dataset["predicted"].dims), dataset["predicted"], rtol=0.12
    )
    report = scenario.report(scenario.run(n_replicates=1, rng=0))
    assert report.splitlines()[1].split()[:4] == ["change", "condition", "equal", "rates"]


def test_the_matched_noise_figure_has_a_panel_for_each_change():
    scenario = MatchedNoise.from_values(MatchedNoise.preview)
    dataset = scenario.run(n_replicates=2, rng=0)
    figure = scenario.plot(dataset)
    assert [ax.get_title() for ax in figure.axes] == list(dataset["change"].values)
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "equal rates",
        "equal floors",
        "simulated",
    ]
    curves = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    times = dataset["predicted"].sel(change="rotation")
    ratio = times.sel(circuit="direct") / times.sel(circuit="interneuron")
    np.testing.assert_allclose(curves["equal floors"], ratio.median("eigenbases"))


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Initialization, {"threshold": 1.5}, "threshold must be below 1"),
        (ReadaptationMap, {"lowest": 2.0, "highest": 1.0}, "highest must be above lowest"),
        (MatchedNoise, {"floor": 30.0}, "floor must be lower"),
        (MatchedNoise, {"conditions": [1.0]}, "conditions must be greater than 1"),
        (MatchedNoise, {"n_simulated": 30}, "n_simulated must be at most n_eigenbases, 20"),
    ],
)
def test_bad_parameters_are_named(kind, values, message):
    with pytest.raises(ValueError, match=message):
        kind.from_values(values).run(n_replicates=1)
