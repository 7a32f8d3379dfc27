"""The user's data: every format the same samples, truth as NumPy has it, gaps refused."""

import numpy as np
import pytest
import xarray as xr

from adaptnet import DirectCircuit, simulate
from environments import RecordedEnvironment, from_parameters

N = 2600


@pytest.fixture(scope="module")
def data():
    mixed = np.random.default_rng(0).normal(5.0, 1.0, size=(N, 3))
    return mixed @ np.array([[1.0, 0.5, 0], [0, 1, 0], [0, 0.3, 2]])


def _write(data, folder, kind):
    """Return the arguments that read `data` in another format."""
    path = folder / f"recording.{kind.split('_')[0]}"
    if kind == "npy":
        np.save(path, data)
    elif kind == "npz":
        np.savez(path, rates=data, other=np.zeros(3))
        return {"data": path, "variable": "rates"}
    elif kind in ("nc", "nc_transposed"):
        array = xr.DataArray(data, dims=("time", "channel"), name="rates")
        (array.T if kind == "nc_transposed" else array).to_netcdf(path)
        return {"data": path, "sample_dim": "time"}
    elif kind == "csv":
        np.savetxt(path, data, delimiter=",", fmt="%.17g")
    else:
        np.savetxt(path, data, delimiter=";", fmt="%.17g", header="a;b;c", comments="")
        return {"data": path, "delimiter": ";"}
    return {"data": path}


@pytest.mark.parametrize("kind", ["npy", "npz", "nc", "nc_transposed", "csv", "csv_header"])
def test_every_format_gives_the_same_samples(data, tmp_path, kind):
    arguments = _write(data, tmp_path, kind)
    recorded = RecordedEnvironment(**arguments, centred=False)
    assert recorded.n_samples == N
    np.testing.assert_array_equal(recorded.sample(N), data)
    part = next(recorded.realize(np.random.SeedSequence(0)).blocks(2100, 80, 2020))
    np.testing.assert_array_equal(part, data[2020:2100])
    again = from_parameters(recorded.parameters())
    np.testing.assert_array_equal(again.sample(N), data)
    assert again.parameters()["sha256"] == RecordedEnvironment(data).parameters()["sha256"]


