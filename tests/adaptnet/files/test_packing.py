"""Large arrays among parameters are stored as arrays, and come back as they were, to the letter."""

import json

import netCDF4
import numpy as np
import pytest

import adaptnet as an
from adaptnet.files.packing import packed, unpacked
from adaptnet.files.paths import working_folder
from adaptnet.simulation.sinks.disk import DiskSink
from environments import SwitchingEnvironment

NUMBERS = np.random.default_rng(0).normal(size=(80, 60)).tolist()


@pytest.mark.parametrize(
    "value",
    [
        {"mean": NUMBERS},
        {"a": [NUMBERS, NUMBERS], "b": {"c": [1, 2]}},
        [[1, 2, 3] * 3000],
        {"mixed": [0.5, 1] * 3000},
        {"ragged": [[0.5] * 3000, [0.25] * 2000]},
        {"special": [float("nan"), float("inf"), -0.0, 1e-320] * 1200},
        {"large": [2**70] * 5000},
        {"flags": [True, False] * 3000},
        {"nulls": [None, 1.0] * 3000},
        "text" * 5000,
        {"deep": [[[]]] * 5000},
    ],
)
def test_parameters_come_back_to_the_letter(value):
    attributes = {"environment": json.dumps(value), "title": "x"}
    short, arrays = packed(attributes)
    assert unpacked(short, arrays) == attributes
    assert unpacked(json.loads(json.dumps(short)), arrays) == attributes


def test_text_of_another_layout_stays_as_it_is():
    attributes = {"environment": json.dumps({"mean": NUMBERS}, indent=1)}
    assert packed(attributes) == (attributes, {})


def test_arrays_are_checked():
    short, arrays = packed({"environment": json.dumps({"mean": NUMBERS})})
    assert len(short["environment"]) < 150
    with pytest.raises(ValueError, match=r"environment_0, which is not there.*adaptnet\.load"):
        unpacked(short, {})
    changed = arrays["environment_0"].copy()
    changed[3, 3] = np.nextafter(changed[3, 3], 9.0)
    with pytest.raises(ValueError, match="environment_0 is damaged"):
        unpacked(short, {"environment_0": changed})


def test_a_run_with_large_parameters_is_resumed_and_read(tmp_path, monkeypatch):
    n = 70
    scatter = np.random.default_rng(1).normal(size=(2, n, 2 * n))
    covariances = scatter @ scatter.swapaxes(1, 2) / n
    environment = SwitchingEnvironment(list(covariances), block_length=10)
    target = tmp_path / "run.nc"

    def simulate(path=None):
        circuit = an.DirectCircuit(learning_rate=1e-4)
        return an.simulate(circuit, environment, 40, rng=0, record_every=20, path=path)

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DiskSink, "publish", stop)
        with pytest.raises(KeyboardInterrupt):
            simulate(target)
    assert (working_folder(target) / "run").stat().st_size < 2 * 8 * n**2 + 10_000
    run = simulate(target)
    assert json.loads(run.attrs["environment"]) == environment.parameters()
    assert an.load(target).attrs == run.attrs
    assert simulate().attrs["environment"] == run.attrs["environment"]
    with netCDF4.Dataset(target) as stored:
        assert len(stored.getncattr("environment")) < 5_000
    copy = tmp_path / "copy.nc"
    an.save(run, copy)
    assert an.load(copy).identical(an.load(target))
