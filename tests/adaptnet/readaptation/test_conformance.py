"""Every measure, found in the registry, put through the same checks."""

import inspect

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet import readaptation
from adaptnet.readaptation import MEASURES, Outcome, measure, to_dataframe
from environments import StationaryEnvironment, SwitchingEnvironment
from tests.adaptnet.synthetic import run_of

pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")

every_measure = pytest.mark.parametrize("name", sorted(MEASURES))
# Tracking is over (circuit, replicate), and a drift needs no change.
every_measure_of_changes = pytest.mark.parametrize("name", sorted(MEASURES.keys() - {"tracking"}))


@pytest.fixture(scope="module")
def run():
    """Return a run in which nothing is special."""
    return an.simulate(
        {
            "direct": an.DirectCircuit(learning_rate=0.01),
            "interneuron": an.InterneuronCircuit(learning_rate=0.01, learning_rate_decay=1e-3),
            "static": an.StaticCircuit(),
        },
        SwitchingEnvironment([np.diag([1.0, 3.0]), 4 * np.eye(2)], block_length=300),
        900,
        n_replicates=3,
        rng=0,
        record_every=10,
        record=("whitening_error", "frobenius_error", "effective_weights", "covariance"),
    )


def with_a_diverged_circuit(run):
    """Return the run in which the first circuit of the second replicate died after a change."""
    lost = run.copy(deep=True)
    at = {"circuit": 0, "replicate": 1}
    for name in ("whitening_error", "frobenius_error", "effective_weights"):
        lost[name][{**at, "sample": lost["sample"] > 350}] = np.nan
    lost["diverged_sample"][at] = 351
    return lost


def test_every_function_of_a_run_is_a_measure_or_listed_here():
    others = {"aligned_curves", "peri_change_averages", "with_oracle", "measure"}
    others |= {"convergence_times", "with_start", "with_empirical_errors"}
    of_a_run = {
        name
        for name in readaptation.__all__
        if inspect.isfunction(getattr(readaptation, name))
        and "dataset" in inspect.signature(getattr(readaptation, name)).parameters
    }
    assert of_a_run - others == {function.__name__ for function in MEASURES.values()}


@every_measure
def test_results_are_described_and_no_nan_is_without_its_reason(name, run):
    results = measure(run, name)
    assert results["outcome"].attrs["flag_meanings"].split() == [o.label for o in Outcome]
    for key, variable in results.data_vars.items():
        assert variable.attrs["long_name"]
        assert {"circuit", "replicate"} <= set(variable.dims)
        if variable.dtype.kind == "f" and "synaptic" not in key:
            missing = np.isnan(variable) & (results["outcome"] == Outcome.REACHED)
            assert not missing.any(), key
    # Only the circuit that does not learn has no synaptic time.
    for key in (key for key in results if "synaptic" in str(key)):
        assert results[key].sel(circuit="static").isnull().all()
    assert MEASURES[name].__doc__
    xr.testing.assert_identical(MEASURES[name](dataset=run), results)


@every_measure
def test_a_circuit_that_diverged_is_said_to_and_changes_nothing_else(name, run):
    sound, lost = measure(run, name), measure(with_a_diverged_circuit(run), name)
    one = {"circuit": 0, "replicate": 1}
    died = lost["outcome"].isel(one)
    if "change" in died.dims:
        # It reached nothing after it had diverged; before, it may have.
        assert (died == Outcome.DIVERGED).values[1:].all()
    else:
        assert died == Outcome.DIVERGED
    elsewhere = np.ones((3, 3), bool)
    elsewhere[0, 1] = False
    kept = xr.DataArray(elsewhere, dims=("circuit", "replicate"))
    xr.testing.assert_identical(lost.where(kept), sound.where(kept))


