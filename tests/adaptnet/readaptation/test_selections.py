"""What xarray's own selections leave is still a run, or times."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import adaptnet as an
from adaptnet import plotting
from adaptnet.readaptation import fractional_recovery, paired_bootstrap, summary, survival_curves
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


def test_one_change_of_a_run_is_none(run):
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
    of = summary(recovered).squeeze()
    assert of["n"].item() == 1
    assert of["median"].item() == 20
    none = recovered.isel(replicate=[0, 2, 3])
    of = summary(none).squeeze()
    assert of["n"].item() == 0
    assert np.isnan(of["median"].item())
    assert (survival_curves(none)["at_risk"] == 0).all()


def test_panels_are_drawn_where_they_are_told(run):
    times = an.readaptation_times(run, 0.5)
    given = Figure().subplots(1, 2)
    for draw in (plotting.plot_survival, plotting.plot_transition_matrix):
        figure, axes = draw(times, axes=given)
        assert figure is given[0].figure
        assert list(axes) == list(given)
        with pytest.raises(ValueError, match="axes must hold one for each of 2 panels"):
            draw(times, axes=given[:1])
    grid = Figure().subplots(2, 4)
    assert plotting.plot_matrices(run, axes=grid)[0] is grid[0, 0].figure
    with pytest.raises(ValueError, match="axes must be an array of 2 x 4"):
        plotting.plot_matrices(run, axes=given)
