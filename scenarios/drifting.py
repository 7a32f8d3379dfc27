"""A covariance that drifts to another at a given speed, and jumps back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adaptnet import Circuit
from environments import (
    Concatenate,
    DriftingEnvironment,
    Environment,
    StationaryEnvironment,
    SwitchingEnvironment,
)
from environments.covariances import random_eigenbasis, with_spectrum
from environments.paths import Geodesic
from environments.schedules import ChangeSamples
from scenarios.base import SimulationScenario, both_circuits, parameter


@dataclass(frozen=True, kw_only=True)
class Drifting(SimulationScenario):
    """Covariance drifts from one eigenbasis to another at constant speed, rests, and jumps back.

    Drift and jump cover the same distance. While the covariance drifts, circuits lag behind it;
    how far, and how soon they catch up when it rests, is set against the jump.
    """

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    n_interneurons: int = parameter(10, "interneurons, at least n_neurons", above=0, at_most=10_000)
    condition: float = parameter(10.0, "largest by smallest variance of both ends", above=1)
    speed: float = parameter(0.03, "distance a thousand samples, in the metric", above=0)
    metric: str = parameter(
        "affine_invariant",
        "geometry of path and speed: affine_invariant, log_euclidean, bures_wasserstein, euclidean",
    )
    rest: int = parameter(120_000, "samples at each rest: before, after, and back", above=0)
    learning_rate: float = parameter(2e-5, "eta, of both circuits", above=0)
    initial_weights: float = parameter(1.0, "a of the initial effective weights a I", above=0)
    records: int = parameter(800, "records of the error", above=0)
    eigenbasis_seed: int = parameter(1, "seed of the two eigenbases", above=-1)

    preview: ClassVar[Mapping[str, Any]] = {
        "rest": 3000,
        "speed": 1.2,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records": 300,
    }

    def _ends(self) -> list[Any]:
        spectrum = np.geomspace(1.0, self.condition, self.n_neurons)
        spectrum /= spectrum.mean()
        rng = np.random.default_rng(self.eigenbasis_seed)
        return [with_spectrum(spectrum, random_eigenbasis(self.n_neurons, rng)) for _ in range(2)]

    def _drift(self) -> DriftingEnvironment:
        return DriftingEnvironment(
            Geodesic(self._ends(), self.metric), speed=self.speed, metric=self.metric
        )

    def environment(self) -> Environment:
        """Return rest, drift, rest at its end, and the start again."""
        start, end = self._ends()
        rests = SwitchingEnvironment(
            [end, start],
            schedule=ChangeSamples([self.rest]),
            context_names=["arrived", "back"],
        )
        return Concatenate(
            [StationaryEnvironment(start, name="start"), self._drift(), rests],
            [self.rest, self._drift_length],
        )

    def circuits(self) -> dict[str, Circuit]:
        """Return both circuits, at one learning rate."""
        return both_circuits(self.n_interneurons, self.initial_weights, self.learning_rate)

    @property
    def _drift_length(self) -> int:
        return max(1, round(self._drift().duration))

    @property
    def n_samples(self) -> int:
        """Samples a replicate: three rests and the drift."""
        return 3 * self.rest + self._drift_length

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.n_samples // self.records)
