"""How long convergence and readaptation take, in synaptic time t = eta * samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, threshold_below_one
from adaptnet.circuits.base import Circuit
from adaptnet.errors import IntegrationError
from adaptnet.metrics import square_root, whitening_errors
from adaptnet.theory.integration import TOLERANCE, integrate, smallest_weight
from adaptnet.theory.modes import ModeLaw
from adaptnet.theory.registry import mode_law_of

# Times of the fastest rate from which on an explicit method, whose steps are at most about 6 of
# them, takes too many. Below, order 8 is quicker where many modes arrive one after the other, and
# errs less.
_STIFF = 1e4
_ROUNDING = 8 * np.finfo(float).eps


def convergence_time(
    circuit: str | Circuit,
    covariance: npt.ArrayLike,
    start: npt.ArrayLike,
    threshold: float = 0.1,
    *,
    closed_form: bool = True,
) -> Any:
    """Return the synaptic time until the whitening error is at most a threshold.

    Exact if the start commutes with the covariance: the time of the slowest mode. From any other
    start the synaptic flow is integrated until the error crosses the threshold.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of such a kind.
    covariance : array (..., n, n)
        Covariance C of the inputs.
    start : array (..., n, n)
        Effective weights at time 0: M, or W W'; leading dimensions broadcast against those of
        `covariance`.
    threshold : float
        Error max |eigenvalue(C_yy) - 1| that counts as converged, between 0 and 1.
    closed_form : bool
        Whether to use the closed form where there is one, instead of integrating.

    Returns
    -------
    float or array (...)
        Synaptic time; divide it by the learning rate for samples.

    Raises
    ------
    TypeError, ValueError
        If a matrix is not symmetric positive definite, sizes differ, the threshold is not between
        0 and 1, or the circuit has no closed forms for its modes.
    IntegrationError
        If the flow could not be integrated up to the crossing.

    Examples
    --------
    >>> for circuit in ("direct", "interneuron"):
    ...     print(round(convergence_time(circuit, np.eye(3), 100 * np.eye(3)), 3))
    100.754
    2.852

    Linear against logarithmic in the scale of the start:

    >>> starts = np.array([10.0, 100.0, 1000.0])[:, None, None] * np.eye(3)
    >>> convergence_time("direct", np.eye(3), starts).round(2)
    array([  10.66,  100.75, 1000.76])
    >>> convergence_time("interneuron", np.eye(3), starts).round(2)
    array([1.7 , 2.85, 4.  ])
    """
    law, error = mode_law_of(circuit), threshold_below_one(threshold)
    return _of_each_pair(
        lambda C, A: _convergence_time(law, C, A, error, closed_form), covariance, start, "start"
    )


def _of_each_pair(
    function: Callable[[Floats, Floats], float],
    covariance: npt.ArrayLike,
    other: npt.ArrayLike,
    name: str,
    covariance_name: str = "covariance",
) -> Any:
    """Return a function of each pair of two stacks of positive definite matrices."""
    stacks = np.asarray(covariance), np.asarray(other)
    leading = [stack.shape[:-2] for stack in stacks]
    if not any(leading):
        return function(*_checked_pair(covariance, other, name, covariance_name))
    try:
        shape = np.broadcast_shapes(*leading)
    except ValueError:
        raise ValueError(
            f"leading dimensions of {name} must broadcast against those of {covariance_name}, "
            f"{leading[0]}, got {leading[1]}"
        ) from None
    first, second = (np.broadcast_to(stack, shape + stack.shape[-2:]) for stack in stacks)
    values = np.empty(shape)
    for at in np.ndindex(shape):
        values[at] = function(*_checked_pair(first[at], second[at], name, covariance_name))
    return values


def _checked_pair(
    covariance: npt.ArrayLike, other: npt.ArrayLike, name: str, covariance_name: str
) -> tuple[Floats, Floats]:
    C = positive_definite(covariance_name, covariance)
    A = positive_definite(name, other)
    if C.shape != A.shape:
        raise ValueError(
            f"{name} must have the shape of {covariance_name}, {C.shape}, got {A.shape}"
        )
    return C, A


def _convergence_time(law: ModeLaw, C: Floats, A: Floats, error: float, closed_form: bool) -> float:
    """Return the time of one start and one covariance; see :func:`convergence_time`."""
    modes = _common_modes(C, A) if closed_form else None
    if modes is not None:
        return float(law.mode_time(*modes, error).max())

    def excess(weights: Floats) -> float:
        return float(whitening_errors(weights, C)[0]) - error

    if excess(A) <= 0:
        return 0.0
    s, m0 = np.sqrt(np.linalg.eigvalsh(C)), np.linalg.eigvalsh(A)
    rates = law.local_rates(C)
    # That of the slowest commuting start of the same spectra.
    expected = float(law.mode_time(s[:, None], m0[None, :], error).max())
    horizon = 10 * (expected + float(abs(np.log(error)) / rates.min()))
    trajectory = integrate(
        law,
        lambda _, weights: law.drift(weights, C),
        A,
        (0.0, horizon),
        np.empty(0),
        tolerance=TOLERANCE,
        smallest=smallest_weight(A, C),
        method="LSODA" if expected * rates.max() > _STIFF else "DOP853",
        event=excess,
    )
    if trajectory.crossing is None:
        raise IntegrationError(
            f"the whitening error did not fall to the threshold {error:g} within the synaptic time "
            f"{horizon:g}; raise threshold, or follow the error with adaptnet.flow"
        )
    return trajectory.crossing


def readaptation_time(
    circuit: str | Circuit,
    covariance_left: npt.ArrayLike,
    covariance_entered: npt.ArrayLike,
    threshold: float = 0.1,
) -> Any:
    """Return the synaptic time that a circuit adapted to one covariance takes to adapt to another.

    After a switch the start is the old environment's optimum, so this is
    :func:`convergence_time` from C_left^(1/2).

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of such a kind.
    covariance_left, covariance_entered : array (..., n, n)
        Leading dimensions broadcast against each other.
    threshold : float
        Error max |eigenvalue(C_yy) - 1| that counts as readapted, between 0 and 1.

    Returns
    -------
    float or array (...)
        Synaptic time; divide it by the learning rate for samples.

    Raises
    ------
    TypeError, ValueError, IntegrationError
        As :func:`convergence_time`.

    Examples
    --------
    >>> old, new = 4 * np.eye(2), np.eye(2)
    >>> round(readaptation_time("direct", old, new), 3)
    2.215
    >>> round(readaptation_time("interneuron", old, new), 3)
    0.824
    """
    law, error = mode_law_of(circuit), threshold_below_one(threshold)
    return _of_each_pair(
        lambda entered, left: _convergence_time(law, entered, square_root(left), error, True),
        covariance_entered,
        covariance_left,
        "covariance_left",
        "covariance_entered",
    )


def _common_modes(C: Floats, A: Floats) -> tuple[Floats, Floats] | None:
    """Return s and m0 along the common eigenvectors, or None if C and A do not commute."""
    _, basis = np.linalg.eigh(C / np.trace(C) + A / np.trace(A) * np.sqrt(2) / 2)
    both = [basis.T @ matrix @ basis for matrix in (C, A)]
    for matrix in both:
        # Relative to each pair's own scale, so that small modes count as much as large ones, but
        # for the rounding of entries as large as the largest.
        own, rounding = np.sqrt(np.abs(np.diag(matrix))), _ROUNDING * np.linalg.norm(matrix)
        apart = np.abs(matrix - np.diag(np.diag(matrix)))
        if (apart > 1e-10 * np.outer(own, own) + rounding).any() or np.diag(matrix).min() <= 0:
            return None
    return np.sqrt(np.diag(both[0])), np.diag(both[1]).copy()
