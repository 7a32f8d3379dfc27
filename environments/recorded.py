"""The user's own data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from environments.base import Environment
from environments.checks import Floats, Integers, one_of
from environments.configuration import build
from environments.data.array_likes import Samples, refuse_gaps, warn_of_counters, warn_of_means
from environments.data.moments import Moments, checksum, full_rank_covariance
from environments.data.running_mean import WithoutRunningMean
from environments.data.sampling_error import expected_whitening_error
from environments.data.segments import numbered_contexts, sampling_rate_of, segment_starts
from environments.data.source_file import owned, source_file
from environments.data.tables import WORDS, Recording, recorded_samples
from environments.data.truth import (
    TRUTHS,
    checked_centring,
    checked_window,
    flag,
    require_enough,
    segment_covariances,
)
from environments.samples import Realization
from environments.samples.products import gaussian_variances, long_run_variances

_WINDOWS_KEPT = 64


class RecordedEnvironment(Environment):
    """Recorded inputs (sample, channel), played from the first to the last.

    Parameters
    ----------
    data : array, DataArray, DataFrame or path
        An array, also a masked one or one mapped from disk; an xarray DataArray, whose samples lie
        along `sample_dim`, else a dimension called sample, time, frame or the like, else the
        first; a pandas DataFrame; a pynapple ``TsdFrame``; an NWB ``TimeSeries``; dask arrays and
        others of which NumPy can read rows; or a file .npy, .npz, .nc (netCDF) or .csv. Arrays in
        memory are copied. Files other than .npz are read a piece at a time, so that they need not
        fit into memory. In a .csv file a line of names and the index column that pandas writes are
        skipped.
    variable : str, optional
        In .npz and .nc, which variable; may be left out if there is only one.
    sample_dim : str, optional
        Of an xarray or netCDF variable, the dimension along which samples follow each other.
    delimiter : str
        Between the cells of a .csv file.
    changes : sequence of int, optional
        First sample of each new segment, where statistics are known to change. By default the
        beginnings of pynapple's epochs, or of what the outer levels of a MultiIndex count (trials,
        for example), and none for other data.
    contexts : sequence of str, optional
        Context of each segment, one more than there are changes; the same name may come back. By
        default every segment is a context of its own.
    truth : str
        There is no exact truth. ``"segment"``: the covariance of all samples of a segment;
        ``"window"``: the covariance of the samples around, in the same segment; ``"absent"``: none,
        so that no whitening error can be computed.
    window : int, optional
        Samples of a window. It moves in steps of a sixteenth of its width, and is cut off at the
        ends of its segment, so that after a change all of it lies ahead.
    causal : bool
        Whether a window ends at its sample: it then holds nothing that is yet to come, but for a
        while after a change samples of the segment before. At the beginning of the recording it is
        the first window.
    centred : bool or "running"
        True: the mean of each segment is subtracted from it, offline. ``"running"``: an exponential
        average of the samples before is subtracted, as could be done online. False: nothing is
        subtracted. The truth is the second moment about zero of what is left, to which circuits
        respond.
    mean_samples : int, optional
        With ``centred="running"``, the time constant of the average.
    sampling_rate : float, optional
        Samples per second; by default from the times of the data, if they have any.
    sha256 : str, optional
        Of the samples as little-endian 64-bit numbers, row by row, in hexadecimal; other data are
        refused. It is in the parameters that a run stores.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file or variable; samples are missing, not finite, or not real numbers;
        there are fewer samples than channels; times have a gap other than at a change; changes do
        not increase or lie beyond the recording; a segment or window has too few samples for a
        covariance of full rank; or the data are not those of the checksum.

    Warns
    -----
    SamplingFloorWarning
        If a window is so short that its sampling error alone is above 0.1.
    UserWarning
        If means are far from zero with ``centred=False``, or a channel rises with every sample as
        an index does.

    Notes
    -----
    All replicates would be the same, so that :func:`adaptnet.simulate` runs at most one. A run may
    not be longer than the recording.

    An empirical covariance has a sampling error, which is charged to the circuits: from a window of
    200 samples of ten channels, the whitening error of perfect weights on white inputs is 0.4.
    :meth:`describe` gives it, from the effective number of samples if they have a memory.

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
        changes: Sequence[int] | None = None,
        contexts: Sequence[str] | None = None,
        truth: str = "segment",
        window: int | None = None,
        causal: bool = False,
        centred: bool | str = True,
        mean_samples: int | None = None,
        sampling_rate: float | None = None,
        sha256: str | None = None,
    ) -> None:
        # Absolute, so that a change of the working directory does not matter.
        self._file = Path(data).absolute() if isinstance(data, str | os.PathLike) else None
        found = recorded_samples(self._file or data, variable, sample_dim, delimiter)
        self._raw = owned(found)
        self._source = source_file(self._file, data)
        self._reading = {"variable": variable, "sample_dim": sample_dim, "delimiter": delimiter}
        self.n_samples, self._n_neurons = map(int, found.values.shape)
        self._starts = segment_starts(found.epochs if changes is None else changes, self.n_samples)
        refuse_gaps(WORDS, found, self._starts.tolist())
        default = "epoch" if changes is None and found.epochs else "segment"
        self._names, self._contexts = numbered_contexts(contexts, len(self._starts), default)
        self.sampling_rate = sampling_rate_of(sampling_rate, found)
        self._kind = one_of("truth", truth, TRUTHS)
        self._centred, self._mean_samples = checked_centring(centred, mean_samples)
        self._causal = flag("causal", causal)
        self._window = checked_window(window, self._kind, self._causal)
        if self._window is not None:
            require_enough(self._window, self.n_neurons, mean_removed=self._centred is True)
        self._sha256 = self._survey(sha256)

    def _survey(self, sha256: str | None) -> str:
        """Read all samples once: check them, find means and covariances, return the checksum."""
        moments = Moments(self._raw, self._starts)
        if sha256 is not None and sha256 != moments.sha256:
            raise ValueError(
                f"data must have the checksum {sha256}, but it is {moments.sha256}: the recording "
                "has changed; find the original, or leave sha256 out"
            )
        warn_of_counters(WORDS, moments.rising, self.n_samples)
        self._samples, found = self._raw, moments.sha256
        if self._mean_samples is not None:
            self._samples = Samples(WithoutRunningMean(self._raw, self._mean_samples))
            moments = Moments(self._samples, self._starts)
        self._means = np.zeros_like(moments.means)
        if self._centred is True:
            self._means = moments.means
        elif self._centred is False:
            deviations = np.sqrt(np.diagonal(moments.about_mean, axis1=1, axis2=2).clip(min=0))
            mean, spread = (
                np.average(values, axis=0, weights=moments.counts)
                for values in (moments.means, deviations)
            )
            warn_of_means(WORDS, mean, spread, self.n_samples)
        self._covariances = np.empty((0, self.n_neurons, self.n_neurons))
        if self._kind != "absent":
            self._covariances = segment_covariances(moments, mean_removed=self._centred is True)
        return found

    @property
    def n_neurons(self) -> int:
        """Number of inputs: channels."""
        return self._n_neurons

    @property
    def truth(self) -> str:
        """``"empirical"`` or ``"absent"``."""
        return "absent" if self._kind == "absent" else "empirical"

    @property
    def centred(self) -> bool:
        """Whether a mean is subtracted."""
        return self._centred is not False

    @property
    def deterministic(self) -> bool:
        """True: a recording is the same whenever it is played."""
        return True

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return self._names

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if a run of `n_samples` is longer than the recording."""
        _refuse_beyond(n_samples, self.n_samples)

    def realize(self, seed: np.random.SeedSequence) -> _RecordedRealization:
        """Return the recording, the same for every seed.

        Raises
        ------
        ValueError
            If the file that it is read from has changed since the environment was made.
        """
        if self._source.may_differ() and checksum(self._raw) != self._sha256:
            raise ValueError(
                f"data have changed since this environment was made from {self._file or 'them'}; "
                "make it again"
            )
        return _RecordedRealization(self, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values; arrays by their shape and checksum."""
        by_checksum = {"shape": [self.n_samples, self.n_neurons], "sha256": self._sha256}
        return {
            "type": type(self).__name__,
            "data": by_checksum if self._file is None else str(self._file),
            **self._reading,
            "changes": self._starts[1:].tolist(),
            "contexts": [self._names[i] for i in self._contexts],
            "truth": self._kind,
            "window": self._window,
            "causal": self._causal,
            "centred": self._centred,
            "mean_samples": self._mean_samples,
            "sampling_rate": self.sampling_rate,
            "sha256": self._sha256,
        }

    def __reduce__(self) -> Any:
        """Pickle a recording in a file by its path and checksum, one in memory with its samples."""
        if self._file is not None:
            return build, (self.parameters(),)
        return super().__reduce__()

    def describe(self, n_samples: int, seed: int | np.random.SeedSequence = 0) -> dict[str, Any]:
        """Describe the recording, and the sampling error of its truth.

        ``sampling_floor``: errors of perfect circuits because covariances are estimated, from the
        ``samples`` of the window or of the shortest segment, of which ``effective_samples`` are
        independent: ``whitening_error`` and ``frobenius_error``.
        """
        described = super().describe(n_samples, seed)
        if self._kind != "absent":
            described["sampling_floor"] = self._sampling_floor()
        return described

    def _sampling_floor(self) -> dict[str, float]:
        counts = np.diff(self._starts, append=self.n_samples)
        samples = int(counts.min() if self._window is None else self._window)
        n = self.n_neurons
        variances = _RecordedRealization(self, np.random.SeedSequence(0)).product_variances(0)
        assert variances is not None
        independent = samples * n * (n + 1) / float(variances.sum())
        return {
            "samples": samples,
            "effective_samples": independent,
            "whitening_error": expected_whitening_error(n, independent),
            "frobenius_error": float(np.sqrt(n * (n + 1) / independent)),
        }

    def segments(self, samples: Integers) -> Integers:
        """Return the segment of each of `samples`; the last goes on beyond the end."""
        return np.asarray(np.searchsorted(self._starts, samples, side="right") - 1)

    def changes_before(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which a segment begins."""
        return self._starts[(self._starts > 0) & (self._starts < n_samples)]

    def read(self, start: int, stop: int) -> Floats:
        """Return samples `start` to `stop` as inputs, centred if that was asked for."""
        means = self._means[self.segments(np.arange(start, stop))]
        return np.asarray(self._samples.read(start, stop) - means)

    def context_of(self, segments: Integers) -> Integers:
        """Return the context of each of `segments`."""
        return np.asarray(self._contexts[segments])

    def around(self, sample: int) -> tuple[int, int]:
        """Return the beginning and the end of the segment that a sample lies in."""
        segment = int(self.segments(np.array([sample]))[0])
        first, last = np.append(self._starts, self.n_samples)[segment : segment + 2]
        return int(first), int(last)

    def covariance_around(self, segment: int, place: int) -> Floats:
        """Return the covariance of a segment, or of its window number `place`."""
        if self._window is None:
            return np.asarray(self._covariances[segment])
        edges = np.append(self._starts, self.n_samples)
        first, last = int(edges[segment]), int(edges[segment + 1])
        if self._causal:  # up to the first sample of the step, whatever its segment
            end = max(place * self.step + 1, min(self._window, self.n_samples))
            start = max(0, end - self._window)
        else:
            middle = place * self.step + self.step // 2
            start = max(first, min(middle - self._window // 2, last - self._window))
            end = min(start + self._window, last)
        # About zero, for this is what the circuits get: one centring for both.
        inputs = self.read(start, end)
        second = inputs.T @ inputs / len(inputs)
        return full_rank_covariance(f"samples {start} to {end}", second, "widen the window, or")

    @property
    def step(self) -> int:
        """Samples by which the window moves; the whole recording if truth is by segment."""
        return self.n_samples + 1 if self._window is None else max(1, self._window // 16)


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

    def reader(self, start: int) -> _RecordedReader:
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
