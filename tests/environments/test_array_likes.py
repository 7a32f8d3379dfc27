"""One gate for inputs: `simulate` and `RecordedEnvironment` agree on what they take."""

import warnings
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings

import adaptnet as an
import adaptnet.simulation.array_likes
import environments.data.array_likes
from environments import RecordedEnvironment

CIRCUIT = an.DirectCircuit(initial_weights=2.0, learning_rate=1e-3)
DATA = np.random.default_rng(0).normal(size=(60, 3)).round(2)


class Lazy:
    """What dask arrays, HDF5 datasets and netCDF variables are: a shape, a dtype and rows."""

    def __init__(self, array):
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, rows):
        return self._array[rows]


class TimeSupport:
    def __init__(self, start):
        self.start = np.array(start, float)


class TsdFrame:
    """What the gate needs of pynapple's."""

    def __init__(self, values, t, start=(0.0,)):
        self.values, self.t, self.time_support = values, np.asarray(t, float), TimeSupport(start)


class TimeSeries:
    """What the gate needs of NWB's."""

    starting_time = 2.0

    def __init__(self, data, rate=None, timestamps=None, conversion=1.0, offset=0.0):
        self.data, self.rate, self.timestamps = data, rate, timestamps
        self.conversion, self.offset = conversion, offset


def _frame(array, index=None):
    return pd.DataFrame(array, columns=[f"c{i}" for i in range(array.shape[1])], index=index)


GOOD = {
    "array": DATA,
    "fortran": np.asfortranarray(DATA),
    "float32": DATA.astype(np.float32).astype(np.float64),
    "big_endian": DATA.astype(">f8"),
    "view": np.repeat(DATA, 2, axis=0)[::2],
    "list": DATA.tolist(),
    "masked": np.ma.masked_array(DATA, np.zeros(DATA.shape, bool)),
    "frame": _frame(DATA),
    "frame_dates": _frame(DATA, pd.date_range("2020", periods=60, freq="1s")),
    "frame_nullable": _frame(DATA).convert_dtypes(),
    "array_first": xr.DataArray(DATA, dims=("a", "b")),
    "array_time": xr.DataArray(DATA.T, dims=("cell", "time")),
    "array_times": xr.DataArray(DATA, dims=("t", "b"), coords={"t": np.arange(60) / 7}),
    "lazy": Lazy(DATA),
    "pynapple": TsdFrame(DATA, np.arange(60) / 100),
    "nwb": TimeSeries(DATA, rate=10.0),
    "nwb_scaled": TimeSeries((DATA * 100).round().astype("i2"), rate=10.0, conversion=0.01),
    "nwb_times": TimeSeries(Lazy(DATA), timestamps=np.arange(60) / 3),
}


def _index(kind):
    """Return an index with a gap between samples 29 and 30."""
    steps = np.arange(60)
    steps[30:] += 5
    if kind == "multi":
        return pd.MultiIndex.from_arrays([np.zeros(60), steps])
    if kind == "cftime":
        return xr.date_range("2000-01-01", periods=70, calendar="noleap", use_cftime=True)[steps]
    return {
        "numbers": pd.Index(steps),
        "timedeltas": pd.to_timedelta(steps, unit="s"),
        "dates": pd.Timestamp("2020") + pd.to_timedelta(steps, unit="ms"),
    }[kind]


GAPS = ("numbers", "timedeltas", "dates", "multi", "cftime")

BAD = {
    "missing": np.where(np.arange(180).reshape(60, 3) == 77, np.nan, DATA),
    "infinite": np.where(np.arange(180).reshape(60, 3) == 77, -np.inf, DATA),
    "masked": np.ma.masked_array(DATA, np.arange(180).reshape(60, 3) == 77),
    "masked_whole": np.ma.masked_all((60, 3)),
    "dates": np.full((60, 3), "2020-01-01", "M8[s]"),
    "differences": np.full((60, 3), 5, "m8[s]"),
    "text": DATA.astype(str),
    "bytes": DATA.astype("S5"),
    "complex": DATA + 0j,
    "truth": DATA > 0,
    "objects": DATA.astype(object),
    "records": np.zeros((60, 3), [("x", float)]),
    "ragged": [[1.0, 2.0], [3.0]],
    "nothing": None,
    "number": 3.0,
    "one_dimension": DATA[:, 0],
    "three_dimensions": DATA[None],
    "empty": DATA[:0],
    "wide": DATA.T,
    "dataset": xr.Dataset({"rates": (("time", "cell"), DATA)}),
    "wide_labelled": xr.DataArray(DATA.T, dims=("a", "b")),
    "frame_text": _frame(DATA).assign(c1="a"),
    "frame_missing": _frame(DATA).astype("Float64").mask(_frame(DATA) > 1),
    "frame_dates": _frame(DATA).assign(c1=pd.Timestamp("2020")),
    "frame_truth": _frame(DATA).assign(c1=True),
    "series": pd.Series(DATA[:, 0]),
    "lazy_truth": Lazy(DATA > 0),
    "times_backwards": _frame(DATA, np.arange(60)[::-1]),
    "times_missing": _frame(DATA, pd.to_timedelta([pd.NaT, *range(59)], unit="s")),
    "nwb_gap": TimeSeries(DATA, timestamps=np.arange(60) + 9 * (np.arange(60) > 20)),
    **{f"gap_{kind}": _frame(DATA, _index(kind)) for kind in GAPS},
    **{
        f"gap_{kind}_labelled": xr.DataArray(
            DATA, dims=("time", "b"), coords={"time": _index(kind)}
        )
        for kind in GAPS
        if kind != "multi"
    },
}


