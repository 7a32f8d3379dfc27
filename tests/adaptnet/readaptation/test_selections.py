"""What xarray's own selections leave is still a run, or times."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import adaptnet as an
from adaptnet import plotting
from adaptnet.readaptation import (
    MEASURES,
    Outcome,
    fractional_recovery,
    measure,
    paired_bootstrap,
    summary,
    survival_curves,
)
from environments import SwitchingEnvironment
from tests.adaptnet.synthetic import run_of

pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


@pytest.fixture(scope="module")
def run():
    return an.simulate(
        {"direct": an.DirectCircuit(learning_rate=0.01), "static": an.StaticCircuit()},
        SwitchingEnvironment([np.diag([1.0, 3.0]), 4 * np.eye(2)], block_length=200),
        800,
        n_replicates=6,
        rng=0,
        record_every=10,
        record=("whitening_error", "effective_weights", "covariance"),
    )


def test_one_circuit_of_a_run_is_a_run(run):
    whole = an.readaptation_times(run, 0.5).sel(circuit=["direct"])
    xr.testing.assert_identical(run.sel(circuit="direct").adaptnet.readaptation_times(0.5), whole)
    _, ax = an.plot_readaptation(run.sel(circuit="direct"))
    assert ax.get_lines()[0].get_label() == "direct"


def test_one_replicate_of_a_run_is_a_run(run):
    one = run.sel(replicate=2)
    xr.testing.assert_identical(
        one.adaptnet.readaptation_times(0.5), an.readaptation_times(run, 0.5).sel(replicate=[2])
    )
    assert np.ravel(plotting.plot_spectrum(one)[1])[0].get_lines()


def test_one_change_of_a_run_is_not_a_run(run):
    with pytest.raises(ValueError, match=r"select the change from what comes out"):
        run.isel(change=0).adaptnet.readaptation_times()


@pytest.mark.parametrize(
    "selection", [{"circuit": "direct"}, {"replicate": 1}, {"change": 2}], ids=str
)
def test_what_is_selected_from_times_are_times(run, selection):
    times = an.readaptation_times(run, 0.5)
    listed = {dim: [value] for dim, value in selection.items()}
    xr.testing.assert_equal(summary(times.sel(selection)), summary(times.sel(listed)))
    plotting.plot_survival(times.sel(selection))
    plotting.plot_scaling(times.sel(selection))
    plotting.plot_transition_matrix(times.sel(selection))


def test_where_leaves_flags_that_are_flags(run):
    times = an.readaptation_times(run, 0.5)
    up = times.where(times["direction"] == "up", drop=True)
    xr.testing.assert_equal(
        summary(up)["median"], summary(times.sel(change=[0, 2]))["median"].astype(float)
    )
    assert paired_bootstrap(up).sizes == {"comparison": 1, "change": 2}


def test_where_nothing_was_to_be_recovered_there_is_no_time():
    flat = np.full((1, 4, 200), 0.3)
    flat[0, 1, 100:120] = 1.0
    recovered = fractional_recovery(run_of(flat, [100]))
    found = summary(recovered).squeeze()
    assert found["n"].item() == 1
    assert found["median"].item() == 20
    none = recovered.isel(replicate=[0, 2, 3])
    found = summary(none).squeeze()
    assert found["n"].item() == 0
    assert np.isnan(found["median"].item())
    assert (survival_curves(none)["at_risk"] == 0).all()


def test_panels_are_drawn_on_the_axes_passed(run):
    times = an.readaptation_times(run, 0.5)
    panels = Figure().subplots(1, 2)
    for draw in (plotting.plot_survival, plotting.plot_transition_matrix):
        figure, axes = draw(times, axes=panels)
        assert figure is panels[0].figure
        assert list(axes) == list(panels)
        with pytest.raises(ValueError, match="axes must hold one for each of 2 panels"):
            draw(times, axes=panels[:1])
    grid = Figure().subplots(2, 4)
    assert plotting.plot_matrices(run, axes=grid)[0] is grid[0, 0].figure
    with pytest.raises(ValueError, match="axes must be an array of 2 x 4"):
        plotting.plot_matrices(run, axes=panels)


MEASURED = sorted(MEASURES.keys() - {"tracking"})


@pytest.mark.parametrize("name", MEASURED)
def test_a_change_whose_records_are_cut_off_has_no_value(run, name):
    # The second of three segments, [400, 600), has lost its beginning; the first all its records.
    whole, part = measure(run, name), measure(run.sel(sample=slice(450, None)), name)
    cut, later = part.isel(change=[0, 1]), {"change": [2]}
    assert (cut["outcome"] == Outcome.NOT_RECORDED).all()
    assert all(v.isnull().all() for v in cut.data_vars.values() if v.dtype.kind == "f")
    xr.testing.assert_identical(part.isel(later), whole.isel(later))


@pytest.mark.parametrize("name", MEASURED)
def test_a_segment_whose_end_is_cut_off_says_so(run, name):
    whole, part = measure(run, name), measure(run.sel(sample=slice(None, 500)), name)
    xr.testing.assert_identical(part.isel(change=[0]), whole.isel(change=[0]))
    reached = part["outcome"] == Outcome.REACHED
    # What was reached before the cut is reached; nothing else is known.
    xr.testing.assert_equal(
        part["outcome"].where(~reached, Outcome.NOT_RECORDED).isel(change=[1, 2]),
        xr.full_like(part["outcome"], Outcome.NOT_RECORDED).isel(change=[1, 2]),
    )


def test_a_time_after_the_cut_is_censored_there(run):
    times = an.readaptation_times(run.sel(sample=slice(None, 250)), 0.01)
    assert (times.followed.isel(change=0) == 50).all()
    assert not times.observed.any()


def test_a_selection_that_begins_at_a_change_has_nothing_before(run):
    loss = measure(run.sel(sample=slice(200, None)), "maximum_loss").isel(change=0)
    assert (loss.outcome == Outcome.NOTHING_BEFORE).all()
    assert loss.loss.isnull().all()
    xr.testing.assert_equal(loss.peak, measure(run, "maximum_loss").peak.isel(change=0))


@pytest.mark.parametrize("name", sorted(MEASURES))
@pytest.mark.parametrize("order", [slice(None, None, -1), np.r_[40:81, 0:40]], ids=["back", "cut"])
def test_records_in_any_order_are_the_same_records(run, name, order):
    xr.testing.assert_identical(measure(run.isel(sample=order), name), measure(run, name))


@pytest.mark.parametrize("name", sorted(MEASURES))
@pytest.mark.parametrize("changes", [[0], [0, 1], [1, 2], [0, 2], [2, 1, 0], []], ids=str)
def test_a_run_that_lost_changes_is_refused(run, name, changes):
    with pytest.raises(ValueError, match="a run must have all its changes, in order"):
        measure(run.isel(change=changes), name)


@pytest.mark.parametrize("name", MEASURED)
def test_renamed_circuits_keep_their_synaptic_time(run, name):
    renamed = run.assign_coords(circuit=["x", "y"])
    whole, after = measure(run, name), measure(renamed, name)
    for key in whole.data_vars:
        np.testing.assert_allclose(whole[key], after[key], rtol=1e-12)


def joined(runs, dim):
    """Return runs joined as xarray does it by default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return xr.concat(runs, dim=dim)


