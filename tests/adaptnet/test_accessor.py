"""Datasets have the measures and plots as methods."""

import inspect
import re

import pytest
import xarray as xr

from adaptnet import plotting
from adaptnet.accessor import functions_of_datasets
from adaptnet.readaptation import MEASURES, readaptation_times

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


def test_the_accessor_is_the_functions(pictured_run):
    assert pictured_run.adaptnet.readaptation_times(0.5).identical(
        readaptation_times(pictured_run, 0.5)
    )
    assert (
        pictured_run.adaptnet.measure("excess_area").area.sel(circuit="direct").sizes["change"] == 3
    )
    times = pictured_run.adaptnet.readaptation_times(0.5)
    assert times.adaptnet.summary().sizes == {"circuit": 2, "change": 3}
    assert list(times.to_dataframe().index.names) == ["circuit", "replicate", "change"]
    assert set(times.groupby("context").mean().context.values) == {
        "context_0",
        "context_1",
        "context_2",
    }
    assert "survival_curves" in dir(times.adaptnet)
    with pytest.raises(AttributeError, match="no attribute 'readapt'"):
        pictured_run.adaptnet.readapt()
    with pytest.raises(ValueError, match="not a run"):
        xr.Dataset().adaptnet.readaptation_times()


METHODS = {function.__name__: function for function in functions_of_datasets()}


def test_every_measure_and_plot_is_a_method():
    plots = [name for name in plotting.__all__ if name.startswith(("plot_", "animate_"))]
    expected = {*(function.__name__ for function in MEASURES.values()), *plots, "summary"}
    assert expected - METHODS.keys() == {"plot_environment"}  # of no dataset
    assert METHODS.keys() <= set(dir(xr.Dataset().adaptnet))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods_have_the_functions_signatures_and_documentation(name):
    method, function = getattr(xr.Dataset().adaptnet, name), METHODS[name]
    first, *rest = inspect.signature(function).parameters.values()
    assert list(inspect.signature(method).parameters.values()) == rest
    text, original = inspect.getdoc(method), inspect.getdoc(function)
    assert text.splitlines()[0] == original.splitlines()[0]
    assert f"\n{first.name} : " in original or "Parameters" not in original
    assert f"\n{first.name} : " not in text
    for parameter in rest:
        described = rf"(^|[, ]){parameter.name}(,[\w, ]*)? : "
        known = re.search(described, original, re.MULTILINE)
        assert bool(known) == bool(re.search(described, text, re.MULTILINE))


def test_methods_take_arguments_as_the_functions_do(pictured_run):
    _, ax = pictured_run.adaptnet.plot_readaptation(0.5, variable="whitening_error")
    assert ax.get_ylabel() == "whitening error"
    with pytest.raises(TypeError, match="unexpected keyword"):
        pictured_run.adaptnet.summary(threshold=1)