def _refusal(take, data):
    try:
        take(data)
    except (TypeError, ValueError) as refusal:
        return type(refusal)
    return None


def _simulated(data):
    return an.simulate(CIRCUIT, data, record_every=10)


def test_the_gate_is_one_text():
    """Neither package imports the other, so that each has a copy."""
    ours, theirs = (
        Path(module.__file__).read_text(encoding="utf-8")
        for module in (environments.data.array_likes, adaptnet.simulation.array_likes)
    )
    assert ours == theirs


@pytest.mark.parametrize("kind", GOOD)
def test_what_both_take_is_the_same_samples(kind):
    recorded = RecordedEnvironment(GOOD[kind], centred=False)
    np.testing.assert_allclose(recorded.sample(60), DATA, rtol=1e-6 if kind == "float32" else 1e-12)
    run = _simulated(GOOD[kind])
    played = _simulated(np.array(recorded.sample(60)))
    assert run.attrs.get("sampling_rate") == recorded.sampling_rate
    ours = run["effective_weights"].drop_vars("time", errors="ignore")
    xr.testing.assert_equal(ours, played["effective_weights"])


@pytest.mark.parametrize("kind", BAD)
def test_what_both_refuse(kind):
    refusals = [_refusal(take, BAD[kind]) for take in (_simulated, RecordedEnvironment)]
    assert refusals[0] is refusals[1] is not None


SHAPES = st.tuples(st.integers(0, 12), st.integers(0, 6)) | st.tuples(st.integers(0, 5))
DTYPES = st.sampled_from(["f2", "f4", ">f8", "i1", "u4", "?", "c8", "M8[s]", "m8[ms]", "U3", "O"])
WRAPS = st.sampled_from(["array", "masked", "list", "frame", "labelled", "lazy", "fortran"])


@settings(max_examples=150, deadline=None)
@given(
    shape=SHAPES,
    dtype=DTYPES,
    wrap=WRAPS,
    hole=st.booleans(),
    dims=st.permutations(["time", "cell"]),
    start=st.integers(0, 2**31),
)
def test_both_agree_on_array_likes(shape, dtype, wrap, hole, dims, start):
    rng = np.random.default_rng(start)
    array = (rng.normal(size=shape) * 50).astype("i1").astype(dtype)
    if hole and array.dtype.kind == "f" and array.size:
        array.flat[rng.integers(array.size)] = np.nan
    data = array
    if wrap == "masked":
        mask = np.zeros(shape, bool)
        mask.flat[: int(hole)] = True
        data = np.ma.masked_array(array, mask)
    elif wrap == "list":
        data = array.tolist()
    elif wrap == "frame":
        if array.ndim == 2:
            data = pd.DataFrame(array.astype(array.dtype.newbyteorder("=")))
    elif wrap == "labelled":
        data = xr.DataArray(array, dims=dims[: array.ndim])
    elif wrap == "lazy":
        data = Lazy(array)
    elif wrap == "fortran":
        data = np.asfortranarray(array)

    def recorded(data):
        return RecordedEnvironment(data, truth="absent", centred=False)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refusals = [_refusal(take, data) for take in (_simulated, recorded)]
    assert refusals[0] is refusals[1]


LONG = np.random.default_rng(1).normal(size=(200, 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LONG + np.array([0, 5, 0]), "means of .* are far from zero: .* 1 has the mean"),
        (np.column_stack([np.arange(200) - 99.5, LONG]), ".* 0 of .* rises from every sample"),
    ],
)
def test_both_warn_of(data, message):
    with pytest.warns(UserWarning, match=message) as caught:
        an.simulate(CIRCUIT, data, record_every=100)
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UserWarning, match=message) as caught:
        RecordedEnvironment(data, centred=False)
    assert [warning.filename for warning in caught] == [__file__]
    an.simulate(CIRCUIT, data[:90], record_every=10)  # too few to say


def test_messages_name_the_remedy():
    for data, message in (
        (BAD["truth"], r"truth values \(bool\); if they are spikes, pass data.astype\(float\)"),
        (BAD["wide"], r"\(3, 60\) would be 3 samples of 60 neurons.*pass its transpose"),
        (BAD["dataset"], "pass one of its variables: rates"),
        (BAD["frame_dates"], "column 'c1' holds dates; leave the column of times out"),
        (BAD["gap_dates"], "gap in the inputs: .* from sample 29 to 30; cut the data there"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            _simulated(data)


def test_dask_arrays_are_read_by_blocks():
    dask = pytest.importorskip("dask.array")
    data = dask.from_array(DATA, chunks=(7, 3))
    np.testing.assert_array_equal(RecordedEnvironment(data, centred=False).sample(60), DATA)
