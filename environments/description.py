"""What a replicate really drew: durations, contexts, distances covered."""

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
    """Return segments, shares of time and, where there is truth, distances covered."""
    changes = realization.change_samples(n_samples)
    starts = np.concatenate([[0], changes])
    durations = np.diff(starts, append=n_samples)
    contexts = realization.contexts(starts)
    told: dict[str, Any] = {
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
        return told
    even = np.linspace(0, n_samples - 1, _POINTS).astype(np.int64)
    points = np.unique(np.concatenate([even, starts, changes - 1]))
    covered = 0.0
    last = first = realization.covariances(points[:1])
    for part in np.array_split(points[1:], len(points) // 256 + 1):
        if part.size:  # a few at a time: all the covariances of a long run need not fit
            path = np.concatenate([last, realization.covariances(part)])
            covered += float(distance(path[:-1], path[1:], "affine_invariant").sum())
            last = path[-1:]
    told["distance_start_to_end"] = float(distance(first[0], last[0], "affine_invariant"))
    told["distance_covered"] = covered
    told["distance_points"] = len(points)
    return told