@every_measure_of_changes
def test_a_run_without_a_change_says_so(name):
    with pytest.raises(ValueError, match="the run has no change of context"):
        measure(run_of(np.ones((1, 1, 50)), np.empty(0, np.int64)), name)
    simulated = an.simulate(an.DirectCircuit(), StationaryEnvironment(np.eye(2)), 100, rng=0)
    assert simulated["whitening_error_floor"].size == 0  # and its lowest and highest do not exist
    with pytest.raises(ValueError, match="the run has no change of context"):
        measure(simulated, name)


@every_measure
@pytest.mark.parametrize(
    "selection",
    [
        {"circuit": ["static", "direct"]},
        {"replicate": [2]},
        {"replicate": [2, 0]},
        {"circuit": ["interneuron"], "replicate": [1]},
    ],
    ids=str,
)
def test_a_measure_of_a_selection_is_the_selection_of_the_measure(name, selection, run):
    xr.testing.assert_identical(
        measure(run.sel(selection), name), measure(run, name).sel(selection)
    )


@every_measure
@pytest.mark.parametrize("selection", [{"circuit": "direct"}, {"replicate": 1}], ids=str)
def test_a_selection_of_one_keeps_its_dimension(name, selection, run):
    listed = {dim: [label] for dim, label in selection.items()}
    xr.testing.assert_identical(measure(run.sel(selection), name), measure(run, name).sel(listed))


@every_measure
def test_a_path_that_replicates_share_is_the_path_of_each(name, run):
    own = run.copy()
    for key in ("context", "change_sample", "context_left", "context_entered", "change_distance"):
        own[key] = run[key].expand_dims(replicate=run["replicate"]).copy()
    shared, each = measure(run, name), measure(own, name)
    for key in shared.data_vars:
        np.testing.assert_array_equal(shared[key], each[key])


@every_measure_of_changes
def test_a_change_that_a_replicate_lacks_is_absent(name):
    errors = np.exp(-np.arange(400) / 50) * np.ones((2, 2, 1)) + 0.01
    results = measure(run_of(errors, [[100, 250], [100, -1]]), name)
    assert (results["outcome"].values[:, 1, 1] == Outcome.ABSENT).all()
    assert (results["outcome"].values[:, 0, :] != Outcome.ABSENT).all()
    for variable in results.data_vars.values():
        if variable.dtype.kind == "f":
            assert np.isnan(variable.values[:, 1, 1]).all()


@every_measure
def test_a_run_that_was_saved_and_loaded_measures_the_same(name, run, tmp_path):
    an.save(run, tmp_path / "run.nc")
    loaded = an.load(tmp_path / "run.nc")
    xr.testing.assert_equal(measure(loaded, name), measure(run, name))


@every_measure
@pytest.mark.parametrize("wrong", [xr.Dataset(), xr.Dataset({"x": 1.0})], ids=["empty", "foreign"])
def test_what_is_not_a_run_is_refused(name, wrong):
    with pytest.raises(ValueError, match="is not a run of adaptnet"):
        measure(wrong, name)


def test_no_measure_goes_by_two_names_and_a_wrong_name_is_corrected(run):
    assert len(set(MEASURES.values())) == len(MEASURES)
    with pytest.raises(ValueError, match="did you mean 'noise_floors'"):
        measure(run, "noise_floor")


@every_measure
def test_a_dataframe_has_words_for_outcomes(name, run):
    results = measure(run, name)
    table = to_dataframe(results)
    codes = [Outcome(code).label for code in results["outcome"].values.ravel()]
    assert sorted(set(table["outcome"])) == sorted(set(codes))
    assert len(table) == results.to_dataframe().shape[0]


def test_outcomes_are_numbered_in_order_and_say_what_to_do():
    assert [outcome.value for outcome in Outcome] == list(range(len(Outcome)))
    assert len({outcome.label for outcome in Outcome}) == len(Outcome)
    for outcome in Outcome:
        assert Outcome(int(outcome)) is outcome
        assert " " not in outcome.label
        assert outcome.label.replace("_", " ") == outcome.sentence
    assert Outcome.DIVERGED.remedy
    assert not Outcome.REACHED.remedy
