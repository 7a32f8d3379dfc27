"""Contrast steps up and down: the same inputs, larger and smaller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from environments import Environment
from environments.covariances import gaussian_neighbours
from environments.presets import contrast_steps
from scenarios.parameters import parameter
from scenarios.shared import Race


@dataclass(frozen=True, kw_only=True)
class Contrast(Race):
    """Contrast steps down and up again, as in experiments on retina and motion pathway.

    Neurons in a row share signal with their neighbours. Only the scale of the inputs changes, so
    circuits have to change their gain and nothing else. High and low contrast alternate.
    """

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    width: float = parameter(1.0, "distance over which neighbours share signal", above=0)
    noise: float = parameter(0.3, "private share of each input's variance", above=0)
    high: float = parameter(1.0, "standard deviation of inputs at high contrast", above=0)
    low: float = parameter(0.2, "standard deviation of inputs at low contrast", above=0)
    n_blocks: int = parameter(4, "blocks, high and low contrast in turn", above=1, at_most=100_000)
    block_length: int = parameter(120_000, "samples between steps", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "block_length": 3000,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records": 400,
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

    @property
    def n_samples(self) -> int:
        """Samples per replicate."""
        return self.n_blocks * self.block_length
