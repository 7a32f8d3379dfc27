"""Patches of one picture, then of another, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from environments import Environment, NaturalImageEnvironment
from scenarios.parameters import parameter
from scenarios.shared import Race


@dataclass(frozen=True, kw_only=True)
class NaturalImages(Race):
    """Patches of natural images, first of one picture, then of others in turn.

    Each picture is one context; its patches are standardised as
    :class:`environments.NaturalImageEnvironment` says.
    """

    pictures: tuple[str, ...] = parameter(
        ("coffee", "grass", "brick"), "shipped pictures or picture files, one per context"
    )
    patch_size: int = parameter(3, "side of a patch in pixels", above=0, at_most=32)
    step: int = parameter(
        0, "largest move of the gaze per sample, in pixels; 0: patches are independent", above=-1
    )
    ridge: float = parameter(0.02, "variance of the white noise added to inputs", above=-1e-300)
    n_blocks: int = parameter(4, "blocks, cycling through the pictures", above=1, at_most=100_000)
    block_length: int = parameter(100_000, "samples between switches", above=0)
    n_interneurons: int = parameter(
        18, "interneurons, at least patch_size squared", above=0, at_most=10_000
    )
    learning_rate: float = parameter(5e-5, "learning rate of both circuits", above=0)
    equal_floors: bool = parameter(
        False, "compare at equal floors as well, as if pictures were Gaussian"
    )
    threshold: float = parameter(0.2, "error below which a circuit counts as readapted", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "block_length": 3000,
        "learning_rate": 1e-3,
        "threshold": 0.8,
        "records": 400,
    }

    def environment(self) -> Environment:
        """Return the pictures as contexts, the last of them in force at the end."""
        return NaturalImageEnvironment(
            self.pictures,
            patch_size=self.patch_size,
            block_length=self.block_length,
            order=[i % len(self.pictures) for i in range(self.n_blocks)],
            step=self.step,
            ridge=self.ridge,
        )

    @property
    def n_samples(self) -> int:
        """Samples per replicate."""
        return self.n_blocks * self.block_length