def test_segments_have_the_covariance_numpy_gives_them(data):
    recorded = RecordedEnvironment(data, changes=[700], contexts=["a", "b"])
    covariances = recorded.realize(np.random.SeedSequence(0)).covariances(
        np.array([0, 699, 700, N])
    )
    first, second = (np.cov(part.T, bias=True) for part in (data[:700], data[700:]))
    np.testing.assert_allclose(covariances, [first, first, second, second], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(recorded.sample(N)[:700].mean(axis=0), 0, atol=1e-12)


def test_uncentred_truth_is_the_second_moment_about_zero(data):
    recorded = RecordedEnvironment(data, centred=False)
    truth = recorded.realize(np.random.SeedSequence(0)).covariances(np.array([0]))[0]
    np.testing.assert_allclose(truth, data.T @ data / N, rtol=1e-12)


def test_large_means_cost_no_digits(data):
    """Variances of order one about a mean of 10^6: naive moments would lose twelve digits of 16."""
    truth = [
        RecordedEnvironment(data + shift)
        .realize(np.random.SeedSequence(0))
        .covariances(np.zeros(1, int))
        for shift in (0, 2.0**20)
    ]
    np.testing.assert_allclose(truth[1], truth[0], rtol=1e-7)  # eps of the data themselves is 1e-10


def test_window_moves_with_the_sample_and_stays_in_its_segment(data):
    recorded = RecordedEnvironment(data, truth="window", window=320, changes=[1000])
    truth = recorded.realize(np.random.SeedSequence(0)).covariances(
        np.array([0, 500, 999, 1000, N])
    )
    windows = [(0, 320), (350, 670), (680, 1000), (1000, 1320), (N - 320, N)]
    for covariance, (start, stop) in zip(truth, windows, strict=True):
        np.testing.assert_allclose(covariance, np.cov(data[start:stop].T, bias=True), rtol=1e-10)


def test_contexts_may_come_back(data):
    recorded = RecordedEnvironment(data, changes=[500, 900], contexts=["a", "b", "a"])
    realization = recorded.realize(np.random.SeedSequence(0))
    assert recorded.context_names == ("a", "b")
    assert realization.contexts(np.array([0, 500, 899, 900])).tolist() == [0, 1, 1, 0]
    assert realization.change_samples(800).tolist() == [500]


def test_a_run_on_a_recording(data):
    run = simulate(
        DirectCircuit(learning_rate=1e-3, initial_weights=2.0),
        RecordedEnvironment(data, changes=[1300]),
        N,
        record_every=100,
    )
    assert run.attrs["truth"] == "empirical"
    assert np.isfinite(run["whitening_error"]).all()
    assert run["change_sample"].values.tolist() == [1300]


def test_without_truth_there_are_no_covariances(data):
    recorded = RecordedEnvironment(data, truth="absent")
    assert recorded.truth == "absent"
    with pytest.raises(TypeError, match="without truth"):
        recorded.realize(np.random.SeedSequence(0)).covariances(np.array([0]))


def test_arrays_are_known_by_their_checksum_alone(data):
    with pytest.raises(ValueError, match="build the environment again from the array itself"):
        from_parameters(RecordedEnvironment(data).parameters())


def test_a_changed_file_is_noticed(data, tmp_path):
    path = tmp_path / "recording.npy"
    np.save(path, data)
    parameters = RecordedEnvironment(path).parameters()
    np.save(path, data + 1)
    with pytest.raises(ValueError, match="the recording has changed since"):
        from_parameters(parameters)


def test_rank_is_checked_by_segment(data):
    with pytest.raises(ValueError, match=r"segment 1 has 3 samples, too few .* join it"):
        RecordedEnvironment(data, changes=[100, 103])
    doubled = np.concatenate([data, data[:, :1]], axis=1)
    with pytest.raises(ValueError, match="the covariance of segment 0 must be positive definite"):
        RecordedEnvironment(doubled)
    RecordedEnvironment(doubled, truth="absent")


def test_gaps_are_refused(data, tmp_path):
    holed = data.copy()
    holed[2000, 1] = np.nan
    with pytest.raises(ValueError, match="got nan at sample 2000, channel 1; interpolate"):
        RecordedEnvironment(holed)
    time = np.arange(N, dtype=float)
    time[1500:] += 10
    array = xr.DataArray(data, dims=("time", "channel"), coords={"time": time})
    with pytest.raises(ValueError, match="a gap: time steps by 1, but by 11 from sample 1499"):
        RecordedEnvironment(array)
    path = tmp_path / "gap.csv"
    path.write_text("a,b\n" + "1.5,2.5\n" * 1100 + "1.0,\n" + "3.5,4.5\n")
    with pytest.raises(ValueError, match=r"line 1102 of gap.csv must hold 2 numbers"):
        RecordedEnvironment(path)
    path.write_text("1,2\n3,4,5\n2,1\n")
    with pytest.raises(ValueError, match=r"line 2 of gap.csv must hold 2 numbers"):
        RecordedEnvironment(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"changes": [900, 800]}, "changes must increase"),
        ({"changes": [N]}, "within the recording of 2600 samples"),
        ({"changes": [9], "contexts": ["a"]}, "contexts must be 2"),
        ({"changes": [900], "contexts": ["a", "a"]}, "contexts 0 and 1 must differ"),
        ({"truth": "exact"}, "truth must be one of segment, window, absent"),
        ({"truth": "window"}, "window must be given"),
        ({"window": 100}, "window must be given"),
        ({"truth": "window", "window": 3}, "window must be at least 4 samples"),
    ],
)
def test_bad_values_are_refused(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        RecordedEnvironment(data, **arguments)


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no recording"):
        RecordedEnvironment(tmp_path / "none.npy")
    (tmp_path / "data.txt").write_text("1 2")
    with pytest.raises(ValueError, match=r"of type .npy, .npz, .nc, .csv, got 'data.txt'"):
        RecordedEnvironment(tmp_path / "data.txt")
    np.savez(tmp_path / "two.npz", a=np.eye(2), b=np.eye(2))
    with pytest.raises(ValueError, match=r"variable must name one of a, b in two.npz, got None"):
        RecordedEnvironment(tmp_path / "two.npz")
    with pytest.raises(ValueError, match=r"the shape \(sample, channel\), got \(5,\)"):
        RecordedEnvironment(np.zeros(5))
    with pytest.raises(TypeError, match="must hold real numbers"):
        RecordedEnvironment(np.array([["a", "b"]]))


def test_a_run_longer_than_the_recording_is_refused(data):
    realization = RecordedEnvironment(data).realize(np.random.SeedSequence(0))
    with pytest.raises(ValueError, match="n_samples must be at most 2600"):
        realization.change_samples(N + 1)
    with pytest.raises(ValueError, match="the length of the recording, got 2601"):
        list(realization.blocks(N + 1, 500))
