"""What several scenarios have in common: circuits that race, and contexts that rotate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet import Circuit, DirectCircuit, InterneuronCircuit
from environments.covariances import random_eigenbasis, with_spectrum
from scenarios.base import SimulationScenario
from scenarios.parameters import parameter


@dataclass(frozen=True, kw_only=True)
class Race(SimulationScenario):
    """One simulation of the direct circuit and the one with interneurons, alike in all else."""

    n_interneurons: int = parameter(
        10, "interneurons, at least as many as primary neurons", above=0, at_most=10_000
    )
    learning_rate: float = parameter(2e-5, "learning rate of both circuits", above=0)
    initial_weights: float = parameter(
        1.0, "initial effective weights: this number times the identity", above=0
    )

    def circuits(self) -> dict[str, Circuit]:
        """Return both circuits, at one learning rate."""
        alike: dict[str, Any] = {
            "initial_weights": self.initial_weights,
            "learning_rate": self.learning_rate,
        }
        return {
            "direct": DirectCircuit(**alike),
            "interneuron": InterneuronCircuit(n_interneurons=self.n_interneurons, **alike),
        }


@dataclass(frozen=True, kw_only=True)
class Rotated(SimulationScenario):
    """One simulation through contexts of one spectrum, each with an eigenbasis of its own."""

    n_neurons: int = parameter(5, "primary neurons, and inputs", above=1, at_most=1000)
    condition: float = parameter(
        10.0, "ratio of the largest to the smallest variance of a context", above=1
    )
    eigenbasis_seed: int = parameter(1, "seed of the contexts' eigenbases", above=-1)

    @property
    def spectrum(self) -> npt.NDArray[np.float64]:
        """Variances along the eigenvectors of each context; their mean is 1."""
        spectrum: npt.NDArray[np.float64] = np.geomspace(1.0, self.condition, self.n_neurons)
        spectrum /= spectrum.mean()
        return spectrum

    def rotations(self, n_contexts: int) -> list[npt.NDArray[np.float64]]:
        """Return the covariance of each context."""
        rng = np.random.default_rng(self.eigenbasis_seed)
        bases = (random_eigenbasis(self.n_neurons, rng) for _ in range(n_contexts))
        return [with_spectrum(self.spectrum, basis) for basis in bases]
