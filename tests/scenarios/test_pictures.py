"""Every scenario's figure, found by inspection: texts whole and apart, in both styles."""

import itertools

import pytest

import scenarios
from adaptnet import plotting, readaptation_times
from adaptnet.plotting import PLOTS, STYLES
from scenarios.base import SimulationScenario
from tests.adaptnet.plotting.layout import faults
from tests.marks import slow_but

# Small runs are noisy; what is tested is how they are drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def faults_by_style(scenario, dataset):
    found = {}
    for style in STYLES:
        with plotting.style(style):
            found[style] = faults(scenario.plot(dataset))
    return found


def faults_by_kind(scenario, dataset):
    """Return the faults of all pictures that can be drawn of any run, by kind and style."""
    times = readaptation_times(dataset, scenario.threshold)
    found = {}
    for (kind, plot), style in itertools.product(PLOTS.items(), STYLES):
        options = {"threshold": scenario.threshold} if kind in ("readaptation", "aligned") else {}
        if kind != "ellipses":  # which writes a film
            with plotting.style(style):
                figure, _ = plot.draw(times if plot.takes == "times" else dataset, **options)
                found[kind, style] = faults(figure)
    return {picture: lines for picture, lines in found.items() if lines}


@pytest.mark.parametrize("name", slow_but(["readaptation-map", "switching"], scenarios.names()))
def test_previews_are_drawn_whole(name):
    kind = scenarios.find(name)
    scenario = kind.from_values(kind.preview)
    dataset = scenario.run(n_replicates=2)
    assert faults_by_style(scenario, dataset) == {style: [] for style in STYLES}
    figure = scenario.plot(dataset)
    with plotting.style("paper"):
        assert figure.get_figwidth() == scenario.plot(dataset).get_figwidth()


RACES = [name for name in scenarios.names() if issubclass(scenarios.find(name), SimulationScenario)]


@pytest.mark.slow
@pytest.mark.parametrize("name", RACES)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "default"])
def test_every_kind_of_picture_of_every_race_is_whole(name, preview):
    kind = scenarios.find(name)
    scenario = kind.from_values(kind.preview) if preview else kind(records=200)
    run = scenario.run(
        n_replicates=2, record=["whitening_error", "effective_weights", "covariance"]
    )
    assert faults_by_kind(scenario, run) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", scenarios.names())
def test_defaults_are_drawn_whole(name):
    scenario = scenarios.find(name)()
    dataset = scenario.run(n_replicates=2)
    assert faults_by_style(scenario, dataset) == {style: [] for style in STYLES}
