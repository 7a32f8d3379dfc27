"""How far outputs themselves are from white, and how far white ones would seem to be.

The whitening error of a run follows from weights and the true covariance. An experimenter has the
outputs alone: their second moments over some samples, and errors that would not vanish if they were
white, for the samples are few. That is the sampling floor.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, Integers, positive_number, positive_numbers, whole_number

_EIGENVALUES = 10_000  # drawn for the floor of the operator norm: its own error is below 1 %
_LARGEST = 1e150
_PIECE = 2**21  # numbers of moments held at a time
_GRID = 25  # numbers of samples at which that floor is drawn, if more are asked for


class RunningMoments(NamedTuple):
    """Second moments of outputs at some samples."""

    moments: Floats
    """Weighted means of y y' (..., record, n, n)."""
    n_effective: Floats
    """Number of equally weighted samples that are as precise (record,)."""


class EmpiricalErrors(NamedTuple):
    """Errors of running second moments, and what they would be if outputs were white."""

    whitening_error: Floats
    """Largest absolute eigenvalue of S - I, S the second moment (..., record)."""
    frobenius_error: Floats
    """Frobenius norm of S - I (..., record)."""
    whitening_error_floor: Floats
    """Sampling floor of the whitening error (record,)."""
    frobenius_error_floor: Floats
    """Sampling floor of the Frobenius error (record,)."""


class SamplingFloor(NamedTuple):
    """Root mean square of each error for white outputs of which only some samples are known."""

    whitening_error: Floats
    frobenius_error: Floats


def running_second_moments(
    outputs: npt.ArrayLike,
    samples: npt.ArrayLike | None = None,
    *,
    window: int | None = None,
    timescale: float | None = None,
) -> RunningMoments:
    """Return second moments of outputs until some samples: of all, a window, or fading ones.

    Moments are about zero, as those that circuits whiten: no mean is subtracted.

    Parameters
    ----------
    outputs : array (..., sample, n)
        Responses, a row per sample; leading dimensions are repetitions.
    samples : array (record,), optional
        Numbers of samples, ascending from 1 on: record s is of outputs 0 to s - 1. By default
        there is a record after every sample.
    window : int, optional
        Only the last `window` outputs count, equally; fewer where there are not as many yet.
    timescale : float, optional
        Weights fall by the factor 1 - 1/timescale with every sample; they add up to one from the
        first sample on. In the long run they are as precise as 2 timescale - 1 equal ones. Without
        `window` and `timescale` all outputs count equally.

    Returns
    -------
    RunningMoments
        ``moments`` (..., record, n, n), and ``n_effective`` (record,), (sum w)^2 / sum w^2 of their
        weights w.

    Raises
    ------
    TypeError, ValueError
        If outputs are not finite or have fewer than two dimensions, samples do not ascend within
        them, both `window` and `timescale` are given, or either is too small.

    Examples
    --------
    >>> moments, n_effective = running_second_moments([[1.0], [3.0], [3.0]], window=2)
    >>> moments.ravel(), n_effective
    (array([1., 5., 9.]), array([1., 2., 2.]))
    """
    y = _checked_outputs(outputs)
    ends = _checked_samples(samples, y.shape[-2])
    pieces = list(_pieces(y, ends, window, timescale))
    n = y.shape[-1]
    moments = np.concatenate([piece for piece, _ in pieces], axis=1)
    return RunningMoments(
        moments.reshape(*y.shape[:-2], len(ends), n, n), np.concatenate([n for _, n in pieces])
    )


def empirical_errors(
    outputs: npt.ArrayLike,
    samples: npt.ArrayLike | None = None,
    *,
    window: int | None = None,
    timescale: float | None = None,
) -> EmpiricalErrors:
    """Return the errors that outputs themselves show, beside what white ones would show.

    Parameters
    ----------
    outputs, samples, window, timescale
        As for :func:`running_second_moments`.

    Returns
    -------
    EmpiricalErrors
        ``whitening_error`` and ``frobenius_error`` (..., record), and the sampling floor of each
        (record,), see :func:`sampling_floor`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`running_second_moments`.

    Examples
    --------
    >>> white = np.random.default_rng(0).normal(size=(10_000, 3))
    >>> errors = empirical_errors(white, [100, 10_000])
    >>> errors.frobenius_error.round(3), errors.frobenius_error_floor.round(3)
    (array([0.236, 0.044]), array([0.346, 0.035]))
    """
    y = _checked_outputs(outputs)
    ends, n = _checked_samples(samples, y.shape[-2]), y.shape[-1]
    # Piece by piece, for moments are n times as large as outputs.
    pieces = [
        (*moment_errors(moments), n_effective)
        for moments, n_effective in _pieces(y, ends, window, timescale)
    ]
    worst, total = (np.concatenate([piece[i] for piece in pieces], axis=1) for i in (0, 1))
    shape, floor = (
        (*y.shape[:-2], len(ends)),
        sampling_floor(n, np.concatenate([piece[2] for piece in pieces])),
    )
    return EmpiricalErrors(worst.reshape(shape), total.reshape(shape), *floor)


