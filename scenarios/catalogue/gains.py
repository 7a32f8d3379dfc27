"""Gains instead of synapses: the same switches for interneurons whose gains alone adapt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from adaptnet import (
    Circuit,
    DirectCircuit,
    GainCircuit,
    InterneuronCircuit,
    theory,
)
from environments import Environment, SwitchingEnvironment
from scenarios.parameters import parameter
from scenarios.shared import Rotated, framed

_REFERENCE = 1e-4  # learning rate at which floors are computed, before they are matched


@dataclass(frozen=True, kw_only=True)
class Gains(Rotated):
    """Gains of fixed synapses against plastic synapses, at equal noise floors.

    Four blocks: a context; its spectrum in another eigenbasis; that context at a lower contrast;
    and back. The gain circuit has a frame of n (n + 1) / 2 interneurons: equiangular for 2, 3 and 7
    neurons, else random and tight. Each circuit learns at the rate at which it is as precise as the
    others in the first context.
    """

    n_neurons: int = parameter(3, "primary neurons, and inputs", above=1, at_most=16)
    contrast_step: float = parameter(4.0, "factor by which inputs shrink, then grow", above=1)
    floor: float = parameter(
        0.05, "root mean square Frobenius error of all circuits, once converged", above=0
    )
    block_length: int = parameter(120_000, "samples between switches", above=0)
    records: int = parameter(1200, "records of the error per replicate", above=0)

    preview: ClassVar[Mapping[str, Any]] = {
        "floor": 0.25,
        "threshold": 0.5,
        "block_length": 5000,
        "records": 400,
    }

    def contexts(self) -> list[Any]:
        """Return the covariances of the three contexts."""
        first, rotated = self.rotations(2)
        return [first, rotated, rotated / self.contrast_step**2]

    def environment(self) -> Environment:
        """Return the three contexts in four blocks."""
        return SwitchingEnvironment(
            self.contexts(),
            block_length=self.block_length,
            order=[0, 1, 2, 1],
            context_names=["first", "rotated", "rotated_low_contrast"],
        )

    def compared(self) -> dict[str, Circuit]:
        """Return the three circuits, each at the learning rate of equal floors."""
        covariance = self.contexts()[0]
        kinds: dict[str, tuple[Any, dict[str, Any]]] = {
            "direct": (DirectCircuit, {}),
            "interneuron": (InterneuronCircuit, {}),
            "gain": (GainCircuit, framed(self.n_neurons, 1.0)),
        }
        matched = {}
        for name, (kind, settings) in kinds.items():
            trial = kind(learning_rate=_REFERENCE, **settings)
            at_reference = theory.noise_floor(trial, covariance).frobenius_error
            # Floors grow as the root of the learning rate.
            rate = _REFERENCE * (self.floor / at_reference) ** 2
            matched[name] = kind(learning_rate=rate, **settings)
        return matched

    @property
    def n_samples(self) -> int:
        """Samples per replicate: four blocks."""
        return 4 * self.block_length
