"""Segments of a recording, and its sampling rate."""

import itertools
from collections.abc import Sequence

import numpy as np

from environments.checks import Integers, items, positive, whole_number
from environments.data.array_likes import Samples, rate_of


def segment_starts(changes: Sequence[int], n_samples: int) -> Integers:
    """Return the first sample of each segment if changes increase within the recording."""
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


def numbered_contexts(
    contexts: Sequence[str] | None, n_segments: int, default: str
) -> tuple[tuple[str, ...], Integers]:
    """Return the names of contexts in the order of their first use, and each segment's number."""
    if contexts is None:
        contexts = [f"{default}_{i}" for i in range(n_segments)]
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


def sampling_rate_of(sampling_rate: float | None, found: Samples) -> float | None:
    """Return samples per second, as given or as the times say."""
    known = rate_of(found)
    if sampling_rate is None:
        return known
    rate = positive("sampling_rate", sampling_rate)
    if known is not None and abs(rate / known - 1) > 0.01:  # far above the rounding of times
        raise ValueError(
            f"sampling_rate is {rate:g} Hz, but the times of the recording say {known:g} Hz; "
            "leave it out, or drop the times"
        )
    return rate
