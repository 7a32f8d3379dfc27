"""One gate for inputs: what counts as an array of samples, whoever made it.

This file stands in ``environments/data`` and in ``adaptnet/simulation``, the same in both, because
neither package imports the other; a test compares the two. It knows array libraries by the
attributes of their objects, so that none has to be installed.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SAMPLE_DIMS = ("sample", "samples", "time", "t", "frame", "frames", "timepoint", "timepoints")
"""Names of dimensions along which samples follow each other, if a labelled array has one."""

_NOT_NUMBERS = {
    "b": "truth values (bool); if they are spikes, pass data.astype(float)",
    "c": "complex numbers; pass the real part, or real and imaginary parts as channels",
    "M": "dates; leave the column of times out",
    "m": "time differences; divide them by a unit, or leave the column of times out",
    "U": "text; convert it to numbers first",
    "S": "text; convert it to numbers first",
    "O": "Python objects; convert them to numbers first",
    "V": "records with named fields; pass an array of their numbers",
}
_ENOUGH = 100  # samples from which on a mean or a rising channel is taken seriously
_FAR = 0.5  # standard deviations of a mean from zero: a quarter of the variance is added


class Words(NamedTuple):
    """What messages call the data and their columns."""

    name: str
    column: str


class Samples(NamedTuple):
    """Samples as an array, of which rows can be read, and their times if there are any.

    `values` has the shape (sample, channel) and may be on disk or not yet computed. `times` are in
    units of the source; `seconds` is how many seconds one unit has, or None if that is unknown.
    `epochs` are the samples, after the first, at which a new stretch of recording begins.
    """

    values: Any
    times: Floats | None = None
    seconds: float | None = None
    epochs: tuple[int, ...] = ()

    def read(self, start: int, stop: int) -> Floats:
        """Return rows `start` to `stop`; masked ones are NaN."""
        rows = self.values[start:stop]
        if isinstance(rows, np.ma.MaskedArray):
            rows = np.ma.filled(rows.astype(np.float64), np.nan)
        return np.array(rows, dtype=np.float64, order="C")


def samples(words: Words, data: Any, sample_dim: str | None = None) -> Samples:
    """Return array-like data as samples.

    Takes NumPy arrays, masked or mapped from disk, nested sequences of numbers, xarray DataArrays,
    pandas DataFrames, time series of pynapple (``TsdFrame``) and of NWB (``TimeSeries``), and
    whatever else has a shape, a dtype and rows that NumPy can read (dask, HDF5, netCDF4).

    Parameters
    ----------
    words : Words
        For messages.
    data : array-like (sample, channel)
        A labelled array may have its dimensions in any order: samples lie along `sample_dim`, else
        along a dimension with one of the names ``SAMPLE_DIMS``, else along the first.
    sample_dim : str, optional

    Raises
    ------
    TypeError
        If the data do not hold real numbers.
    ValueError
        If the shape is not (sample, channel), or there are fewer samples than channels.

    Examples
    --------
    >>> samples(Words("inputs", "neuron"), [[1, 2], [3, 4], [5, 6]]).read(1, 3)
    array([[3., 4.],
           [5., 6.]])
    """
    name, column = words
    if hasattr(data, "data_vars"):
        names = ", ".join(map(str, data.data_vars)) or "it is empty"
        raise TypeError(
            f"{name} must be one array, got a Dataset; pass one of its variables: {names}"
        )
    if sample_dim is not None and not _labelled(data):
        raise TypeError(f"sample_dim names a dimension of a DataArray, but {name} has no names")
    found = next(read(words, data, sample_dim) for known, read in _KINDS if known(data))
    kind = np.dtype(found.values.dtype).kind
    if kind not in "fiu":
        reason = _NOT_NUMBERS.get(kind, kind)
        raise TypeError(f"{name} must be an array (sample, {column}) of real numbers, got {reason}")
    shape = tuple(found.values.shape)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"{name} must have the shape (sample, {column}), got {shape}")
    if shape[0] < shape[1]:
        raise ValueError(
            f"{name} must have the shape (sample, {column}), but {shape} would be {shape[0]} "
            f"samples of {shape[1]} {column}s, too few to learn from; if it lies the other way "
            "round, pass its transpose, or name the dimension of a DataArray with sample_dim"
        )
    return found


def rate_of(found: Samples) -> float | None:
    """Return the roundest samples per second that times admit: 100, not 99.99999999999991."""
    if found.times is None or found.seconds is None or len(found.times) < 2:
        return None
    step = float(np.nanmedian(np.diff(found.times)))
    rounding = 2 * float(np.spacing(np.nanmax(np.abs(found.times)))) / step  # of two times
    rate = 1 / (step * found.seconds)
    rounded = (float(f"{rate:.{digits}g}") for digits in range(1, 18))  # 17 are all there are
    return next(r for r in rounded if abs(r - rate) <= rounding * rate)


def refuse_gaps(words: Words, found: Samples, changes: Sequence[int] = ()) -> None:
    """Raise a ValueError if times do not follow each other evenly, other than at `changes`."""
    name = words.name
    if found.times is None or len(found.times) < 3:
        return
    steps = np.diff(found.times)
    usual = np.median(steps[np.isfinite(steps)]) if np.isfinite(steps).any() else np.nan
    if usual <= 0:
        raise ValueError(
            f"times of {name} must increase, but they step by {usual:g}; sort the samples"
        )
    odd = np.flatnonzero(~(np.abs(steps - usual) <= 0.5 * abs(usual)))  # NaN counts as odd
    odd = odd[~np.isin(odd + 1, changes)]
    if odd.size:
        raise ValueError(
            f"there is a gap in {name}: time steps by {usual:g}, but by {steps[odd[0]]:g} from "
            f"sample {odd[0]} to {odd[0] + 1}; cut the data there, or drop the times if samples "
            "are to follow each other all the same"
        )


def refuse_missing(words: Words, rows: Floats, first: int = 0) -> None:
    """Raise a ValueError if a number is missing or infinite in rows from sample `first` on."""
    name, column = words
    if not np.isfinite(rows).all():
        row, channel = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(
            f"{name} must have no gaps, got {rows[row, channel]} at sample {first + row}, "
            f"{column} {channel}; interpolate such samples, or cut them out"
        )


def warn_of_means(words: Words, means: Floats, deviations: Floats, n_samples: int) -> None:
    """Warn of a mean far from zero: circuits respond to the second moment about zero."""
    name, column = words
    if n_samples < _ENOUGH:
        return
    sure = 5 * deviations / np.sqrt(n_samples)  # the sampling error, were samples independent
    excess = np.abs(means) - np.maximum(_FAR * deviations, sure)
    if (excess > 0).any():
        worst = int(np.nanargmax(excess))
        warnings.warn(
            f"means of {name} are far from zero: {column} {worst} has the mean {means[worst]:.3g} "
            f"and the standard deviation {deviations[worst]:.3g}. Circuits whiten the second "
            "moment about zero, mean included; subtract the mean, or give centred=True to a "
            "RecordedEnvironment",
            UserWarning,
            stacklevel=_level_of_the_caller(),
        )


def warn_of_counters(words: Words, rising: npt.ArrayLike, n_samples: int) -> None:
    """Warn of channels that rise at every sample, as an index or a column of times does."""
    name, column = words
    if n_samples >= _ENOUGH and np.any(rising):
        warnings.warn(
            f"{column} {int(np.flatnonzero(rising)[0])} of {name} rises from every sample to the "
            "next, as an index or times do; leave it out unless it is a signal",
            UserWarning,
            stacklevel=_level_of_the_caller(),
        )


def _level_of_the_caller() -> int:
    """Return the level for ``warnings.warn`` at which the user's code called this package."""
    frame, level = sys._getframe(1), 1
    inside = (__name__.partition(".")[0], "contextlib")  # whose decorators stand in between
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in inside:
        frame, level = frame.f_back, level + 1
    return level


