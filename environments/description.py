"""Descriptions of what a replicate drew: durations, contexts, distances covered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from environments.paths.geometry import distance

if TYPE_CHECKING:
    from environments.samples import Realization

_POINTS = 129


def description(
    realization: "Realization", names: Sequence[str], n_samples: int, truth: str
) -> dict[str, Any]:
    """Return segments, shares of time and, if the truth is known, distances covered."""
    changes = realization.change_samples(n_samples)
    starts = np.concatenate([[0], changes])
    durations = np.diff(starts, append=n_samples)
    contexts = realization.contexts(starts)
    described: dict[str, Any] = {
        "n_samples": n_samples,
        "segments": [
            {"start": int(start), "duration": int(duration), "context": names[context]}
            for start, duration, context in zip(starts, durations, contexts, strict=True)
        ],
        "mean_duration": float(durations.mean()),
        "time_in_context": {
            name: float(durations[contexts == i].sum() / n_samples) for i, name in enumerate(names)
        },
    }
    if truth == "absent":
        return described
    even = np.linspace(0, n_samples - 1, _POINTS).astype(np.int64)
    points = np.unique(np.concatenate([even, starts, changes - 1]))
    covered = 0.0
    last = first = realization.covariances(points[:1])
    for part in np.array_split(points[1:], len(points) // 256 + 1):
        if part.size:  # a few at a time: the covariances of a long run may not fit into memory
            path = np.concatenate([last, realization.covariances(part)])
            covered += float(distance(path[:-1], path[1:], "affine_invariant").sum())
            last = path[-1:]
    described["distance_start_to_end"] = float(distance(first[0], last[0], "affine_invariant"))
    described["distance_covered"] = covered
    described["distance_points"] = len(points)
    return described
