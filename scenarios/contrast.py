"""Contrast steps up and down: the same inputs, larger and smaller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adaptnet import Circuit
from environments import Environment
from environments.covariances import gaussian_neighbours
from environments.presets import contrast_steps
from scenarios.base import SimulationScenario, both_circuits, parameter


@dataclass(frozen=True, kw_only=True)
class Contrast(SimulationScenario):
    """Contrast steps down and up again, as in experiments on retina and motion pathway.

    Neurons in a row share signal with their neighbours; only the scale of the inputs changes, so
    that what is asked of a circuit is a change of gain. High and low contrast alternate.
    """

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    n_interneurons: int = parameter(10, "interneurons, at least n_neurons", above=0, at_most=10_000)
    width: float = parameter(1.0, "distance over which neighbours share signal", above=0)
    noise: float = parameter(0.3, "private share of each input's variance", above=0)
    high: float = parameter(1.0, "standard deviation of inputs at high contrast", above=0)
    low: float = parameter(0.2, "standard deviation of inputs at low contrast", above=0)
    n_blocks: int = parameter(4, "blocks, high and low contrast in turn", above=1, at_most=100_000)
    block_length: int = parameter(120_000, "samples between steps", above=0)
    learning_rate: float = parameter(2e-5, "eta, of both circuits", above=0)
    initial_weights: float = parameter(1.0, "a of the initial effective weights a I", above=0)
    records_per_block: int = parameter(200, "records of the error in each block", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "block_length": 3000,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records_per_block": 100,
    }

    def environment(self) -> Environment:
        """Return high and low contrast in turn, the last of them in force at the end."""
        return contrast_steps(
            gaussian_neighbours(self.n_neurons, self.width, self.noise),
            [self.high, self.low],
            block_length=self.block_length,
            order=(np.arange(self.n_blocks) % 2).tolist(),
            context_names=["high_contrast", "low_contrast"],
        )

    def circuits(self) -> dict[str, Circuit]:
        """Return both circuits, at one learning rate."""
        return both_circuits(self.n_interneurons, self.initial_weights, self.learning_rate)

    @property
    def n_samples(self) -> int:
        """Samples a replicate."""
        return self.n_blocks * self.block_length

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.block_length // self.records_per_block)
