"""Every scenario's figure, found by inspection: texts whole and apart, in both styles."""

import pytest

import scenarios
from adaptnet import plotting
from adaptnet.plotting import STYLES
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


@pytest.mark.parametrize("name", slow_but(["readaptation-map", "switching"], scenarios.names()))
def test_previews_are_drawn_whole(name):
    kind = scenarios.find(name)
    scenario = kind.from_values(kind.preview)
    dataset = scenario.run(n_replicates=2)
    assert faults_by_style(scenario, dataset) == {style: [] for style in STYLES}
    figure = scenario.plot(dataset)
    with plotting.style("paper"):
        assert figure.get_figwidth() == scenario.plot(dataset).get_figwidth()


@pytest.mark.slow
@pytest.mark.parametrize("name", scenarios.names())
def test_defaults_are_drawn_whole(name):
    scenario = scenarios.find(name)()
    dataset = scenario.run(n_replicates=2)
    assert faults_by_style(scenario, dataset) == {style: [] for style in STYLES}
