"""What a point of a sweep simulates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet.circuits.base import Circuit
from adaptnet.protocols import Environment, Realization
from adaptnet.simulation.simulate import named_circuits


class Simulation(NamedTuple):
    """Circuits in an environment: what a function that is swept returns for each point.

    Parameters
    ----------
    circuits : Circuit or mapping of str to Circuit
    environment : Environment or array (sample, neuron)
    n_samples : int, optional
        Samples a replicate; may be left out where `environment` is an array.
    record_every : int
        Samples between records of the errors.
    record : sequence of str, optional
        Variables to record, as :func:`adaptnet.simulate` takes them.

    Examples
    --------
    >>> import adaptnet as an
    >>> Simulation(an.DirectCircuit(), np.ones((10, 2))).record_every
    1
    """

    circuits: Circuit | Mapping[str, Circuit]
    environment: Environment | npt.ArrayLike
    n_samples: int | None = None
    record_every: int = 1
    record: Sequence[str] | None = None


def as_simulation(value: Any, source: str) -> Simulation:
    """Return what a swept function returned as a simulation, its circuits by name.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, tuple) and 2 <= len(value) <= len(Simulation._fields):
        simulation = Simulation(*value)
        return simulation._replace(circuits=named_circuits(simulation.circuits))
    raise TypeError(
        f"{source} must return an adaptnet.Simulation, or a tuple of circuits, environment and "
        f"n_samples, got {value!r:.100}"
    )


class Later:
    """An environment whose replicate 0 is replicate `first` of another's.

    So that the replicates of a point can be run in groups, anywhere, each with its own samples.
    """

    def __init__(self, environment: Environment, first: int) -> None:
        self._environment = environment
        self._first = first

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # while it is unpickled there is no environment yet
            raise AttributeError(name)
        return getattr(self._environment, name)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return self._environment.n_neurons

    @property
    def truth(self) -> str:
        """What is known of the covariance."""
        return self._environment.truth

    @property
    def shared_path(self) -> bool:
        """Whether all replicates follow one path."""
        return self._environment.shared_path

    @property
    def context_names(self) -> Sequence[str]:
        """A name for each context number."""
        return self._environment.context_names

    def realize(self, seed: np.random.SeedSequence) -> Realization:
        """Return the replicate of a seed, moved by `first`."""
        *parents, replicate = seed.spawn_key
        moved = np.random.SeedSequence(seed.entropy, spawn_key=(*parents, replicate + self._first))
        return self._environment.realize(moved)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return self._environment.parameters()