def _labelled(data: Any) -> bool:
    return hasattr(data, "dims") and hasattr(data, "isel")


def _read_labelled(words: Words, data: Any, sample_dim: str | None) -> Samples:
    dims = tuple(map(str, data.dims))
    if sample_dim is not None and sample_dim not in dims:
        raise ValueError(f"sample_dim must be one of {', '.join(dims)}, got {sample_dim!r}")
    named = [dim for dim in data.dims if str(dim).lower() in SAMPLE_DIMS]
    dim = sample_dim or (named[0] if named else data.dims[0] if data.dims else None)
    if dim is not None:
        data = data.transpose(dim, ...)
    if dim is None or dim not in data.indexes:
        return Samples(_Rows(data))
    times, seconds, epochs = _times(data.indexes[dim])
    units = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3}
    seconds = seconds or units.get(str(data.coords[dim].attrs.get("units")))
    return Samples(_Rows(data), times, seconds, epochs)


class _Rows:
    """Rows of a DataArray, read when they are asked for: ``.values`` reads all of a file."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.shape = data.shape
        self.dtype = data.dtype

    def __getitem__(self, rows: slice) -> Any:
        return self._data[rows].values

    def copied(self) -> "_Rows":
        """Return rows that their owner can no longer change; what is on disk stays there."""
        in_memory = self._data.chunks is None and "source" not in self._data.encoding
        return _Rows(self._data.copy(deep=True)) if in_memory else self


def _read_frame(words: Words, data: Any, sample_dim: str | None) -> Samples:
    for column, dtype in data.dtypes.items():
        kind = getattr(dtype, "kind", "O")
        if kind not in "fiu":
            reason = _NOT_NUMBERS.get(kind, kind)
            raise TypeError(
                f"{words.name} must be an array (sample, {words.column}) of real numbers, but "
                f"column {column!r} holds {reason}"
            )
    values = data.to_numpy(dtype=np.float64, na_value=np.nan)
    return Samples(values, *_times(data.index))


def _read_pynapple(words: Words, data: Any, sample_dim: str | None) -> Samples:
    times = np.asarray(data.t, dtype=np.float64)
    starts = np.asarray(data.time_support.start, dtype=np.float64)
    epochs = np.unique(np.searchsorted(times, starts))
    inner = epochs[(epochs > 0) & (epochs < len(times))]
    return Samples(data.values, times, 1.0, tuple(inner.tolist()))


def _read_nwb(words: Words, data: Any, sample_dim: str | None) -> Samples:
    values = data.data
    scale, shift = float(data.conversion or 1.0), float(getattr(data, "offset", 0.0) or 0.0)
    if (scale, shift) != (1.0, 0.0):
        values = _Scaled(values, scale, shift)
    times = data.timestamps
    if times is None:
        start = data.starting_time or 0.0
        times = start + np.arange(len(data.data)) / data.rate
    return Samples(values, np.asarray(times, np.float64), 1.0)


class _Scaled:
    """Rows of stored numbers in the units that they stand for."""

    def __init__(self, data: Any, scale: float, shift: float) -> None:
        self._data, self._scale, self._shift = data, scale, shift
        self.shape = data.shape
        kind = np.dtype(data.dtype).kind
        self.dtype = np.dtype(np.float64) if kind in "fiu" else np.dtype(data.dtype)

    def __getitem__(self, rows: slice) -> Floats:
        return np.asarray(self._data[rows], np.float64) * self._scale + self._shift


def _read_lazy(words: Words, data: Any, sample_dim: str | None) -> Samples:
    return Samples(data)


def _read_array(words: Words, data: Any, sample_dim: str | None) -> Samples:
    name, column = words
    if hasattr(data, "toarray"):  # scipy's sparse matrices
        raise TypeError(f"{name} must be a dense array, got a sparse one; pass data.toarray()")
    try:
        array = np.asanyarray(data)
    except ValueError:
        raise ValueError(f"{name} must have rows of one length, got {data!r:.200}") from None
    if array.dtype.kind == "O" and array.ndim == 0:
        raise TypeError(
            f"{name} must be an array (sample, {column}) of real numbers, got {data!r:.200}"
        )
    return Samples(array)


_KINDS = (
    (_labelled, _read_labelled),
    (lambda data: hasattr(data, "iloc") and hasattr(data, "columns"), _read_frame),
    (lambda data: hasattr(data, "time_support") and hasattr(data, "t"), _read_pynapple),
    (lambda data: hasattr(data, "timestamps") and hasattr(data, "conversion"), _read_nwb),
    (
        lambda data: (
            not isinstance(data, np.ndarray)
            and not hasattr(data, "toarray")
            and all(hasattr(data, has) for has in ("shape", "dtype", "__getitem__"))
            and isinstance(data.dtype, np.dtype)
        ),
        _read_lazy,
    ),
    (lambda data: True, _read_array),
)


def _times(index: Any) -> tuple[Floats | None, float | None, tuple[int, ...]]:
    """Return the times of a pandas index, the seconds in one of their units, and its epochs."""
    if index.nlevels > 1:  # trials, say, and the times within each
        times, seconds, _ = _times(index.get_level_values(-1))
        outer = index.droplevel(-1)
        begins = np.flatnonzero(outer[1:] != outer[:-1]) + 1
        return times, seconds, tuple(begins.tolist())
    values = index.to_numpy()
    if values.dtype.kind in "mM":
        code, count = np.datetime_data(values.dtype)
        unit = np.array(count, f"m8[{code}]") / np.timedelta64(1, "s")
        return np.where(np.isnat(values), np.nan, values.astype(np.int64)), float(unit), ()
    if values.dtype.kind in "fiu":
        return values.astype(np.float64), None, ()
    if len(values) and hasattr(values[0], "calendar"):  # cftime, of other calendars
        since = [(value - values[0]).total_seconds() for value in values]
        return np.array(since), 1.0, ()
    return None, None, ()  # names
