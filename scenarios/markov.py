"""Contexts that follow a Markov chain: changes that cannot be foreseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adaptnet import Circuit
from environments import Environment
from environments.presets import rotations
from environments.schedules import MarkovChain
from scenarios.base import SimulationScenario, both_circuits, parameter


@dataclass(frozen=True, kw_only=True)
class Markov(SimulationScenario):
    """Contexts of one spectrum follow a Markov chain, so that changes cannot be foreseen.

    Each context lasts a geometric time, then another follows, all with equal chance. All replicates
    share the path drawn from `path_seed`; they differ in their samples.
    """

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    n_interneurons: int = parameter(10, "interneurons, at least n_neurons", above=0, at_most=10_000)
    n_contexts: int = parameter(
        3, "contexts, each with an eigenbasis of its own", above=1, at_most=1000
    )
    condition: float = parameter(10.0, "largest by smallest variance of a context", above=1)
    mean_duration: float = parameter(200_000.0, "mean samples that a context lasts", above=1)
    length: int = parameter(1_200_000, "samples a replicate", above=0)
    learning_rate: float = parameter(2e-5, "eta, of both circuits", above=0)
    initial_weights: float = parameter(1.0, "a of the initial effective weights a I", above=0)
    records: int = parameter(1000, "records of the error", above=0)
    eigenbasis_seed: int = parameter(1, "seed of the eigenbases", above=-1)
    path_seed: int = parameter(6, "seed of the path of contexts", above=-1)

    preview: ClassVar[Mapping[str, Any]] = {
        "mean_duration": 2500.0,
        "length": 15_000,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records": 500,
    }

    def environment(self) -> Environment:
        """Return the contexts and their chain."""
        spectrum = np.geomspace(1.0, self.condition, self.n_neurons)
        leave = 1 / self.mean_duration
        chain = np.full((self.n_contexts, self.n_contexts), leave / (self.n_contexts - 1))
        np.fill_diagonal(chain, 1 - leave)
        return rotations(
            spectrum / spectrum.mean(),
            self.n_contexts,
            eigenbasis_seed=self.eigenbasis_seed,
            schedule=MarkovChain(chain),
            path_seed=self.path_seed,
        )

    def circuits(self) -> dict[str, Circuit]:
        """Return both circuits, at one learning rate."""
        return both_circuits(self.n_interneurons, self.initial_weights, self.learning_rate)

    @property
    def n_samples(self) -> int:
        """Samples a replicate."""
        return self.length

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.length // self.records)
