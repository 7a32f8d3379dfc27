"""Switches that neuroscientists know, in a row: a rotation, a contrast drop, a contrast rise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adaptnet import Circuit
from environments import Environment, SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.base import SimulationScenario, both_circuits, parameter


@dataclass(frozen=True, kw_only=True)
class Switching(SimulationScenario):
    """Covariance rotates at equal spectrum, then contrast falls tenfold and rises again.

    Four blocks: a context to start with; the same spectrum in another eigenbasis; that context at
    a lower contrast, all inputs divided by `contrast_step`; and back at the old contrast. The
    eigenbases are drawn once, from `eigenbasis_seed`: replicates differ in their samples alone.
    """

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    n_interneurons: int = parameter(10, "interneurons, at least n_neurons", above=0, at_most=10_000)
    condition: float = parameter(10.0, "largest by smallest variance of a context", above=1)
    contrast_step: float = parameter(10.0, "factor by which inputs shrink, then grow", above=1)
    block_length: int = parameter(120_000, "samples between switches", above=0)
    learning_rate: float = parameter(2e-5, "eta, of both circuits", above=0)
    initial_weights: float = parameter(1.0, "a of the initial effective weights a I", above=0)
    records_per_block: int = parameter(200, "records of the error in each block", above=0)
    eigenbasis_seed: int = parameter(1, "seed of the two eigenbases", above=-1)

    preview: ClassVar[Mapping[str, Any]] = {
        "block_length": 3000,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records_per_block": 100,
    }

    def environment(self) -> Environment:
        """Return the three contexts in four blocks."""
        spectrum = np.geomspace(1.0, self.condition, self.n_neurons)
        spectrum /= spectrum.mean()
        rng = np.random.default_rng(self.eigenbasis_seed)
        first, rotated = (
            with_spectrum(spectrum, random_eigenbasis(self.n_neurons, rng)) for _ in range(2)
        )
        return SwitchingEnvironment(
            [first, rotated, rotated / self.contrast_step**2],
            block_length=self.block_length,
            order=[0, 1, 2, 1],
            context_names=["first", "rotated", "rotated_low_contrast"],
        )

    def circuits(self) -> dict[str, Circuit]:
        """Return both circuits, at one learning rate."""
        return both_circuits(self.n_interneurons, self.initial_weights, self.learning_rate)

    @property
    def n_samples(self) -> int:
        """Samples a replicate: four blocks."""
        return 4 * self.block_length

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.block_length // self.records_per_block)
