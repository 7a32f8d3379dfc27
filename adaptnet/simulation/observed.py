"""What an observer sees who has the outputs alone: their running second moments, and its errors."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from adaptnet import kernels
from adaptnet._checks import Flags, Floats, positive_number
from adaptnet.circuits.base import Circuit, Records, State
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.files.schema import EMPIRICAL
from adaptnet.metrics import moment_errors
from adaptnet.simulation.experiment import Experiment


class Observed(NamedTuple):
    """What is carried of a circuit's outputs from sample to sample."""

    total: Floats  # (n, n) weighted sum of y y'
    weight: Floats  # (1,) sum of the weights

    @classmethod
    def nothing(cls, n_neurons: int) -> "Observed":
        """Return what is known before the first sample."""
        return cls(np.zeros((n_neurons, n_neurons)), np.zeros(1))


def checked_timescale(
    timescale: float | None, names: tuple[str, ...], circuits: Mapping[str, Circuit]
) -> float | None:
    """Return the timescale of what is observed, None if nothing is to be.

    Raises
    ------
    TypeError, ValueError
        If there is one and nothing to be observed, or the other way round, or it is too short; if
        dynamics are integrated, whose outputs depend on how many steps each sample takes.
    """
    observed = [name for name in EMPIRICAL if name in names]
    if not observed:
        if timescale is not None:
            raise ValueError(
                "output_timescale is of empirical errors alone; name them in record: "
                f"{', '.join(EMPIRICAL)}"
            )
        return None
    if timescale is None:
        raise ValueError(
            f"output_timescale must be given to record {observed[0]}: the number of samples over "
            "which outputs fade from their second moments"
        )
    number = positive_number("output_timescale", timescale)
    if number < 1:
        raise ValueError(f"output_timescale must be at least 1 sample, got {number:g}")
    for name, circuit in circuits.items():
        if isinstance(getattr(circuit, "dynamics", None), IntegratedDynamics):
            raise ValueError(
                f"record must not name {observed[0]} where fast dynamics are integrated, as those "
                f"of circuit {name!r}; record outputs around changes, and use "
                "adaptnet.readaptation.with_empirical_errors"
            )
    return number


def nothing_observed(experiment: Experiment) -> list[Observed]:
    """Return what is known of each circuit's outputs before the first sample, if it is wanted."""
    if experiment.output_timescale is None:
        return []
    return [Observed.nothing(experiment.layout.n_neurons) for _ in experiment.circuits]


def with_observed(states: list[State], observed: list[Observed]) -> list[State]:
    """Return states together with what was observed, for checkpoints: the same arrays."""
    if not observed:
        return states
    return [(*state, *seen) for state, seen in zip(states, observed, strict=True)]


def observe(
    observed: Observed,
    circuit: Circuit,
    response: Floats,
    records: Records,
    inputs: Floats,
    wanted: Flags,
    timescale: float,
) -> dict[str, Floats]:
    """Go on over a block of samples; return the empirical errors after those that are wanted.

    Parameters
    ----------
    observed : Observed
        Changed in place.
    circuit : Circuit
    response : array (n, n)
        What outputs follow from, before the block.
    records : mapping of str to array (sample, ...)
        Of every sample of the block.
    inputs : array (sample, n)
    wanted : array (sample,) of bool
    timescale : float
    """
    met = np.concatenate([response[None], records[circuit.response]])[: len(inputs)]
    outputs = circuit.activities({circuit.response: met}, inputs)["outputs"]
    moments = np.empty((int(wanted.sum()), *observed.total.shape))
    kept = 1.0 - 1.0 / timescale
    kernels.moments.accumulate(*observed, outputs, kept, wanted, moments)
    return dict(zip(EMPIRICAL, moment_errors(moments), strict=True))
