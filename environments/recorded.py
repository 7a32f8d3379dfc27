"""The user's own data."""

import itertools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from environments.base import Environment
from environments.checks import Floats, Integers, covariance_matrix, items, one_of, whole_number
from environments.data.moments import Moments
from environments.data.tables import Recording, table
from environments.samples import Realization
from environments.samples.products import gaussian_variances, long_run_variances

TRUTHS = ("segment", "window", "absent")
_WINDOWS_KEPT = 64


class RecordedEnvironment(Environment):
    """Recorded inputs (sample, channel), played from the first to the last.

    Parameters
    ----------
    data : array, path or DataArray
        An array, also one mapped from disk; a file .npy, .npz, .nc (netCDF) or .csv, with a line of
        names or without; or an xarray variable. All but .npz are read a piece at a time, so that
        they need not fit into memory.
    variable : str, optional
        In .npz and .nc, which variable; may be left out where there is but one.
    sample_dim : str, optional
        Of an xarray or netCDF variable, the dimension along which samples follow each other; by
        default the first.
    delimiter : str
        Between the cells of a .csv file.
    changes : sequence of int
        First sample of each new segment, where statistics are known to change.
    contexts : sequence of str, optional
        Context of each segment, one more than there are changes; the same name may come back. By
        default every segment is a context of its own.
    truth : str
        There is no exact truth. ``"segment"``: the covariance of all samples of a segment;
        ``"window"``: the covariance of the samples around, in the same segment; ``"absent"``: none,
        so that no whitening error can be computed.
    window : int, optional
        Samples of a window. It moves in steps of a sixteenth of its width, and is cut off at the
        ends of its segment.
    centred : bool
        Whether the mean of each segment is subtracted from it. If not, the truth is the second
        moment about zero, to which the circuits respond.
    sha256 : str, optional
        Of the samples as little-endian 64-bit numbers, row by row, in hexadecimal; other data are
        refused. It is in the parameters that a run stores.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file or variable; samples are missing, not finite, or not numbers;
        changes do not increase or lie beyond the recording; a segment or window has too few samples
        for a covariance of full rank; or the data are not those of the checksum.

    Notes
    -----
    All replicates would be the same, so that :func:`adaptnet.simulate` runs no more than one. A run
    may not be longer than the recording.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(400, 2)) * np.repeat([[1.0], [3.0]], 200, 0)
    >>> recorded = RecordedEnvironment(data, changes=[200], contexts=["quiet", "loud"])
    >>> recorded.truth, recorded.n_samples
    ('empirical', 400)
    """

    def __init__(
        self,
        data: Recording,
        *,
        variable: str | None = None,
        sample_dim: str | None = None,
        delimiter: str = ",",
        changes: Sequence[int] = (),
        contexts: Sequence[str] | None = None,
        truth: str = "segment",
        window: int | None = None,
        centred: bool = True,
        sha256: str | None = None,
    ) -> None:
        self._table = table(data, variable, sample_dim, delimiter)
        self._file = os.fspath(data) if isinstance(data, str | os.PathLike) else None
        self._reading = {"variable": variable, "sample_dim": sample_dim, "delimiter": delimiter}
        self.n_samples = self._table.shape[0]
        self._kind = one_of("truth", truth, TRUTHS)
        if not isinstance(centred, bool):
            raise TypeError(f"centred must be True or False, got {centred!r}")
        self._centred = centred
        self._starts = _starts(changes, self.n_samples)
        self._names, self._contexts = _numbered(contexts, len(self._starts))
        self._window = self._checked_window(window)
        moments = Moments(self._table, self._starts)
        self._sha256 = moments.sha256
        if sha256 is not None and sha256 != self._sha256:
            raise ValueError(
                f"data must have the checksum {sha256}, but it is {self._sha256}: the recording "
                "has changed since; find the one of then, or leave sha256 out"
            )
        self._means = moments.means if self._centred else np.zeros_like(moments.means)
        self._covariances = np.empty((0, self.n_neurons, self.n_neurons))
        if self._kind != "absent":
            self._covariances = self._checked_covariances(moments)

    def _checked_window(self, window: int | None) -> int | None:
        if (window is None) == (self._kind == "window"):
            raise ValueError(
                f'window must be given with truth="window" and with no other, got {window!r} with '
                f"truth={self._kind!r}"
            )
        if window is None:
            return None
        samples = whole_number("window", window)
        if samples < self.n_neurons + self._centred:
            raise ValueError(
                f"window must be at least {self.n_neurons + self._centred} samples, or its "
                f"covariance of {self.n_neurons} channels has not full rank, got {samples}"
            )
        return samples

    def _checked_covariances(self, moments: Moments) -> Floats:
        covariances = []
        needed = self.n_neurons + self._centred
        for i, second in enumerate(moments.about_mean if self._centred else moments.about_zero):
            if moments.counts[i] < needed:
                raise ValueError(
                    f"segment {i} has {moments.counts[i]} samples, too few for a covariance of "
                    f"{self.n_neurons} channels with full rank, which takes {needed}; join it with "
                    'a neighbour, record longer, or give truth="absent"'
                )
            covariances.append(_full_rank(f"segment {i}", second, "join it with a neighbour, or"))
        return np.stack(covariances)

    @property
    def n_neurons(self) -> int:
        """Number of inputs: channels."""
        return self._table.shape[1]

    @property
    def truth(self) -> str:
        """``"empirical"`` or ``"absent"``."""
        return "absent" if self._kind == "absent" else "empirical"

    @property
    def centred(self) -> bool:
        """Whether the mean of each segment is subtracted."""
        return self._centred

    @property
    def deterministic(self) -> bool:
        """True: a recording is what it is."""
        return True

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return self._names

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if a run of `n_samples` is longer than the recording."""
        _refuse_beyond(n_samples, self.n_samples)

    def realize(self, seed: np.random.SeedSequence) -> "_RecordedRealization":
        """Return the recording, the same for every seed."""
        return _RecordedRealization(self, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values; arrays by their shape and checksum."""
        checksum = {"shape": list(self._table.shape), "sha256": self._sha256}
        return {
            "type": type(self).__name__,
            "data": checksum if self._file is None else self._file,
            **self._reading,
            "changes": self._starts[1:].tolist(),
            "contexts": [self._names[i] for i in self._contexts],
            "truth": self._kind,
            "window": self._window,
            "centred": self._centred,
            "sha256": self._sha256,
        }

    def segments(self, samples: Integers) -> Integers:
        """Return the segment of each of `samples`; the last goes on beyond the end."""
        return np.asarray(np.searchsorted(self._starts, samples, side="right") - 1)

    def changes_before(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which a segment begins."""
        return self._starts[(self._starts > 0) & (self._starts < n_samples)]

    def read(self, start: int, stop: int) -> Floats:
        """Return samples `start` to `stop`, centred if that was asked for."""
        means = self._means[self.segments(np.arange(start, stop))]
        return np.asarray(self._table.read(start, stop) - means)

    def context_of(self, segments: Integers) -> Integers:
        """Return the context of each of `segments`."""
        return np.asarray(self._contexts[segments])

    def covariance_around(self, segment: int, place: int) -> Floats:
        """Return the covariance of a segment, or of its window number `place`."""
        if self._window is None:
            return np.asarray(self._covariances[segment])
        edges = np.append(self._starts, self.n_samples)
        first, last = int(edges[segment]), int(edges[segment + 1])
        middle = place * self.step + self.step // 2
        start = max(first, min(middle - self._window // 2, last - self._window))
        inside = self.read(start, min(start + self._window, last))
        if self._centred:
            inside = inside - inside.mean(axis=0)
        second = inside.T @ inside / len(inside)
        return _full_rank(
            f"samples {start} to {start + len(inside)}", second, "widen the window, or"
        )

    def around(self, sample: int) -> tuple[int, int]:
        """Return the beginning and the end of the segment that a sample lies in."""
        segment = int(self.segments(np.array([sample]))[0])
        first, last = np.append(self._starts, self.n_samples)[segment : segment + 2]
        return int(first), int(last)

    @property
    def step(self) -> int:
        """Samples by which the window moves; the whole recording where truth is by segment."""
        return self.n_samples + 1 if self._window is None else max(1, self._window // 16)


def _full_rank(part: str, second: Floats, remedy: str) -> Floats:
    """Return the covariance of a part of the recording if it has full rank."""
    try:
        return covariance_matrix(f"the covariance of {part}", second)
    except ValueError as reason:
        raise ValueError(
            f"{str(reason).partition(';')[0]}; {remedy} leave out a channel that stands still or "
            'repeats others, or give truth="absent"'
        ) from None


def _starts(changes: Sequence[int], n_samples: int) -> Integers:
    starts = [0, *(whole_number("changes", s) for s in items("changes", changes))]
    for earlier, later in itertools.pairwise(starts):
        if later <= earlier:
            raise ValueError(
                f"changes must increase, but {later} comes after {earlier}; sort them and drop "
                "repeated ones"
            )
    if starts[-1] >= n_samples:
        raise ValueError(
            f"changes must lie within the recording of {n_samples} samples, got {starts[-1]}"
        )
    return np.array(starts, np.int64)


def _numbered(contexts: Sequence[str] | None, n_segments: int) -> tuple[tuple[str, ...], Integers]:
    """Return the names of contexts in the order they first come, and the number of each segment."""
    if contexts is None:
        contexts = [f"segment_{i}" for i in range(n_segments)]
    names = [str(name) for name in items("contexts", contexts)]
    if len(names) != n_segments:
        raise ValueError(
            f"contexts must be {n_segments}, one before the first change and one after each, "
            f"got {len(names)}"
        )
    for i, (left, entered) in enumerate(itertools.pairwise(names)):
        if left == entered:
            raise ValueError(
                f"contexts {i} and {i + 1} must differ, but both are {left!r}: there is no change "
                "between them; leave it out"
            )
    known = list(dict.fromkeys(names))
    return tuple(known), np.array([known.index(name) for name in names], np.int64)


class _RecordedRealization(Realization):
    def __init__(self, recording: RecordedEnvironment, seed: np.random.SeedSequence) -> None:
        super().__init__(recording.n_neurons, seed)
        self._recording = recording
        self._kept: dict[tuple[int, int], Floats] = {}

    def contexts(self, samples: Integers) -> Integers:
        return self._recording.context_of(self._recording.segments(np.asarray(samples)))

    def change_samples(self, n_samples: int) -> Integers:
        _refuse_beyond(n_samples, self._recording.n_samples)
        return self._recording.changes_before(n_samples)

    def covariances(self, samples: Integers) -> Floats:
        if self._recording.truth == "absent":
            raise TypeError("this recording was given without truth, so it has no covariances")
        samples = np.minimum(np.asarray(samples), self._recording.n_samples - 1)
        segments, places = self._recording.segments(samples), samples // self._recording.step
        path = np.empty((len(samples), self.n_neurons, self.n_neurons))
        for i, key in enumerate(zip(segments.tolist(), places.tolist(), strict=True)):
            if key not in self._kept:
                if len(self._kept) >= _WINDOWS_KEPT:
                    self._kept.clear()
                self._kept[key] = self._recording.covariance_around(*key)
            path[i] = self._kept[key]
        return path

    def product_variances(self, sample: int, rates: Floats | None = None) -> Floats | None:
        if self._recording.truth == "absent":
            return None
        return super().product_variances(sample, rates)

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        series = self._recording.read(*self._recording.around(sample)) @ whitening.T
        gaussian = gaussian_variances(series.T @ series / len(series))
        return np.asarray(long_run_variances(series, rates) - gaussian)

    def reader(self, start: int) -> "_RecordedReader":
        return _RecordedReader(self._recording, start)


class _RecordedReader:
    def __init__(self, recording: RecordedEnvironment, start: int) -> None:
        self._recording = recording
        self._at = start

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        end = self._at + len(inputs)
        _refuse_beyond(end, self._recording.n_samples)
        inputs[...] = self._recording.read(self._at, end)
        self._at = end


def _refuse_beyond(n_samples: int, length: int) -> None:
    if n_samples > length:
        raise ValueError(
            f"n_samples must be at most {length}, the length of the recording, got {n_samples}; "
            "run shorter, or record longer"
        )
