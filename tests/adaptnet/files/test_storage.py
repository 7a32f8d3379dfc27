import os

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from environments import SwitchingEnvironment


@pytest.fixture(scope="module")
def run():
    environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=40)
    circuits = {"direct": an.DirectCircuit(), "interneuron": an.InterneuronCircuit()}
    record = ("whitening_error", "effective_weights", "fast_steps", "covariance")
    return an.simulate(circuits, environment, 100, n_replicates=2, rng=0, record=record)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.nc"


def test_a_run_comes_back_exactly(run, path):
    an.save(run, path)
    loaded = an.load(path)
    xr.testing.assert_identical(loaded, run)
    for name, variable in run.variables.items():
        assert loaded[name].dtype.kind == variable.dtype.kind or variable.dtype.kind == "U"


@pytest.mark.parametrize("n_samples", [16_384, 17_000])
def test_a_run_of_several_pieces_comes_back_exactly(tmp_path, n_samples):
    """With the start there is one more sample: the last piece is a single one, or a part."""
    inputs = np.random.default_rng(0).normal(size=(n_samples, 2))
    run = an.simulate(an.DirectCircuit(learning_rate=1e-3), inputs, progress=False)
    an.save(run, tmp_path / "run.nc")
    assert an.load(tmp_path / "run.nc").identical(run)


def test_a_run_of_an_array_comes_back_exactly(path):
    run = an.simulate(an.DirectCircuit(), np.ones((5, 2)))  # no change, one context
    an.save(run, str(path))
    xr.testing.assert_identical(an.load(str(path)), run)


def test_what_diverged_comes_back_exactly(path):
    with pytest.warns(an.DivergenceWarning):
        run = an.simulate(an.DirectCircuit(learning_rate=3.0), np.ones((5, 2)))
    an.save(run, path)
    xr.testing.assert_identical(an.load(path), run)


def test_files_are_compressed(run, path):
    an.save(run, path)
    with xr.open_dataset(path) as stored:
        assert stored["whitening_error"].encoding["zlib"]


def test_other_programs_see_what_is_meant(run, path):
    an.save(run, path)
    with xr.open_dataset(path) as stored:
        assert stored.attrs["Conventions"].startswith("CF-1.")
        assert stored["context"].attrs["flag_meanings"] == "context_0 context_1"


def test_nothing_is_overwritten_unasked(run, path):
    path.write_text("precious")
    with pytest.raises(FileExistsError, match=r"would be lost.*overwrite"):
        an.save(run, path)
    assert path.read_text() == "precious"
    an.save(run, path, overwrite=True)
    assert an.load(path).identical(run)


def test_a_failed_save_leaves_nothing_behind(run, path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    with pytest.raises(OSError, match="disk full"):
        an.save(run, path)
    assert list(path.parent.iterdir()) == []


def test_the_file_has_the_permissions_of_any_new_file(run, path):
    an.save(run, path)
    (path.parent / "other").touch()
    assert path.stat().st_mode == (path.parent / "other").stat().st_mode


@pytest.mark.parametrize("target", ["no/such/folder.nc", "."])
def test_a_target_that_cannot_be_is_refused(run, target, tmp_path):
    with pytest.raises(OSError, match="folder"):
        an.save(run, tmp_path / target)


def test_only_runs_are_saved(path):
    with pytest.raises(ValueError, match="not a run of adaptnet"):
        an.save(xr.Dataset({"x": 1}), path)


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*run\.nc"):
        an.load(path)


def test_a_file_of_another_kind_is_refused(path):
    path.write_text("time,error\n0,1\n")
    with pytest.raises(ValueError, match="not a netCDF file"):
        an.load(path)


def test_another_netcdf_file_is_refused(path):
    xr.Dataset({"temperature": ("x", [1.0])}).to_netcdf(path)
    with pytest.raises(ValueError, match=r"run\.nc is not a run of adaptnet"):
        an.load(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(run, path, share):
    an.save(run, path)
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(ValueError, match="truncated or damaged"):
        an.load(path)


@pytest.mark.parametrize("name", ["context", "change_sample", "diverged_sample"])
def test_a_run_that_lacks_a_variable_is_refused(run, name, path):
    with pytest.raises(ValueError, match=f"damaged: it lacks {name}"):
        an.save(run.drop_vars(name), path)


def test_a_variable_of_another_type_is_refused(run, path):
    wrong = run.assign(context=run["context"].astype(float))
    with pytest.raises(ValueError, match="damaged: context has"):
        an.save(wrong, path)


def test_a_circuit_that_is_there_twice_is_refused(tmp_path):
    inputs = np.random.default_rng(0).normal(size=(20, 2))
    run = an.simulate({"a": an.DirectCircuit(), "b": an.InterneuronCircuit()}, inputs)
    doubled = run.isel(circuit=[0, 1, 0])
    with pytest.raises(ValueError, match="holds the circuit 'a' twice; select each once"):
        an.save(doubled, tmp_path / "run.nc")
    an.save(run.isel(replicate=[0, 0]), tmp_path / "run.nc")  # replicates may be drawn again
