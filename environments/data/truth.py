"""What stands for the truth of a recording: covariances of segments or of windows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from environments.checks import Floats, whole_number
from environments.data.moments import Moments, full_rank_covariance
from environments.data.sampling_error import expected_whitening_error

TRUTHS = ("segment", "window", "absent")
_HIGH_FLOOR = 0.1  # the threshold that readaptation times have by default


class SamplingFloorWarning(UserWarning):
    """An empirical truth is so uncertain that circuits without fault have a large error."""


def checked_window(window: int | None, truth: str, causal: bool) -> int | None:
    """Return the samples of a window, if the truth is that of windows."""
    if (window is None) == (truth == "window"):
        raise ValueError(
            'window must be given with truth="window", and only then, got '
            f"{window!r} with truth={truth!r}"
        )
    if window is None:
        if causal:
            raise ValueError('causal must be False unless truth="window"')
        return None
    return whole_number("window", window)


def require_enough(window: int, n_neurons: int, *, mean_removed: bool) -> None:
    """Raise a ValueError if a window has too few samples, and warn if it has few."""
    needed = n_neurons + mean_removed
    if window < needed:
        raise ValueError(
            f"window must be at least {needed} samples, or its covariance of "
            f"{n_neurons} channels does not have full rank, got {window}"
        )
    error = expected_whitening_error(n_neurons, window)
    if error > _HIGH_FLOOR:
        warnings.warn(
            f"a window of {window} samples of {n_neurons} channels has a sampling error "
            f"that alone gives whitening errors near {error:.2f}; times to thresholds below "
            "that mean nothing. Widen the window, or use fewer channels",
            SamplingFloorWarning,
            stacklevel=3,
        )


def segment_covariances(moments: Moments, *, mean_removed: bool) -> Floats:
    """Return the covariance of each segment, about its mean if that is removed, else about 0."""
    seconds = moments.about_mean if mean_removed else moments.about_zero
    n = seconds.shape[-1]
    needed = n + mean_removed
    covariances = []
    for i, second in enumerate(seconds):
        if moments.counts[i] < needed:
            raise ValueError(
                f"segment {i} has {moments.counts[i]} samples, too few for a covariance of "
                f"{n} channels with full rank, which takes {needed}; join it with "
                'a neighbour, record longer, or give truth="absent"'
            )
        covariances.append(
            full_rank_covariance(f"segment {i}", second, "join it with a neighbour, or")
        )
    return np.stack(covariances)


def checked_centring(centred: Any, mean_samples: int | None) -> tuple[bool | str, int | None]:
    """Return how means are removed, and over how many samples a running one is taken."""
    if isinstance(centred, str) and centred != "running":
        raise TypeError(f'centred must be True or False, got {centred!r}; or "running"')
    if (centred == "running") != (mean_samples is not None):
        raise ValueError(
            'mean_samples must be given with centred="running", and only then, got '
            f"{mean_samples!r} with centred={centred!r}"
        )
    if mean_samples is None:
        return flag("centred", centred), None
    return "running", whole_number("mean_samples", mean_samples)


def flag(name: str, value: Any) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value