def moment_errors(moments: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return how far second moments of outputs are from those of white ones, in two norms.

    Parameters
    ----------
    moments : array (..., n, n)
        Second moments S, symmetric.

    Returns
    -------
    whitening_error, frobenius_error : array (...)
        max |eigenvalue(S) - 1| and ||S - I||_F; NaN where S is not finite.

    Examples
    --------
    >>> worst, total = moment_errors(np.diag([0.5, 1.0, 3.0]))
    >>> float(worst), round(float(total), 3)
    (2.0, 2.062)
    """
    S = np.asarray(moments, dtype=np.float64)
    finite = np.asarray(np.isfinite(S).all(axis=(-1, -2)))
    eigenvalues = np.linalg.eigvalsh(np.where(finite[..., None, None], S, 0.0)) - 1
    worst = np.abs(eigenvalues).max(axis=-1, initial=0.0)
    total = np.sqrt((eigenvalues**2).sum(axis=-1))
    return np.where(finite, worst, np.nan), np.where(finite, total, np.nan)


def sampling_floor(n_neurons: int, n_samples: npt.ArrayLike) -> SamplingFloor:
    """Return the errors that white outputs show if their second moments are of so few samples.

    They hold for Gaussian outputs that are independent from sample to sample. E||S - I||_F^2 is
    (E|y|^4 - n) / w for w samples of n white outputs whatever their distribution, and n (n + 1) / w
    for Gaussian ones. The floor of the operator norm has no closed form (for w much larger than n
    its square tends to 2/w if n = 1, to 5/w if n = 2 and to 4 n/w for large n): it is the mean over
    matrices drawn from Wishart's law, the same draws at every call. Correlations over time, as of
    outputs of a slow input, raise both.

    Parameters
    ----------
    n_neurons : int
        n.
    n_samples : array_like of float
        w, at least 1; ``n_effective`` of :func:`running_second_moments` where weights differ.

    Returns
    -------
    SamplingFloor
        Root mean squares of ``whitening_error`` and ``frobenius_error``, each of the shape of
        `n_samples`.

    Raises
    ------
    TypeError, ValueError
        If a number is not at least 1.

    Examples
    --------
    >>> floor = sampling_floor(3, [100.0, 10_000.0])
    >>> floor.frobenius_error.round(4)  # (3 * 4 / w) ** 0.5
    array([0.3464, 0.0346])
    """
    n = whole_number("n_neurons", n_neurons)
    w = positive_numbers("n_samples", n_samples)
    if w.size and w.min() < 1:
        raise ValueError(f"n_samples must be at least 1, got {w.min():g}")
    frobenius = np.sqrt(n * (n + 1) / w)
    if n == 1:  # the only eigenvalue is the only entry
        return SamplingFloor(frobenius, frobenius.copy())
    asked, place = np.unique(w, return_inverse=True)
    if len(asked) > _GRID:
        # The floor is close to a power of w, and so to a line in logarithms.
        grid = np.geomspace(asked[0], asked[-1], _GRID)
        drawn = [_operator_floor(n, float(number)) for number in grid]
        worst = np.exp(np.interp(np.log(asked), np.log(grid), np.log(drawn)))
    else:
        worst = np.array([_operator_floor(n, float(number)) for number in asked])
    return SamplingFloor(worst[place].reshape(w.shape), frobenius)


def _checked_outputs(outputs: npt.ArrayLike) -> Floats:
    try:
        y: Floats = np.asarray(outputs, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"outputs must be an array of real numbers, got {outputs!r:.50}") from None
    if y.ndim < 2 or 0 in y.shape[-2:]:
        raise ValueError(f"outputs must be an array (..., sample, n), got shape {y.shape}")
    if not np.isfinite(y).all():
        raise ValueError(
            "outputs must be finite, got NaN or infinity; leave such samples out first (the last "
            "record of a run, which has no further input, holds NaN)"
        )
    if np.abs(y).max() > _LARGEST:
        raise ValueError(f"outputs must be below {_LARGEST:g}, or their squares overflow")
    return y


def _checked_samples(samples: npt.ArrayLike | None, n_samples: int) -> Integers:
    if samples is None:
        return np.arange(1, n_samples + 1)
    ends = np.asarray(samples)
    if ends.dtype.kind not in "iu" or ends.ndim != 1:
        raise TypeError(f"samples must be a sequence of whole numbers, got {samples!r:.50}")
    ends = ends.astype(np.int64)
    if len(ends) and (ends[0] < 1 or ends[-1] > n_samples or (np.diff(ends) <= 0).any()):
        raise ValueError(
            f"samples must ascend from 1 to at most {n_samples}, the number of outputs, got "
            f"{ends[0]} to {ends[-1]}"
        )
    return ends


def _checked_timescale(timescale: float) -> float:
    number = positive_number("timescale", timescale)
    if number < 1:
        raise ValueError(f"timescale must be at least 1 sample, got {number:g}")
    return number


def _pieces(
    y: Floats, ends: Integers, window: int | None, timescale: float | None
) -> Iterator[tuple[Floats, Floats]]:
    """Yield moments (repetition, record, n, n) of some records at a time, and their n_effective."""
    flat = y.reshape(-1, *y.shape[-2:])
    at_once = max(1, _PIECE // (len(flat) * y.shape[-1] ** 2))
    parts = np.split(ends, range(at_once, len(ends), at_once))
    if window is not None and timescale is not None:
        raise ValueError(f"give window or timescale, not both, got {window!r} and {timescale!r}")
    if window is not None:
        window = whole_number("window", window)
        yield from (_sliding(flat, part, window) for part in parts)
        return
    kept = 1.0 if timescale is None else 1.0 - 1.0 / _checked_timescale(timescale)
    fading = _Fading(np.zeros((len(flat), y.shape[-1], y.shape[-1])), kept)
    yield from (fading.moments(flat, part) for part in parts)


def _sliding(y: Floats, ends: Integers, window: int) -> tuple[Floats, Floats]:
    """Return means of y y' over windows.

    Each from its own samples: differences of running sums would lose digits in long runs.
    """
    lengths = np.minimum(ends, window)
    moments = np.empty((len(y), len(ends), y.shape[-1], y.shape[-1]))
    for record, (end, length) in enumerate(zip(ends, lengths, strict=True)):
        recent = y[:, end - length : end]
        moments[:, record] = np.swapaxes(recent, -1, -2) @ recent / length
    return moments, lengths.astype(np.float64)


@dataclass
class _Fading:
    """Means of y y' whose weights fall by the factor `kept` with every sample."""

    total: Floats  # (repetition, n, n) of weighted y y'
    kept: float
    weight: float = 0.0
    squared: float = 0.0
    begin: int = 0

    def moments(self, y: Floats, ends: Integers) -> tuple[Floats, Floats]:
        """Return the means at further samples."""
        moments = np.empty((len(y), len(ends), y.shape[-1], y.shape[-1]))
        n_effective = np.empty(len(ends))
        for record, end in enumerate(ends):
            ages = np.arange(end - self.begin - 1, -1, -1, dtype=np.float64)
            weights, fallen = self.kept**ages, self.kept ** float(len(ages))
            recent = y[:, self.begin : end]
            added = np.swapaxes(recent * weights[:, None], -1, -2) @ recent
            self.total = fallen * self.total + (added + np.swapaxes(added, -1, -2)) / 2
            self.weight = fallen * self.weight + weights.sum()
            self.squared = fallen**2 * self.squared + (weights**2).sum()
            self.begin = int(end)
            moments[:, record] = self.total / self.weight
            n_effective[record] = self.weight**2 / self.squared
        return moments, n_effective


@functools.lru_cache(maxsize=256)
def _operator_floor(n: int, w: float) -> float:
    """Return the root mean square of max |eigenvalue(S) - 1| for Wishart's S of w samples."""
    rng = np.random.default_rng(0)
    n_draws = max(40, _EIGENVALUES // n)
    # Bartlett's factor: S = L L' / w with normals below the diagonal, whose squares are chi^2.
    factor = np.tril(rng.standard_normal((n_draws, n, n)), -1)
    freedom = w - np.arange(n)
    known = freedom > 0  # fewer samples than neurons: the rest of S is singular
    diagonal = np.zeros((n_draws, n))
    diagonal[:, known] = np.sqrt(rng.chisquare(freedom[known], (n_draws, int(known.sum()))))
    factor[:, :, ~known] = 0.0
    factor[:, np.arange(n), np.arange(n)] = diagonal
    eigenvalues = np.linalg.eigvalsh(factor @ np.swapaxes(factor, -1, -2) / w)
    return float(np.sqrt(np.mean(np.abs(eigenvalues - 1).max(axis=-1) ** 2)))
