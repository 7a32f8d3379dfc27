"""Familiar switches in a row: a rotation, a contrast drop, a contrast rise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from environments import Environment, SwitchingEnvironment
from scenarios.parameters import parameter
from scenarios.shared import Race, Rotated


@dataclass(frozen=True, kw_only=True)
class Switching(Race, Rotated):
    """Covariance rotates at equal spectrum, then contrast falls tenfold and rises again.

    Four blocks: a context to start with; the same spectrum in another eigenbasis; that context at
    a lower contrast, all inputs divided by `contrast_step`; and back at the old contrast. The
    eigenbases are drawn once, from `eigenbasis_seed`; replicates differ in their samples only.
    """

    contrast_step: float = parameter(
        10.0, "factor by which inputs shrink, then grow", above=1, at_most=1e6
    )
    block_length: int = parameter(160_000, "samples between switches", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "block_length": 3000,
        "learning_rate": 1e-3,
        "threshold": 0.5,
        "records": 400,
    }

    def environment(self) -> Environment:
        """Return the three contexts in four blocks."""
        first, rotated = self.rotations(2)
        return SwitchingEnvironment(
            [first, rotated, rotated / self.contrast_step**2],
            block_length=self.block_length,
            order=[0, 1, 2, 1],
            context_names=["first", "rotated", "rotated_low_contrast"],
        )

    @property
    def n_samples(self) -> int:
        """Samples per replicate: four blocks."""
        return 4 * self.block_length
