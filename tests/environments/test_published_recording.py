"""A published table of measurements, given in the formats that people keep recordings in.

The wines of scikit-learn (BSD-3-Clause; the data set is UCI's "Wine", CC BY 4.0): 178 samples of 13
measurements from three cultivars, which stand for contexts.
"""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pynapple
import pynwb
import pytest
from sklearn.datasets import load_wine

import adaptnet as an
from environments import RecordedEnvironment

WINE = load_wine()
CHANGES = (np.flatnonzero(np.diff(WINE.target)) + 1).tolist()


def _csv(folder):
    path = folder / "wine.csv"
    pd.DataFrame(WINE.data, columns=WINE.feature_names).to_csv(path)
    return path


def _frame(folder):
    return pd.DataFrame(WINE.data, columns=WINE.feature_names)


def _nwb(folder):
    series = pynwb.TimeSeries(name="wine", data=WINE.data, unit="n/a", rate=1.0, starting_time=0.0)
    file = pynwb.NWBFile("wines", "wines", datetime(2020, 1, 1, tzinfo=UTC))
    file.add_acquisition(series)
    with pynwb.NWBHDF5IO(folder / "wine.nwb", "w") as io:
        io.write(file)
    io = pynwb.NWBHDF5IO(folder / "wine.nwb", "r")
    return io.read().acquisition["wine"]


def _epochs(folder):
    times = np.arange(len(WINE.data)) / 1.0
    begins = times[[0, *CHANGES]]
    epochs = pynapple.IntervalSet(begins, [*(begins[1:] - 0.5), times[-1]])
    return pynapple.TsdFrame(t=times, d=WINE.data, time_support=epochs)


@pytest.mark.parametrize("kind", [_csv, _frame, _nwb, _epochs])
def test_every_format_gives_the_bits_of_the_array(kind, tmp_path):
    expected = RecordedEnvironment(WINE.data, changes=CHANGES)
    got = RecordedEnvironment(kind(tmp_path), changes=CHANGES)
    n_samples = len(WINE.data)
    assert got.sample(n_samples).tobytes() == expected.sample(n_samples).tobytes()
    assert got.parameters()["sha256"] == expected.parameters()["sha256"]


def test_the_epochs_of_pynapple_are_segments(tmp_path):
    recorded = RecordedEnvironment(_epochs(tmp_path))
    assert recorded.parameters()["changes"] == CHANGES


@pytest.mark.filterwarnings("ignore:.*far from zero")  # as means of wines are
def test_a_run_of_inputs_with_times_has_seconds(tmp_path):
    run = an.simulate(an.StaticCircuit(), _nwb(tmp_path), record="effective_weights")
    np.testing.assert_array_equal(run["time"], run["sample"])  # 1 Hz
    assert "time" not in an.simulate(an.StaticCircuit(), WINE.data, record="effective_weights")


@pytest.mark.parametrize("kind", [_nwb, _epochs])
def test_sampling_rates_are_those_of_the_recording(kind, tmp_path):
    assert RecordedEnvironment(kind(tmp_path), changes=CHANGES).sampling_rate == 1.0


def test_the_name_of_an_nwb_file_says_how_to_read_it(tmp_path):
    _nwb(tmp_path)
    with pytest.raises(ValueError, match="open it with pynwb, and pass one of its TimeSeries"):
        RecordedEnvironment(tmp_path / "wine.nwb")
