"""Where recordings come from: data that change, move or were written by other tools."""

import os
import pickle

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from environments import NaturalImageEnvironment, RecordedEnvironment, from_parameters
from tests.environments.catalogue import ENVIRONMENTS
from tests.environments.test_array_likes import TsdFrame

DATA = np.random.default_rng(0).normal(size=(500, 3)).round(3)


def test_an_array_that_changes_later_is_not_the_recording():
    for make in (
        lambda: DATA.copy(),
        lambda: pd.DataFrame(DATA.copy()),
        lambda: xr.DataArray(DATA.copy()),
    ):
        mine = make()
        recorded = RecordedEnvironment(mine, centred=False)
        if isinstance(mine, pd.DataFrame):
            mine.iloc[:, 0] = 7.0
        else:
            mine[:, 0] = 7.0
        np.testing.assert_array_equal(recorded.sample(500), DATA)


@pytest.mark.parametrize("kind", ["npy", "memmap", "writable", "csv", "nc"])
def test_a_file_that_changes_later_is_noticed_when_a_run_begins(kind, tmp_path):
    path = tmp_path / f"data.{ {'memmap': 'npy', 'writable': 'npy'}.get(kind, kind) }"
    if kind == "csv":
        np.savetxt(path, DATA, delimiter=",", fmt="%.3f")
    elif kind == "nc":
        xr.DataArray(DATA, dims=("time", "b"), name="x").to_netcdf(path)
    else:
        np.save(path, DATA)
    data = path
    if kind in ("memmap", "writable"):
        data = np.load(path, mmap_mode="r" if kind == "memmap" else "r+")
    recorded = RecordedEnvironment(data)
    recorded.realize(np.random.SeedSequence(0))
    if kind == "writable":
        data[3, 1] += 1  # not yet written to the file
    elif kind == "csv":
        np.savetxt(path, DATA + 1, delimiter=",", fmt="%.3f")
    elif kind == "nc":
        return  # the open file is the old one, whatever now has its name
    else:
        with path.open("r+b") as file:
            file.seek(-8, 2)
            file.write(np.float64(5.0).tobytes())
    with pytest.raises(ValueError, match="data have changed since this environment was made"):
        recorded.realize(np.random.SeedSequence(0))


def test_a_file_that_is_only_touched_is_the_same(tmp_path):
    np.save(tmp_path / "data.npy", DATA)
    recorded = RecordedEnvironment(tmp_path / "data.npy")
    os.utime(tmp_path / "data.npy", (0, 0))
    recorded.realize(np.random.SeedSequence(0))


