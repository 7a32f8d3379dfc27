"""How white outputs can get: online learning never stops, and its noise sets a floor.

All results here are the project's own; docs/theory.md derives them and says how good they are.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_number
from adaptnet.circuits.base import Circuit
from adaptnet.theory.law import Law
from adaptnet.theory.registry import largest_learning_rate, law_of

_EIGENVALUES = 20_000  # drawn for the floor of the operator norm: its own error is below 1 %


class NoiseFloor(NamedTuple):
    """Root mean square of each error of a circuit once it has converged."""

    whitening_error: float
    frobenius_error: float


def noise_floor(
    circuit: str | Circuit, covariance: npt.ArrayLike, learning_rate: float | None = None
) -> NoiseFloor:
    """Return the errors that learning from single samples leaves for ever.

    For a small learning rate eta and Gaussian inputs the stationary E = C_yy - I is a symmetric
    Gaussian matrix with independent entries in the eigenbasis of C, of variance eta r_ij / 2 off
    the diagonal and eta r_ii on it, r_ij being the circuit's local rates. The Frobenius floor is
    the closed form sum of these: E||E||_F^2 is eta (n + 1) tr(C^-1/2) for the direct circuit and
    eta (n^2 + 2n + tr(C^1/2) tr(C^-1/2)) for interneurons. The floor of the operator norm has no
    closed form: it is the mean over matrices drawn from this law, always the same draws.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of such a kind.
    covariance : array (n, n)
        Covariance of the inputs.
    learning_rate : float, optional
        By default that of the circuit, which then must be constant.

    Returns
    -------
    NoiseFloor
        Root mean squares of ``whitening_error`` and ``frobenius_error``.

    Raises
    ------
    TypeError, ValueError
        If theory does not cover the circuit, the covariance is not symmetric positive definite, or
        the learning rate is not positive, decays, or is missing for the name of a kind.

    Examples
    --------
    >>> round(noise_floor("direct", np.eye(3), 1e-3).frobenius_error ** 2, 12)  # 1e-3 * 4 * 3
    0.012
    """
    eta = _constant_rate(circuit) if learning_rate is None else learning_rate
    eta = positive_number("learning_rate", eta)
    return _scaled(_unit_floor(law_of(circuit), positive_definite("covariance", covariance)), eta)


def _unit_floor(law: Law, covariance: Floats) -> NoiseFloor:
    """Return the noise floor at a learning rate of 1; floors grow as the root of the rate."""
    rates = law.local_rates(covariance)
    noise = _symmetric_noise(len(rates)) * np.sqrt(rates / 2)
    largest = np.abs(np.linalg.eigvalsh(noise)).max(axis=1)
    total = (rates.sum() + np.trace(rates)) / 2
    return NoiseFloor(float(np.sqrt(np.mean(largest**2))), float(np.sqrt(total)))


def _scaled(floor: NoiseFloor, learning_rate: float) -> NoiseFloor:
    return NoiseFloor(*(float(np.sqrt(learning_rate)) * value for value in floor))


def noise_floor_or_none(circuit: Circuit, covariance: npt.ArrayLike) -> NoiseFloor | None:
    """Return the noise floor of a circuit at its own learning rate, or None if it has none.

    A decaying learning rate leaves no floor, a singular covariance cannot be whitened, and not
    every circuit has a law.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> noise_floor_or_none(DirectCircuit(learning_rate_decay=0.1), np.eye(2)) is None
    True
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    symmetric = (matrix + matrix.T) / 2
    if circuit.theory is None or np.linalg.eigvalsh(symmetric)[0] <= 0:
        return None
    return None if circuit.learning_rate_decay else noise_floor(circuit, symmetric)


def _constant_rate(circuit: str | Circuit) -> float:
    """Return the learning rate of a circuit, or refuse one that has none or several."""
    if isinstance(circuit, str):
        raise TypeError(f"learning_rate must be given with the name of a kind, {circuit!r}")
    if circuit.learning_rate_decay:
        raise ValueError(
            "learning_rate must be constant for a noise floor, but that of the circuit decays; "
            "pass the learning_rate at which the floor is wanted"
        )
    return circuit.learning_rate


@functools.lru_cache(maxsize=1)
def _symmetric_noise(n: int) -> Floats:
    """Return matrices (G + G') / sqrt(2) of normals: their diagonal has twice the variance, as E.

    Kept, for floors are wanted of several circuits and covariances at a time.
    """
    noise = np.random.default_rng(0).standard_normal((max(40, _EIGENVALUES // n), n, n))
    symmetric: Floats = (noise + np.swapaxes(noise, 1, 2)) / np.sqrt(2)
    symmetric.setflags(write=False)
    return symmetric


def matched_learning_rates(
    covariance: npt.ArrayLike,
    floor: float,
    *,
    circuits: Sequence[str] = ("direct", "interneuron"),
    variable: str = "frobenius_error",
) -> dict[str, float]:
    """Return learning rates at which circuits are equally precise once they have converged.

    At equal learning rates the circuit with interneurons is the noisier one, so that a fair
    comparison of speeds gives each circuit the rate that leaves it the same floor.

    Parameters
    ----------
    covariance : array (n, n)
        Covariance of the inputs once the circuits have converged.
    floor : float
        Root mean square error wanted.
    circuits : sequence of str
        Kinds of circuits.
    variable : str
        The error: frobenius_error or whitening_error.

    Returns
    -------
    dict
        A learning rate for each of `circuits`: the floor grows as its square root.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or a learning rate would be beyond the limit of stability.

    Examples
    --------
    >>> rates = matched_learning_rates(np.eye(5), floor=0.1)
    >>> {name: round(rate, 6) for name, rate in rates.items()}
    {'direct': 0.000333, 'interneuron': 0.000167}
    """
    matrix = positive_definite("covariance", covariance)
    wanted = positive_number("floor", floor)
    if variable not in NoiseFloor._fields:
        raise ValueError(
            f"variable must be one of {', '.join(NoiseFloor._fields)}, got {variable!r}"
        )
    if isinstance(circuits, str):
        raise TypeError(f"circuits must be a sequence of names, as ['direct'], got {circuits!r}")
    matched = {}
    for circuit in circuits:
        rate = float((wanted / getattr(noise_floor(circuit, matrix, 1.0), variable)) ** 2)
        limit = largest_learning_rate(circuit, matrix)
        if rate >= limit:
            raise ValueError(
                f"floor must be lower, got {floor!r}: the {circuit} circuit would need the "
                f"learning rate {rate:.3g}, beyond {limit:.3g}, where learning is not stable"
            )
        matched[circuit] = rate
    return matched