@pytest.mark.parametrize("name", sorted(MEASURES))
@pytest.mark.parametrize("dim", ["circuit", "replicate"])
def test_runs_joined_are_a_run(run, name, dim, tmp_path):
    labels = run[dim].values
    halves = [run.sel({dim: labels[:1]}), run.sel({dim: labels[1:]})]
    # As two runs would: neither says what the other's circuits are.
    halves[1].attrs["circuits"] = json.dumps({"static": {}})
    together, whole = joined(halves, dim), measure(run, name)
    an.save(together, tmp_path / "joined.nc")
    for same in (together, an.load(tmp_path / "joined.nc")):
        found = measure(same, name)
        for key in whole.data_vars:
            np.testing.assert_allclose(found[key], whole[key], rtol=1e-12)
        # Runs joined along replicate may differ in their paths.
        xr.testing.assert_equal(found["circuit"], whole["circuit"])
        xr.testing.assert_equal(found["replicate"], whole["replicate"])


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_runs_along_a_new_dimension_are_refused_as_that(run, name, tmp_path):
    several = joined([run, run], "seed")
    with pytest.raises(ValueError, match=r"2 runs along 'seed'.*dataset\.isel\(seed=0\)"):
        measure(several, name)
    with pytest.raises(ValueError, match="2 runs along 'seed'"):
        an.save(several, tmp_path / "several.nc")
    xr.testing.assert_equal(measure(several.isel(seed=0), name), measure(run, name))
    xr.testing.assert_equal(measure(several.isel(seed=[0]), name), measure(run, name))


def test_what_is_not_one_run_is_refused_as_what_it_is(run, tmp_path):
    with pytest.raises(ValueError, match="any more: it lacks replicate, as a mean"):
        an.save(run.mean("replicate", keep_attrs=True), tmp_path / "mean.nc")
    twice = joined([run, run], "sample")
    with pytest.raises(ValueError, match="records of the same sample are there twice"):
        an.readaptation_times(twice)
    other = run.isel(sample=slice(0, None, 2))
    with pytest.raises(ValueError, match="recorded at different samples"):
        an.readaptation_times(joined([run, other], "replicate"))
    elsewhere = run.sel(circuit=["static"]).assign(change_sample=run["change_sample"] + 7)
    with pytest.raises(ValueError, match="change_sample differs along circuit"):
        an.readaptation_times(joined([run.sel(circuit=["direct"]), elsewhere], "circuit"))
    with pytest.raises(ValueError, match="no records"):
        an.readaptation_times(run.isel(sample=slice(0, 0)))


def test_paths_of_different_lengths_are_joined():
    errors = np.where(np.arange(300) % 100 < 20, 1.0, 0.01) * np.ones((2, 1, 1))
    two, one = run_of(errors, [100, 200]), run_of(errors, [100])
    one["change_sample"].values[:] = 100
    times = an.readaptation_times(joined([two, one], "replicate"))
    assert times["samples"].values[:, 0].tolist() == [[20, 20], [20, 20]]
    assert (times["outcome"].values[:, 1, 1] == Outcome.ABSENT).all()


@pytest.mark.parametrize("every", [2, 3, 7])
def test_thinned_records_are_a_coarser_run(every):
    since = np.arange(601) - 100
    errors = np.where(since < 0, 0.01, 0.01 + np.exp(-since / 90.0))[None, None]
    run = run_of(errors, [100])
    fine = an.readaptation_times(run, 0.2)
    coarse = an.readaptation_times(run.isel(sample=slice(0, None, every)), 0.2)
    assert fine.resolution.item() == 1
    assert coarse.resolution.item() == every
    assert 0 <= coarse.samples.item() - fine.samples.item() < every


def test_one_record_measures_nothing(run):
    times = an.readaptation_times(run.isel(sample=5))
    assert (times.outcome == Outcome.NOT_RECORDED).all()
