"""Recorded responses, measured: against the truth of simulations, and closed forms."""

import itertools

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

import adaptnet as an
from adaptnet.metrics.sampling import sampling_floor
from environments import StationaryEnvironment, SwitchingEnvironment

PLAIN = {"centre": False, "scale": 1.0}


def white(n_trials=20, n_samples=3000, n=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n_trials, n_samples, n))


@pytest.mark.parametrize("n", [2, 10, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("window", [100, 1000])
def test_simulated_responses_agree_with_the_truth_within_the_floor(n, window):
    # | ||S - I|| - ||C - I|| | <= ||S - C|| <= ||C|| ||S' - I||, S' the moments of white outputs:
    # in the root mean square the last factor is the sampling floor.
    covariance = np.diag(np.geomspace(0.5, 2.0, n))
    weights = np.sqrt(covariance) * 1.05  # error 1 - 1.05^-2 = 0.093
    run = an.simulate(
        an.StaticCircuit(initial_weights=weights),
        StationaryEnvironment(covariance),
        4000,
        n_replicates=30,
        rng=n,
        record=["outputs"],
        record_every=1,
    )
    true, _ = an.whitening_errors(weights, covariance)
    assert true == pytest.approx(1 - 1.05**-2)
    outputs = run["outputs"].values[0, :, :-1]
    measured = an.measure_responses(
        outputs, [2000], window=window, record_every=window, **PLAIN
    ).isel(sample=slice(1, None))
    gaps = measured["whitening_error"].values[0] - true
    floor = measured["whitening_error_sampling_floor"].values[-1]
    typical = np.sqrt((gaps**2).mean())
    # 120 windows or more: their root mean square is known to a few percent.
    assert typical <= (1 - true) * floor * 1.1
    assert typical >= 0.2 * floor  # the floor is no wild overestimate


@pytest.mark.parametrize("pool_trials", [False, True])
def test_white_responses_are_at_the_floor(pool_trials):
    y = white(n_trials=50)
    data = an.measure_responses(
        y, [1500], window=150, record_every=150, pool_trials=pool_trials, n_resamples=20, **PLAIN
    ).isel(sample=slice(1, None))
    trials = 50 if pool_trials else 1
    for name in ("whitening_error", "frobenius_error"):
        expected = getattr(sampling_floor(3, [150 * trials]), name)[0]
        np.testing.assert_allclose(data[f"{name}_sampling_floor"], expected, rtol=1e-9)
        typical = np.sqrt((data[name].values ** 2).mean())
        # 20 independent windows if trials are pooled, 1000 otherwise.
        assert typical == pytest.approx(expected, rel=0.25 if pool_trials else 0.05)


def test_expanding_windows_begin_at_each_change():
    y = white(n_trials=1, n_samples=40)[0]
    data = an.measure_responses(y, [20], record_every=1, **PLAIN)
    errors = data["frobenius_error"].values[0, 0]
    assert np.isnan(errors[0])
    for sample, first in [(5, 0), (20, 0), (21, 20), (33, 20), (40, 20)]:
        moments = y[first:sample].T @ y[first:sample] / (sample - first)
        assert errors[sample] == pytest.approx(np.linalg.norm(moments - np.eye(3)), rel=1e-9)


def test_dimensions_are_taken_by_their_names():
    y = white(4, 100)
    labelled = xr.DataArray(y, dims=("trial", "time", "unit"))
    expected = an.measure_responses(y, [50])["whitening_error"]
    for order in itertools.permutations(labelled.dims):
        found = an.measure_responses(labelled.transpose(*order), [50])["whitening_error"]
        np.testing.assert_array_equal(found, expected)
    unknown = labelled.rename(trial="a", time="b", unit="c")
    np.testing.assert_array_equal(an.measure_responses(unknown, [50])["whitening_error"], expected)


@pytest.mark.parametrize("window", [None, 30])
def test_records_in_pieces_are_those_at_once(monkeypatch, window):
    y = white(4, 200)
    options = {"window": window, "pool_trials": True, "n_resamples": 5}
    whole = an.measure_responses(y, [70], **options)
    monkeypatch.setattr("adaptnet.readaptation.responses._PIECE", 500)
    pieces = an.measure_responses(y, [70], **options)
    for name in ("whitening_error", "whitening_error_low", "frobenius_error_high"):
        # Sums of the same products, in another order.
        np.testing.assert_allclose(pieces[name], whole[name], rtol=1e-10, equal_nan=True)


def test_units_and_means_do_not_matter():
    y = white(n_trials=4)
    plain = an.measure_responses(y, [1000], window=200)
    moved = an.measure_responses(1e-3 * y + [5.0, 0.0, -2.0], [1000], window=200)
    np.testing.assert_allclose(
        moved["whitening_error"], plain["whitening_error"], rtol=1e-8, equal_nan=True
    )


def test_the_interval_of_pooled_trials_covers_the_truth():
    # Outputs of variance 1.5 have an error of 0.5: 285 +- 4 of 300 intervals should hold it.
    covered, total = 0, 0
    for seed in range(30):
        y = np.sqrt(1.5) * white(n_trials=40, n_samples=1000, n=1, seed=seed)
        data = an.measure_responses(
            y, [500], window=100, record_every=100, pool_trials=True, rng=seed, **PLAIN
        ).isel(sample=slice(1, None))
        low, high = (data[f"whitening_error_{end}"].values.ravel() for end in ("low", "high"))
        covered += int(((low < 0.5) & (high > 0.5)).sum())
        total += low.size
    assert total == 300
    assert covered / total > 0.9


def test_readaptation_is_measured_as_that_of_a_simulation(tmp_path):
    environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=3000)
    run = an.simulate(
        an.DirectCircuit(learning_rate=2e-3), environment, 6000, n_replicates=60, rng=0,
        record=["whitening_error", "outputs"],
    )  # fmt: skip
    outputs = run["outputs"].values[0, :, :-1]
    data = an.measure_responses(
        outputs, [3000], window=60, pool_trials=True, record_every=10, n_resamples=5, **PLAIN
    )
    true = an.readaptation_times(run, 0.5).adaptnet.summary()["median"].item()
    measured = an.readaptation_times(data, 0.5)
    # The window's middle lies 30 samples before its end, and records are 10 samples apart.
    assert measured["samples"].item() == pytest.approx(true + 30, abs=40)
    an.save(data, tmp_path / "data.nc")
    assert an.load(tmp_path / "data.nc").identical(data)
    assert f"{measured['samples'].item():g}" in an.report(data, 0.5)
    figure, _ = an.plot_readaptation(data, 0.5)
    assert figure.axes


def test_responses_are_drawn_beside_a_simulation():
    environment = SwitchingEnvironment([np.eye(3), 4 * np.eye(3)], block_length=500)
    run = an.simulate(an.DirectCircuit(), environment, 1000, n_replicates=3, rng=0)
    data = an.measure_responses(
        white(n_samples=1000), [500], window=50, pool_trials=True, contexts=["dim", "bright"]
    )
    figure, ax = plt.subplots()
    an.plot_readaptation(run, ax=ax)
    an.plot_readaptation(data, ax=ax)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["direct", "threshold 0.1", "responses", "sampling floor"]
    assert [text.get_text() for text in ax.texts] == ["dim", "bright"]
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(
        lines["sampling floor"].get_ydata(), data["whitening_error_sampling_floor"]
    )
    band = ax.collections[-1].get_paths()[0].vertices
    limits = data[["whitening_error_low", "whitening_error_high"]].isel(sample=slice(1, None))
    assert band[:, 1].min() == limits["whitening_error_low"].min()
    assert band[:, 1].max() == limits["whitening_error_high"].max()
    plt.close(figure)


@pytest.mark.parametrize("window", [None, 40])
def test_the_jump_is_that_of_the_first_window_behind_the_change(window):
    # The record at the change is of outputs before it, at which nothing has jumped yet.
    y = white(n_trials=200, n_samples=2000)
    y[:, 1000:1500] *= 2.0
    data = an.measure_responses(y, [1000], window=window, pool_trials=True, n_resamples=2, **PLAIN)
    assert data["change_end"].item() == 1000 + (window or 1)
    half = an.readaptation.fractional_recovery(data, 0.5)
    assert bool(half["observed"].item())
    # A window of 40 is passed half by the fall. One that expands still holds what came before it.
    if window is None:
        assert 500 < half["samples"].item() < 1000
    else:
        assert half["samples"].item() == pytest.approx(520, abs=10)


def test_seconds_stand_along_the_samples():
    data = an.measure_responses(white(), [1000], sampling_rate=200.0, record_every=500)
    np.testing.assert_array_equal(data["time"], [0.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0])


def test_a_threshold_below_the_sampling_floor_is_warned_of():
    data = an.measure_responses(white(), [1000], window=50, **PLAIN)
    with pytest.warns(an.NoiseFloorWarning, match=r"sampling floor.*widen the window, or pool"):
        an.readaptation_times(data, 0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones(5), [2]), ValueError, r"\(trial, sample, neuron\), got shape \(5,\)"),
        ((np.full((5, 2), np.nan), [2]), ValueError, "finite, got nan in trial 0, sample 0"),
        (("text", [2]), TypeError, "array of real numbers"),
        ((np.ones((5, 2)) + 1j, [2]), TypeError, "array of real numbers"),
        ((np.ma.masked_less(np.arange(10).reshape(5, 2), 3), [2]), ValueError, "got 3 masked"),
        ((np.ones((5, 2)), [5]), ValueError, "ascending samples below 5"),
        ((np.ones((5, 2)), [3, 2]), ValueError, "ascending samples below 5"),
        ((np.ones((5, 2)), []), ValueError, "at least one"),
        ((np.ones((5, 2)), [2]), ValueError, "must vary before the first change"),
    ],
)
def test_bad_responses_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        an.measure_responses(*arguments)


def test_further_bad_arguments_are_refused():
    y = white(1, 50)
    with pytest.raises(ValueError, match="contexts must be 2"):
        an.measure_responses(y, [10], contexts=["one"])
    with pytest.raises(TypeError, match="contexts must be a sequence of names"):
        an.measure_responses(y, [10], contexts="ab")
    with pytest.raises(ValueError, match="window must be"):
        an.measure_responses(y, [10], window=0)
    with pytest.raises(ValueError, match="scale must be"):
        an.measure_responses(y, [10], scale=0.0)
