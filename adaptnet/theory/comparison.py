"""Fair comparisons of circuits: learning rates at equal noise floors, and what then remains."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_number
from adaptnet.circuits.base import Circuit
from adaptnet.errors import NoiseFloorWarning
from adaptnet.theory.noise import NoiseFloor, ProductVariances, noise_floor, target_error

# Floors of the whitening error, as stated by the formulas. Simulated root mean squares are larger
# by 10 % or less at the first, by 12 to 31 % at the second (n = 2 to 10, conditions 1 to 100), and
# up to a hundredfold soon after it, shortly before circuits diverge.
_RIGHT = 0.3
_MOST = 0.5
_MOST_STEPS = 100  # two are usual, more if inputs have a memory


def matched_learning_rates(
    covariance: npt.ArrayLike,
    floor: float,
    *,
    circuits: Sequence[str] | Mapping[str, Circuit] = ("direct", "interneuron"),
    variable: str = "frobenius_error",
    product_variances: npt.ArrayLike | ProductVariances | None = None,
) -> dict[str, float]:
    """Return learning rates at which circuits are equally precise once they have converged.

    Which circuit is the noisier one at equal learning rates depends on the covariance, so a fair
    comparison of speeds gives each circuit the rate that leaves it the same floor.

    Parameters
    ----------
    covariance : array (n, n)
        Covariance of the inputs once the circuits have converged: that of the context entered.
    floor : float
        Root mean square error wanted.
    circuits : sequence of str, or mapping of str to Circuit
        Names of kinds of circuits, or circuits by name, whose own learning rates do not matter.
    variable : str
        The error: frobenius_error or whitening_error.
    product_variances : array (n, n) or callable, optional
        As for :func:`noise_floor`; by default those of independent Gaussian inputs.

    Returns
    -------
    dict
        A learning rate for each of `circuits`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the floor is so high that circuits may diverge (above 0.5 in
        the whitening error), or it is not above the error that a circuit has without noise.

    Warns
    -----
    NoiseFloorWarning
        If the floor of the whitening error would be above 0.3, up to which the formulas hold.

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
    named = circuits if isinstance(circuits, Mapping) else {name: name for name in circuits}
    return {
        name: _rate_of_floor(name, circuit, matrix, wanted, variable, product_variances)
        for name, circuit in named.items()
    }


def local_time_ratio(covariance: npt.ArrayLike) -> float:
    """Return how many times slower direct connections are near the optimum at equal noise floors.

    With learning rates matched for one Frobenius floor, the slowest local times of the direct
    circuit and of interneurons stand as

    R = 2 s_max (n + 1) tr S^-1 / (n^2 + 2n + tr S tr S^-1), S = C^(1/2).

    1 <= R < 2 (n + 1), whatever the covariance and its units: interneurons are never the slower
    ones, and R = 1 only if C is a multiple of the identity. Own; proved in docs/theory.md.

    Parameters
    ----------
    covariance : array (n, n)
        Covariance of the inputs.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not symmetric positive definite.

    Examples
    --------
    >>> local_time_ratio(np.eye(3)), round(local_time_ratio(np.diag([1.0, 1e-2, 1e-4])), 2)
    (1.0, 6.43)
    """
    s = np.sqrt(np.linalg.eigvalsh(positive_definite("covariance", covariance)))
    n, inverses = len(s), (1 / s).sum()
    return float(2 * s[-1] * (n + 1) * inverses / (n**2 + 2 * n + s.sum() * inverses))


def _rate_of_floor(
    name: str,
    circuit: str | Circuit,
    covariance: Floats,
    floor: float,
    variable: str,
    product_variances: npt.ArrayLike | ProductVariances | None,
) -> float:
    """Return the learning rate at which a circuit has a floor."""
    target = target_error(circuit, covariance)
    rest: float = getattr(target, variable)
    if floor <= rest:
        raise ValueError(
            f"floor must be above {rest:.3g}, the {variable} that the {name} circuit has without "
            f"noise, got {floor!r}"
        )
    rate = 1.0
    for _ in range(_MOST_STEPS):
        at_rate = noise_floor(circuit, covariance, rate, product_variances=product_variances)
        noise = getattr(at_rate, variable) ** 2 - rest**2  # about proportional to the rate
        before, rate = rate, rate * float((floor**2 - rest**2) / noise)
        if abs(rate / before - 1) < 1e-13:
            break
    noise = at_rate.whitening_error**2 - target.whitening_error**2
    _check_floor(name, rate, float(np.sqrt(max(noise, 0.0))), floor)
    return rate


def _check_floor(name: str, rate: float, whitening: float, floor: float) -> None:
    """Warn of a floor that is too high for the formulas, and refuse one far beyond."""
    if whitening <= _RIGHT:
        return
    message = (
        f"floor must be lower, got {floor!r}: the {name} circuit would need the learning rate "
        f"{rate:.3g}, at which noise in the whitening error would be {whitening:.2g} by formulas "
        f"that hold up to {_RIGHT}"
    )
    if whitening > _MOST:
        raise ValueError(f"{message}; online learning may diverge there")
    warnings.warn(f"{message}; the error will be larger", NoiseFloorWarning, stacklevel=5)
