"""Contexts that follow a Markov chain: changes that cannot be predicted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from environments import Environment
from environments.presets import rotations
from environments.schedules import MarkovChain
from scenarios.parameters import parameter
from scenarios.shared import Race, Rotated


@dataclass(frozen=True, kw_only=True)
class Markov(Race, Rotated):
    """Contexts of one spectrum follow a Markov chain, so that changes cannot be predicted.

    The durations of contexts have a geometric distribution; each of the other contexts follows with
    the same probability. All replicates share the path drawn from `path_seed`, and differ in their
    samples.
    """

    n_contexts: int = parameter(
        3, "contexts, each with an eigenbasis of its own", above=1, at_most=1000
    )
    mean_duration: float = parameter(200_000.0, "mean samples that a context lasts", above=1)
    length: int = parameter(1_200_000, "samples per replicate", above=0)
    records: int = parameter(1000, "records of the error per replicate", above=0)
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
        leave = 1 / self.mean_duration
        chain = np.full((self.n_contexts, self.n_contexts), leave / (self.n_contexts - 1))
        np.fill_diagonal(chain, 1 - leave)
        return rotations(
            self.spectrum,
            self.n_contexts,
            eigenbasis_seed=self.eigenbasis_seed,
            schedule=MarkovChain(chain),
            path_seed=self.path_seed,
        )

    @property
    def n_samples(self) -> int:
        """Samples per replicate."""
        return self.length
