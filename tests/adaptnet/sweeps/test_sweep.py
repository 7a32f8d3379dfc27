"""Sweeps against single simulations, and against themselves in other ways."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import qmc

import adaptnet as an
from adaptnet.readaptation import Outcome
from adaptnet.sweeps import status
from environments import SwitchingEnvironment
from environments.schedules import HazardRate
from tests.adaptnet.sweeps import models

RATES = [0.0003, 0.0005, 0.002]
OVER = {"learning_rate": RATES, "contrast": [4.0, 9.0]}


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Return whether two sweeps are the same in all but the time they took."""
    return one.drop_vars("seconds").identical(
        other.drop_vars("seconds").assign_attrs(
            {name: one.attrs[name] for name in ("history", "date_created")}
        )
    )


@pytest.fixture(scope="module")
def whole() -> xr.Dataset:
    return an.sweep(models.step, OVER, n_replicates=3)


def test_every_point_is_the_simulation_with_its_parameters(whole: xr.Dataset) -> None:
    for rate in RATES[:2]:  # at the third, learning noise keeps the error above the threshold
        for contrast in OVER["contrast"]:
            circuits, environment, n_samples, *_ = models.step(rate, contrast)
            run = an.simulate(circuits, environment, n_samples, n_replicates=3, rng=0)
            times = an.readaptation_times(run)
            point = whole.sel(learning_rate=rate, contrast=contrast)
            for name in ("samples", "synaptic_time", "followed", "outcome", "change_distance"):
                np.testing.assert_array_equal(point[name].values, times[name].values, err_msg=name)


def test_results_are_labelled(whole: xr.Dataset) -> None:
    assert whole["samples"].dims == (
        "learning_rate", "contrast", "circuit", "replicate", "change")  # fmt: skip
    assert whole.attrs["kind"] == "sweep"
    assert json.loads(whole.attrs["sweep"])["swept"] == ["learning_rate", "contrast"]
    assert all("long_name" in variable.attrs for variable in whole.variables.values())
    assert (whole["status"] == "done").all()
    # Equal at all points: kept once.
    assert whole["change_sample"].dims == ("change",)
    assert whole["change_distance"].dims == ("learning_rate", "contrast", "change")


def test_a_selected_point_is_summarised_like_a_measure(whole: xr.Dataset) -> None:
    table = whole.sel(learning_rate=RATES[0], contrast=4.0).adaptnet.summary()
    circuits, environment, n_samples, *_ = models.step(RATES[0], 4.0)
    run = an.simulate(circuits, environment, n_samples, n_replicates=3, rng=0)
    expected = an.readaptation_times(run).adaptnet.summary()
    np.testing.assert_array_equal(table["median"].values, expected["median"].values)


def test_it_saves_and_loads(whole: xr.Dataset, tmp_path: Path) -> None:
    an.save(whole, tmp_path / "sweep.nc")
    assert an.load(tmp_path / "sweep.nc").identical(whole)


