"""A covariance that drifts to another at a given speed, and jumps back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from environments import (
    Concatenate,
    DriftingEnvironment,
    Environment,
    StationaryEnvironment,
    SwitchingEnvironment,
)
from environments.paths import Geodesic
from environments.schedules import ChangeSamples
from scenarios.parameters import parameter
from scenarios.shared import Race, Rotated


@dataclass(frozen=True, kw_only=True)
class Drifting(Race, Rotated):
    """Covariance drifts from one eigenbasis to another at constant speed, rests, and jumps back.

    Drift and jump cover the same distance. While the covariance drifts, circuits lag behind it;
    how far, and how soon they catch up when it rests, is compared with the jump.
    """

    speed: float = parameter(0.03, "distance per thousand samples, in the metric", above=0)
    metric: str = parameter(
        "affine_invariant",
        "geometry of path and speed: affine_invariant, log_euclidean, bures_wasserstein, euclidean",
    )
    rest: int = parameter(120_000, "samples at each rest: before, after, and back", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "rest": 3000,
        "speed": 1.2,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records": 300,
    }

    def _drift(self) -> DriftingEnvironment:
        return DriftingEnvironment(
            Geodesic(self.rotations(2), self.metric), speed=self.speed, metric=self.metric
        )

    def environment(self) -> Environment:
        """Return rest, drift, rest at its end, and the start again."""
        start, end = self.rotations(2)
        rests = SwitchingEnvironment(
            [end, start],
            schedule=ChangeSamples([self.rest]),
            context_names=["arrived", "back"],
        )
        return Concatenate(
            [StationaryEnvironment(start, name="start"), self._drift(), rests],
            [self.rest, self._drift_length],
        )

    @property
    def _drift_length(self) -> int:
        return max(1, round(self._drift().duration))

    @property
    def n_samples(self) -> int:
        """Samples per replicate: three rests and the drift."""
        return 3 * self.rest + self._drift_length
