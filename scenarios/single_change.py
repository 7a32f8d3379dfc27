"""Simulations of one change, of circuits that begin adapted to the context it leaves."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from adaptnet import Circuit, DirectCircuit, InterneuronCircuit, readaptation_times, theory
from adaptnet.metrics import square_root
from environments import SwitchingEnvironment
from scenarios.tables import Replicates

Floats = npt.NDArray[np.float64]

_RECORDS = 4000  # between the change and the end: 1 / 4000 of the time is the resolution


def matched_rate(entered: npt.ArrayLike) -> float:
    """Return the learning rate of interneurons over that of the direct circuit, at equal floors.

    It is the same for any floor: both floors grow as the square root of their learning rate.

    Examples
    --------
    >>> round(matched_rate(np.eye(3)), 12)  # (n + 1) n / (2 n^2 + 2 n)
    0.5
    """
    direct, interneuron = (
        theory.noise_floor(circuit, entered, 1.0).frobenius_error
        for circuit in ("direct", "interneuron")
    )
    return float((direct / interneuron) ** 2)


def adapted_circuits(left: npt.ArrayLike, rates: Mapping[str, float]) -> dict[str, Circuit]:
    """Return circuits adapted to a covariance, at learning rates that are given by their names.

    ``"direct"`` is the direct circuit; all others have interneurons.
    """
    root = square_root(np.asarray(left, dtype=np.float64))
    variances, basis = np.linalg.eigh(root)
    weights = basis * np.sqrt(variances)  # W W' is the root
    return {
        name: DirectCircuit(initial_weights=root, learning_rate=rate)
        if name == "direct"
        else InterneuronCircuit(initial_weights=weights, learning_rate=rate)
        for name, rate in rates.items()
    }


def simulated_times(
    left: npt.ArrayLike,
    entered: npt.ArrayLike,
    rates: Mapping[str, float],
    horizon: int,
    threshold: float,
    replicates: Replicates,
    key: tuple[int, ...],
) -> Floats:
    """Return samples until the error is below a threshold, over (circuit, replicate).

    NaN if the threshold was not reached within `horizon` samples. Circuits first fluctuate about
    their optimum in the context left, for the synaptic time 1 of the slowest.
    """
    settling = round(1 / min(rates.values()))
    run = replicates.simulate(
        adapted_circuits(left, rates),
        SwitchingEnvironment([left, entered], block_length=settling, order=[0, 1]),
        settling + horizon,
        key=key,
        n_records=_RECORDS * (settling + horizon) // horizon,
    )
    times = readaptation_times(run, threshold).isel(change=0)
    reached = times["samples"].where(times["observed"]).transpose("circuit", "replicate")
    return np.asarray(reached.values, dtype=np.float64)