@pytest.mark.parametrize("executor", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_bits_do_not_depend_on_processes(whole: xr.Dataset, executor: int) -> None:
    assert same(whole, an.sweep(models.step, OVER, n_replicates=3, executor=executor))


def test_bits_do_not_depend_on_groups_of_replicates(whole: xr.Dataset) -> None:
    for size in (1, 2):
        again = an.sweep(models.step, OVER, n_replicates=3, replicates_per_task=size)
        assert same(whole, again)


def test_threads_of_an_executor_of_the_user(whole: xr.Dataset) -> None:
    with ThreadPoolExecutor(2) as threads:
        assert same(whole, an.sweep(models.step, OVER, n_replicates=3, executor=threads))


def test_random_paths_are_split_without_a_trace() -> None:
    # Each replicate changes at samples of its own, at which others must not be recorded.
    split = [
        an.sweep(_hazard, {"rate": [0.005, 0.01]}, n_replicates=5, replicates_per_task=size)
        for size in (5, 2)
    ]
    assert same(*split)
    fewer = an.sweep(_hazard, {"rate": [0.005, 0.01]}, n_replicates=3)
    more = split[0].isel(replicate=slice(0, 3))
    for change in fewer["change"].values:
        np.testing.assert_array_equal(
            fewer["samples"].sel(change=change), more["samples"].sel(change=change)
        )


def _hazard(rate: float) -> an.Simulation:
    environment = SwitchingEnvironment([np.eye(2), 9 * np.eye(2)], schedule=HazardRate(rate))
    return an.Simulation(an.DirectCircuit(learning_rate=0.005), environment, 500, record_every=5)


def test_points_have_equal_or_independent_samples() -> None:
    over = {"learning_rate": [0.001, 0.001 + 1e-15]}  # as good as the same point twice
    kept = {"keep": models.last_error, "n_replicates": 2}
    shared = an.sweep(models.step, over, **kept)["error"]
    own = an.sweep(models.step, over, independent=True, **kept)["error"]
    np.testing.assert_allclose(shared[0], shared[1], rtol=1e-9)
    assert (abs(own[0] - own[1]) > 1e-3).any()
    # The samples of a point do not depend on which others there are.
    alone = an.sweep(models.step, {"learning_rate": [0.001]}, independent=True, **kept)["error"]
    np.testing.assert_array_equal(alone[0], own[0])


def test_points_and_designs_lie_along_one_dimension() -> None:
    bounds = {"learning_rate": (1e-3, 1e-1, "log"), "contrast": (2, 9)}
    points = an.design(qmc.Sobol(2, rng=0), 4, bounds)
    by_list = an.sweep(models.step, points)
    by_table = an.sweep(models.step, pd.DataFrame(points))
    assert by_list["samples"].dims[0] == "point"
    assert by_list["learning_rate"].dims == ("point",)
    assert same(by_list, by_table)
    exponents = np.log10(by_list["learning_rate"].values)
    assert ((exponents >= -3) & (exponents <= -1)).all()
    assert len(set(np.floor(exponents * 2).tolist())) == 4  # a Sobol sample is even


def test_circuits_take_parameters_by_name_and_all_together() -> None:
    over = {"interneuron.n_interneurons": [2, 5], "initial_weights": [1.0, 3.0]}
    swept = an.sweep(models.step, over, keep=models.last_error)["error"]
    circuits, environment, n_samples, *_ = models.step()
    three = {
        "direct": an.DirectCircuit(learning_rate=0.001, initial_weights=3.0),
        "interneuron": an.InterneuronCircuit(
            n_interneurons=5, learning_rate=0.001, initial_weights=3.0
        ),
    }
    assert circuits.keys() == three.keys()
    run = an.simulate(three, environment, n_samples, rng=0)
    np.testing.assert_array_equal(swept.values[1, 1], run["whitening_error"].isel(sample=-1).values)


def test_what_points_lack_is_missing() -> None:
    swept = an.sweep(models.number_of_blocks, {"block_length": [100, 200]})
    assert swept.sizes["change"] == 3
    assert np.isfinite(swept["change_distance"].sel(block_length=100)).all()
    missing = swept.sel(block_length=200).isel(change=slice(1, None))
    assert np.isnan(missing["change_distance"]).all()
    assert (missing["outcome"] == Outcome.ABSENT).all()


def test_a_point_that_fails_does_not_stop_the_others() -> None:
    with pytest.warns(an.SweepWarning, match="of 3 points, 1 failed"):
        swept = an.sweep(models.step, {"learning_rate": RATES}, keep=_failing)
    assert swept["status"].values.tolist() == ["done", "failed", "done"]
    assert swept["message"].values.tolist() == ["", "RuntimeError: not this one", ""]
    assert np.isnan(swept["error"].sel(learning_rate=RATES[1])).all()
    assert swept["error"].sel(learning_rate=RATES[2]).notnull().all()


def _failing(run: xr.Dataset) -> xr.Dataset:
    if f"{RATES[1]:g}" in run.attrs["point"]:
        raise RuntimeError("not this one")
    return models.last_error(run)


def test_a_point_that_diverges_says_so() -> None:
    with pytest.warns(an.SweepWarning, match="1 diverged"):
        swept = an.sweep(models.step, {"learning_rate": [0.001, 0.9]}, keep=models.last_error)
    assert swept["status"].values.tolist() == ["done", "diverged"]
    assert "direct, replicate 0, at sample" in swept["message"].values[1]


def test_keeping_what_is_no_measure_is_not_split() -> None:
    kept = an.sweep(models.step, {"contrast": [4.0]}, keep=models.mean_error, n_replicates=4)
    assert kept["mean_error"].dims == ("contrast", "circuit")
    with pytest.raises(ValueError, match="function of the whole run"):
        an.sweep(
            models.step,
            {"contrast": [4.0]},
            keep=models.mean_error,
            n_replicates=4,
            replicates_per_task=2,
        )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((models.step, {"contrst": [1.0]}), ValueError, "did you mean 'contrast'"),
        ((models.step, {"learning_rate": [0.1, -1.0]}), ValueError, r"learning_rate.*point 1: "),
        ((models.step, {"learning_rate": [0.1, "much"]}), TypeError, r"point 1: learning_rate = "),
        ((models.step, {"direkt.learning_rate": [0.1]}), ValueError, "did you mean 'direct'"),
        ((models.step, {"direct.lerning_rate": [0.1]}), ValueError, "did you mean 'learning_rate'"),
        ((models.step, {}), ValueError, "at least one parameter"),
        ((models.step, {"contrast": []}), ValueError, "at least one value"),
        ((models.step, {"contrast": [1.0, 1.0]}), ValueError, "twice"),
        ((models.step, {"contrast": [None]}), TypeError, "numbers, texts, flags"),
        ((models.step, {"contrast": [np.nan]}), TypeError, "finite"),
        ((models.step, {"contrast": 4.0}), TypeError, "list of values"),
        ((models.step, [{"contrast": 4.0}, {"learning_rate": 4.0}]), ValueError, "same parameters"),
        ((models.step, "contrast"), TypeError, "over must map"),
        (
            (lambda contrast: 3, {"contrast": [1.0]}),
            TypeError,
            "must return an adaptnet.Simulation",
        ),
        ((3, {"contrast": [1.0]}), TypeError, "what must be"),
        (("swiching", {"contrast": [1.0]}), ValueError, "swiching"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    arguments: tuple[object, dict[str, list[float]]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        an.sweep(*arguments)


def test_further_bad_input() -> None:
    over = {"contrast": [4.0]}
    with pytest.raises(ValueError, match="did you mean 'first_passage'"):
        an.sweep(models.step, over, keep="first_pasage")
    with pytest.raises(TypeError, match="keep must be"):
        an.sweep(models.step, over, keep=3)
    with pytest.raises(TypeError, match=r"executor must be an executor of concurrent\.futures"):
        an.sweep(models.step, over, executor="two")
    with pytest.raises(TypeError, match="what cannot be sent to another process"):
        an.sweep(lambda contrast: models.step(contrast=contrast), over, executor=2)
    with pytest.raises(ValueError, match="share needs a path"):
        an.sweep(models.step, over, share=(1, 2))
    with pytest.raises(ValueError, match="third of 64"):
        an.sweep(models.step, over, share=(3, 2), path="nowhere.nc")
    with pytest.raises(ValueError, match="both swept and fixed"):
        an.sweep(models.step, over, fixed={"contrast": 3.0})


def test_no_warning_of_a_point_reaches_the_user() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        an.sweep(models.step, {"learning_rate": [0.001, 0.9]}, keep=models.last_error)
    assert [warning.category for warning in caught] == [an.SweepWarning]


def test_there_is_no_status_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no sweep"):
        status(tmp_path / "sweep.nc")
