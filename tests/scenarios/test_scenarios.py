"""Every scenario, found by name, put through the same checks."""

import dataclasses
import json

import pytest
from matplotlib.figure import Figure

import scenarios
from adaptnet._words import suggestion
from adaptnet.files.validation import validate
from adaptnet.readaptation import convergence_times
from scenarios.base import SimulationScenario
from scenarios.parameters import parsed

ALL = scenarios.names()
RACES = [name for name in ALL if issubclass(scenarios.find(name), SimulationScenario)]


def test_the_two_of_the_readme_are_there():
    assert {"switching", "natural-images"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_it_is_described(name):
    scenario = scenarios.find(name)
    assert scenario.name() == name
    assert scenario.title().endswith(".")
    assert all(field.metadata["meaning"] for field in dataclasses.fields(scenario))


@pytest.mark.parametrize("name", ALL)
def test_its_preview_runs_is_drawn_and_can_be_run_again(name):
    kind = scenarios.find(name)
    scenario = kind.from_values(kind.preview)
    run = validate(scenario.run(n_replicates=2, rng=0))
    assert isinstance(scenario.plot(run), Figure)
    assert run.attrs["scenario"] == name
    assert scenario.report(run)  # without a NoiseFloorWarning: warnings are errors here
    if name in RACES:
        with pytest.raises(ValueError, match="must have all its changes"):
            scenario.report(run.isel(change=0))
    again = kind.from_values(json.loads(run.attrs["scenario_parameters"]))
    assert again == scenario


@pytest.mark.slow
@pytest.mark.parametrize("name", RACES)
def test_its_default_threshold_lies_above_the_noise_floors(name):
    scenario = scenarios.find(name)()
    assert scenario.report(scenario.run(n_replicates=2))  # without a NoiseFloorWarning


@pytest.mark.parametrize("n_replicates", [1, 3])
def test_a_race_in_which_nothing_changes_tells_times_from_the_start(n_replicates):
    kind = scenarios.find("markov")
    values = {"length": 1000, "mean_duration": 1e6, "equal_floors": False}
    scenario = kind.from_values({**kind.preview, **values})
    run = scenario.run(n_replicates=n_replicates, rng=0)
    assert run.sizes["change"] == 0
    lines = scenario.report(run).splitlines()
    times = convergence_times(run, scenario.threshold)
    median = times.adaptnet.summary()["median"].sel(circuit="direct")
    assert lines[3] == "start -> basis_0 (at sample 0)"
    assert lines[4].split()[:2] == ["direct", f"{median.item():.0f}"]
    assert any("as fast as direct" in line for line in lines) == (n_replicates > 1)
    assert isinstance(scenario.plot(run), Figure)


@pytest.mark.parametrize("name", ALL)
def test_unknown_parameters_are_refused(name):
    with pytest.raises(ValueError, match="did you mean 'threshold'"):
        scenarios.find(name).from_values({"treshold": 1})


@pytest.mark.parametrize("name", ALL)
def test_parameters_are_typed(name):
    with pytest.raises(TypeError, match="threshold must be of type float"):
        scenarios.find(name).from_values({"threshold": "low"})
    with pytest.raises(ValueError, match="threshold must be greater than 0"):
        scenarios.find(name).from_values({"threshold": 0})


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5", int, 5),
        ("1e5", int, 100_000),
        (str(10**18 + 1), int, 10**18 + 1),
        ("-1", int, -1),
        ("2", float, 2.0),
        ("grass, brick", tuple[str, ...], ("grass", "brick")),
        ("True", bool, True),
        ("false", bool, False),
    ],
)
def test_texts_become_values(text, kind, value):
    got = parsed("x", text, kind)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(("text", "kind"), [("x", int), ("1.5", int), ("inf", int), ("yes", bool)])
def test_texts_of_another_kind_are_refused(text, kind):
    with pytest.raises(TypeError, match="x must be"):
        parsed("x", text, kind)


def test_suggestions_are_of_what_is_near():
    assert suggestion("zzz", ["alpha"]) == "known are alpha"
