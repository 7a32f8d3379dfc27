"""A measure of a selection, whichever is drawn, is the selection of the measure, or a refusal."""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st

import adaptnet as an
from adaptnet.readaptation import MEASURES, Outcome, measure
from environments import SwitchingEnvironment
from environments.schedules import HazardRate

pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")

CIRCUITS = {
    "direct": an.DirectCircuit(learning_rate=0.01),
    "interneuron": an.InterneuronCircuit(learning_rate=0.01, learning_rate_decay=1e-3),
    "static": an.StaticCircuit(),
}
SCHEDULES = {"shared": None, "random": HazardRate(0.01, shortest=60)}
MEASURED = sorted(MEASURES.keys() - {"tracking"})


@cache
def run(path):
    schedule = SCHEDULES[path] or {"block_length": 150}
    options = schedule if isinstance(schedule, dict) else {"schedule": schedule}
    contexts = [np.diag([1.0, 3.0]), 4 * np.eye(2), np.diag([3.0, 0.3])]
    return an.simulate(
        CIRCUITS,
        SwitchingEnvironment(contexts, **options),
        600,
        n_replicates=4,
        rng=2,
        record_every=10,
    )


@cache
def whole(path, name):
    return measure(run(path), name)


def subsets(labels):
    return st.lists(st.sampled_from(labels), min_size=1, unique=True)


@pytest.mark.parametrize("path", sorted(SCHEDULES))
@settings(max_examples=40, deadline=None)
@given(
    circuits=subsets(list(CIRCUITS)),
    replicates=subsets(list(range(4))),
    first=st.integers(0, 600),
    length=st.integers(0, 600),
    backwards=st.booleans(),
    name=st.sampled_from(MEASURED),
)
@example(
    circuits=["direct"],
    replicates=[0],
    first=451,  # the record at the change is at 450
    length=149,
    backwards=False,
    name="excess_area",
)
def test_any_selection(path, circuits, replicates, first, length, backwards, name):
    selection = {"circuit": circuits, "replicate": replicates}
    sample = run(path)["sample"].values
    kept = np.flatnonzero((sample >= first) & (sample <= first + length))
    part = run(path).sel(selection).isel(sample=kept[::-1] if backwards else kept)
    if not kept.size:
        with pytest.raises(ValueError, match="no records"):
            measure(part, name)
        return
    found, expected = measure(part, name), whole(path, name).sel(selection)
    missing = (found["outcome"] == Outcome.NOT_RECORDED) | (
        found["outcome"] == Outcome.NOTHING_BEFORE
    )
    for key in found.data_vars:
        if key == "followed" or key == "synaptic_followed":
            continue  # of a time that was reached: as far as the selection goes
        xr.testing.assert_equal(found[key].where(~missing), expected[key].where(~missing))
    # What lies wholly within the selection is not missing.
    starts = xr.DataArray(part["change_sample"])
    stops = starts.shift(change=-1, fill_value=601)
    stops = stops.where(stops >= 0, 601)
    within = (starts > first + 10) & (stops <= first + length)
    assert not (missing & within).any()


@pytest.mark.parametrize("path", sorted(SCHEDULES))
@settings(max_examples=25, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(MEASURED)))
def test_a_selection_of_changes_is_refused_unless_it_is_all_of_them(path, data, name):
    n = run(path).sizes["change"]
    kept = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    part = run(path).isel(change=kept)
    there = run(path)["change_sample"] >= 0
    if kept == list(range(n)) or bool(there.isel(change=kept).sum() == there.sum()):
        return  # all of them, or all but padding
    with pytest.raises(ValueError, match=r"must have all its changes|no change of context"):
        measure(part, name)


@settings(max_examples=25, deadline=None)
@given(split=st.integers(1, 3), order=st.permutations(range(4)), name=st.sampled_from(MEASURED))
def test_replicates_taken_apart_and_joined(split, order, name):
    parts = [
        run("shared").isel(replicate=order[:split]),
        run("shared").isel(replicate=order[split:]),
    ]
    joined = xr.concat(
        parts, "replicate", data_vars="all", coords="different", compat="equals", join="outer"
    )
    found, expected = measure(joined, name), whole("shared", name).isel(replicate=order)
    for key in found.data_vars:
        np.testing.assert_array_equal(found[key], expected[key])