def test_relative_paths_survive_a_change_of_folder(tmp_path, monkeypatch):
    np.savetxt(tmp_path / "data.csv", DATA, delimiter=",", fmt="%.3f")
    rng = np.random.default_rng(0)
    for name in ("a.tif", "b.tif"):
        from PIL import Image

        Image.fromarray(rng.integers(0, 255, (20, 20)).astype(np.uint8)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    environments = [
        RecordedEnvironment("data.csv"),
        NaturalImageEnvironment(["a.tif", "b.tif"], patch_size=2, block_length=50),
    ]
    monkeypatch.chdir(tmp_path.parent)
    for environment in environments:
        again = from_parameters(environment.parameters())
        np.testing.assert_array_equal(again.sample(100), environment.sample(100))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_pickle(name):
    environment = ENVIRONMENTS[name]
    again = pickle.loads(pickle.dumps(environment))
    assert again.parameters() == environment.parameters()
    np.testing.assert_array_equal(again.sample(300, 3), environment.sample(300, 3))


def test_recordings_in_memory_pickle_with_their_samples():
    for data in (DATA, pd.DataFrame(DATA), xr.DataArray(DATA)):
        again = pickle.loads(pickle.dumps(RecordedEnvironment(data)))
        np.testing.assert_array_equal(again.sample(500), RecordedEnvironment(data).sample(500))


@pytest.mark.parametrize("names", [["a", "b", "c"], [0, 1, 2]])
@pytest.mark.parametrize("index", [True, False])
def test_what_pandas_writes_is_read_back(names, index, tmp_path):
    path = tmp_path / "frame.csv"
    pd.DataFrame(DATA, columns=names).to_csv(path, index=index)
    np.testing.assert_array_equal(RecordedEnvironment(path, centred=False).sample(500), DATA)
    dates = pd.date_range("2020", periods=500, name=None)
    pd.DataFrame(DATA, columns=names, index=dates).to_csv(path)
    np.testing.assert_array_equal(RecordedEnvironment(path, centred=False).sample(500), DATA)


def test_counts_that_begin_as_numbers_do_are_data(tmp_path):
    counts = np.array([[0, 1, 2], [4, 0, 3], [1, 1, 7], [2, 5, 0]])
    np.savetxt(tmp_path / "counts.csv", counts, delimiter=",", fmt="%d")
    recorded = RecordedEnvironment(tmp_path / "counts.csv", centred=False)
    np.testing.assert_array_equal(recorded.sample(4), counts)


def test_an_index_without_a_name_is_warned_of(tmp_path):
    pd.DataFrame(DATA).to_csv(tmp_path / "frame.csv", header=False)
    with pytest.warns(UserWarning, match="channel 0 of a recording rises from every sample"):
        RecordedEnvironment(tmp_path / "frame.csv")


def test_a_variable_in_seconds_stays_in_seconds(tmp_path):
    intervals = xr.DataArray(
        np.abs(DATA) + 0.25, dims=("time", "cell"), name="intervals", attrs={"units": "seconds"}
    )
    intervals.to_netcdf(tmp_path / "intervals.nc")
    recorded = RecordedEnvironment(tmp_path / "intervals.nc", truth="absent")
    raw = recorded.sample(500)
    np.testing.assert_allclose(raw + intervals.values.mean(axis=0), intervals.values, rtol=1e-12)


def test_epochs_are_segments_and_their_gaps_are_known():
    t = np.concatenate([np.arange(200), 1000 + np.arange(300)]) / 10
    recorded = RecordedEnvironment(TsdFrame(DATA, t, start=(0.0, 100.0)))
    assert recorded.context_names == ("epoch_0", "epoch_1")
    realization = recorded.realize(np.random.SeedSequence(0))
    assert realization.change_samples(500).tolist() == [200]
    assert recorded.sampling_rate == pytest.approx(10)
    named = RecordedEnvironment(TsdFrame(DATA, t, start=(0.0, 100.0)), contexts=["rest", "task"])
    assert named.context_names == ("rest", "task")
    with pytest.raises(ValueError, match="a gap in a recording"):
        RecordedEnvironment(TsdFrame(DATA, t), changes=[100])
    assert RecordedEnvironment(TsdFrame(DATA, t), changes=[200]).n_samples == 500


def test_trials_of_a_multiindex_are_segments():
    index = pd.MultiIndex.from_product([range(5), np.arange(100) / 50], names=["trial", "time"])
    recorded = RecordedEnvironment(pd.DataFrame(DATA, index=index))
    realization = recorded.realize(np.random.SeedSequence(0))
    assert realization.change_samples(500).tolist() == [100, 200, 300, 400]


def test_samples_lie_along_the_dimension_that_says_so():
    array = xr.DataArray(DATA.T, dims=("cell", "time"))
    for recorded in (
        RecordedEnvironment(array, centred=False),
        RecordedEnvironment(array.rename(time="x"), sample_dim="x", centred=False),
    ):
        np.testing.assert_array_equal(recorded.sample(500), DATA)
    with pytest.raises(ValueError, match=r"sample_dim must be one of cell, time, got 'y'"):
        RecordedEnvironment(array, sample_dim="y")
    with pytest.raises(TypeError, match="sample_dim names a dimension of a DataArray"):
        RecordedEnvironment(DATA, sample_dim="time")


def test_pictures_of_one_name_keep_two_names(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = [tmp_path / folder / "scene.png" for folder in ("day", "night")]
    for path in paths:
        path.parent.mkdir()
        Image.fromarray(rng.integers(0, 255, (20, 20)).astype(np.uint8)).save(path)
    environment = NaturalImageEnvironment(paths, patch_size=2, block_length=50)
    assert environment.context_names == ("day/scene.png", "night/scene.png")
    same = NaturalImageEnvironment([paths[0], paths[0]], patch_size=2, block_length=50)
    assert same.context_names == ("0.scene.png", "1.scene.png")


def test_a_picture_that_changes_is_noticed(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (20, 20)).astype(np.uint8)).save(path)
    environment = NaturalImageEnvironment(paths, patch_size=2, block_length=50)
    parameters = environment.parameters()
    assert from_parameters(parameters).parameters() == parameters
    Image.fromarray(rng.integers(0, 255, (20, 20)).astype(np.uint8)).save(paths[1])
    with pytest.raises(ValueError, match=r"the picture b.png must have the checksum"):
        from_parameters(parameters)
    assert environment.parameters() == parameters


def test_a_picture_in_memory_is_copied():
    mine = np.random.default_rng(0).random((2, 20, 20))
    environment = NaturalImageEnvironment(mine, patch_size=2, block_length=50)
    before, inputs = environment.parameters(), environment.sample(20)
    mine[...] = 0.0
    assert environment.parameters() == before
    np.testing.assert_array_equal(environment.sample(20), inputs)
