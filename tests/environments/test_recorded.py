"""The user's data: every format the same samples, truth as NumPy has it, gaps refused."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr

from adaptnet import DirectCircuit, simulate
from environments import RecordedEnvironment, from_parameters

N = 2600

# The recording here has a mean far from zero, and windows are short; both are tested below.
pytestmark = [
    pytest.mark.filterwarnings("ignore:means of a recording"),
    pytest.mark.filterwarnings("ignore::environments.SamplingFloorWarning"),
]


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
    played = recorded.sample(N)
    for covariance, (start, stop) in zip(truth, windows, strict=True):
        second = played[start:stop].T @ played[start:stop] / (stop - start)
        np.testing.assert_allclose(covariance, second, rtol=1e-10)


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
    with pytest.raises(ValueError, match="the recording has changed; find"):
        from_parameters(parameters)


def test_rank_is_checked_by_window(data):
    """A channel that repeats another for a while: its segment has full rank, a window has not."""
    still = data.copy()
    still[600:900, 1] = still[600:900, 0]
    recorded = RecordedEnvironment(still, truth="window", window=100, centred=False)
    realization = recorded.realize(np.random.SeedSequence(0))
    assert np.isfinite(realization.covariances(np.array([500]))).all()
    with pytest.raises(
        ValueError, match=r"samples 7\d\d to 8\d\d must be positive definite.*; widen the window"
    ):
        realization.covariances(np.array([750]))


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("truth", [{"truth": "segment"}, {"truth": "window", "window": 64}])
def test_truth_is_the_second_moment_of_what_is_played(data, truth, centred):
    """Taken again from the samples themselves, sample by sample, by a plain loop."""
    changes = [500, 530, 1700]
    recorded = RecordedEnvironment(data, changes=changes, centred=centred, **truth)
    realization = recorded.realize(np.random.SeedSequence(0))
    played = recorded.sample(N)
    edges = [0, *changes, N]
    asked = np.array([0, 1, 499, 500, 515, 529, 530, 1000, 1699, 1700, N - 1])
    for sample, covariance in zip(asked, realization.covariances(asked), strict=True):
        segment = np.searchsorted(edges, sample, side="right") - 1
        first, last = edges[segment], edges[segment + 1]
        if "window" in truth:  # 64 samples about the middle of each 4, inside the segment
            start = max(first, min(sample // 4 * 4 + 2 - 32, last - 64))
            first, last = start, min(start + 64, last)
        part = played[first:last]
        second = sum(np.outer(x, x) for x in part) / len(part)
        np.testing.assert_allclose(covariance, second, rtol=1e-9, atol=1e-9)


def test_whitened_by_its_truth_a_recording_is_white(data):
    """The truth of a segment is its own covariance: not within sampling error, but exactly."""
    recorded = RecordedEnvironment(data, changes=[1000])
    realization = recorded.realize(np.random.SeedSequence(0))
    for first, last in ((0, 1000), (1000, N)):
        covariance = realization.covariances(np.array([first]))[0]
        white = np.linalg.solve(np.linalg.cholesky(covariance), recorded.sample(N)[first:last].T)
        np.testing.assert_allclose(white @ white.T / (last - first), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("kind", ["npy", "npy_fortran", "nc", "csv"])
def test_long_files_are_read_a_piece_at_a_time(kind, tmp_path):
    """Peak memory stays far below the file's 4.8 MB, while all of it is checked and played."""
    n_samples = 200_000
    long = np.random.default_rng(0).normal(size=(n_samples, 3)).round(3)
    path = tmp_path / f"long.{kind.partition('_')[0]}"
    if kind.startswith("npy"):
        np.save(path, np.asfortranarray(long) if "fortran" in kind else long)
    elif kind == "nc":
        xr.DataArray(long, dims=("time", "channel"), name="rates").to_netcdf(path)
    else:
        np.savetxt(path, long, delimiter=",", fmt="%.3f")
    RecordedEnvironment(path)  # what is imported and kept by libraries does not count
    tracemalloc.start()
    recorded = RecordedEnvironment(path, centred=False)
    total = np.zeros(3)
    for block in recorded.realize(np.random.SeedSequence(0)).blocks(n_samples, 1000):
        total += block.sum(axis=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6e6
    np.testing.assert_allclose(total, long.sum(axis=0), atol=1e-8)


def test_rank_is_checked_by_segment(data):
    with pytest.raises(ValueError, match=r"segment 1 has 3 samples, too few .* join it"):
        RecordedEnvironment(data, changes=[100, 103])
    doubled = np.concatenate([data, data[:, :1]], axis=1)
    with pytest.raises(
        ValueError,
        match=r"of segment 0 must be positive definite.*; join it .* a channel that stands",
    ):
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
    with pytest.raises(
        ValueError, match="gap in a recording: time steps by 1, but by 11 from sample 14"
    ):
        RecordedEnvironment(array)
    path = tmp_path / "gap.csv"
    path.write_text("a,b\n" + "1.5,2.5\n" * 1100 + "1.0,\n" + "3.5,4.5\n")
    with pytest.raises(ValueError, match=r"line 1102 of gap.csv must hold 2 numbers"):
        RecordedEnvironment(path)
    path.write_text("1,2\n3,4,5\n2,1\n")
    with pytest.raises(ValueError, match=r"line 2 of gap.csv must hold 2 numbers"):
        RecordedEnvironment(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sample", [0, 1234, N - 1])
def test_what_is_not_finite_is_refused_wherever_it_stands(data, value, sample):
    holed = data.copy()
    holed[sample, 2] = value
    with pytest.raises(ValueError, match=f"got {value} at sample {sample}, channel 2"):
        RecordedEnvironment(holed)


def test_masked_and_unlabelled_gaps_are_refused(data, tmp_path):
    masked = np.ma.masked_array(data, mask=np.zeros_like(data, bool))
    np.testing.assert_array_equal(RecordedEnvironment(masked, centred=False).sample(N), data)
    masked[77, 0] = np.ma.masked
    with pytest.raises(ValueError, match="got nan at sample 77, channel 0"):
        RecordedEnvironment(masked)
    array = xr.DataArray(masked.filled(-999.0), dims=("time", "channel"), name="rates")
    array.to_netcdf(tmp_path / "filled.nc", encoding={"rates": {"_FillValue": -999.0}})
    with pytest.raises(ValueError, match="got nan at sample 77, channel 0"):
        RecordedEnvironment(tmp_path / "filled.nc")
    time = np.arange(N, dtype=float)
    time[40] = np.nan
    with pytest.raises(ValueError, match="a gap in a recording: time steps by 1"):
        RecordedEnvironment(xr.DataArray(data, dims=("time", "channel"), coords={"time": time}))


def test_first_lines_of_csv_files(tmp_path):
    """A line of names is skipped; a first row in which a number is missing is not names."""
    path = tmp_path / "data.CSV"
    rows = "1.0,2.0\r\n3.0,5.0\r\n4.0,1.0\r\n8.0,1.5\r\n\r\n"
    expected = [[1, 2], [3, 5], [4, 1], [8, 1.5]]
    for start in ("", "\ufeff", "a,b\r\n", '\ufeff"naïve, quoted",b\r\n'.replace(", ", " ")):
        path.write_bytes((start + rows).encode())
        np.testing.assert_array_equal(RecordedEnvironment(path, centred=False).sample(4), expected)
    path.write_text("1.0,\n" + rows)
    with pytest.raises(ValueError, match=r"line 1 of data.CSV must hold 2 numbers"):
        RecordedEnvironment(path)
    path.write_text("1,2\n\n3,4\n")
    with pytest.raises(ValueError, match=r"row 1 of data.CSV is empty"):
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
    for suffix in ("npy", "npz", "nc"):
        (tmp_path / f"broken.{suffix}").write_bytes(b"no such thing")
        with pytest.raises(ValueError, match=rf"{suffix} cannot be read as a .{suffix} file"):
            RecordedEnvironment(tmp_path / f"broken.{suffix}")
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
    with pytest.raises(TypeError, match="of real numbers"):
        RecordedEnvironment(np.array([["a", "b"]]))
    with pytest.raises(TypeError, match="centred must be True or False, got 'no'"):
        RecordedEnvironment(np.eye(3), centred="no")


def test_a_run_longer_than_the_recording_is_refused(data):
    realization = RecordedEnvironment(data).realize(np.random.SeedSequence(0))
    with pytest.raises(ValueError, match="n_samples must be at most 2600"):
        realization.change_samples(N + 1)
    with pytest.raises(ValueError, match="the length of the recording, got 2601"):
        list(realization.blocks(N + 1, 500))
