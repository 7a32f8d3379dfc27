"""Adaptive integration of the flows of laws."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from adaptnet._checks import Floats
from adaptnet.errors import IntegrationError
from adaptnet.theory.law import Law
from adaptnet.theory.states import coordinates, from_coordinates

TOLERANCE = 1e-13  # relative, per step: starts a thousand times the target then err by 2e-9
_STUCK = 1000  # calls at one time after which LSODA, which would never return, is stopped
_MOST_CALLS = 50_000  # up to a crossing; some hundreds are usual, starts of 1e6 take some thousands


class Trajectory(NamedTuple):
    """Where a flow went."""

    states: Floats  # (time, ...)
    end: Floats  # the state at the end of the span
    crossing: float | None  # time at which the event's function first fell to 0


def integrate(
    law: Law,
    drift: Callable[[float, Floats], Floats],
    start: Floats,
    span: tuple[float, float],
    at: npt.NDArray[Any],
    *,
    tolerance: float,
    smallest: float,
    method: str = "LSODA",
    event: Callable[[Floats], float] | None = None,
) -> Trajectory:
    """Follow `drift(time, state)` from `start` over `span`; stop early where `event` falls to 0.

    LSODA switches by itself to stiff formulas, which the spread of local rates near the optimum
    needs. The absolute tolerance is `tolerance` times `smallest`, the smallest weight that matters.
    """
    symmetric = law.symmetric

    def state_of(values: Floats) -> Floats:
        return from_coordinates(values, start.shape, symmetric=symmetric)

    now, calls, all_calls = span[0], 0, 0

    def velocity(time: float, values: Floats) -> Floats:
        nonlocal now, calls, all_calls
        calls, all_calls = calls + 1 if time == now else 0, all_calls + 1
        now = time
        if calls > _STUCK + 10 * len(values):  # a Jacobian by differences takes one per entry
            raise ValueError("the integrator's steps have shrunk to nothing")
        if event and all_calls > _MOST_CALLS:
            raise ValueError(f"{_MOST_CALLS} evaluations did not reach the threshold")
        return coordinates(drift(time, state_of(values)), symmetric=symmetric)

    def crossing(time: float, values: Floats) -> float:
        return event(state_of(values)) if event else 1.0

    crossing.terminal = True  # type: ignore[attr-defined]
    crossing.direction = -1.0  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # the outcome is read below
            warnings.simplefilter("ignore", UserWarning)
            solution = scipy.integrate.solve_ivp(
                velocity,
                span,
                coordinates(start, symmetric=symmetric),
                method=method,
                t_eval=None if event else np.append(at[at < span[1]], span[1]),
                events=crossing if event else None,
                rtol=tolerance,
                atol=tolerance * smallest,
            )
    except (np.linalg.LinAlgError, ValueError) as error:
        raise _failure(span, str(error)) from error
    if solution.status < 0 or not np.isfinite(solution.y).all():
        raise _failure(span, solution.message)
    states = np.array([state_of(values) for values in solution.y.T])
    if not all(is_stable(law.effective_weights(state)) for state in states):
        raise _failure(span, "the weights left the positive definite cone")
    crossings = solution.t_events[0] if event else []
    return Trajectory(
        states[: len(at)],
        states[-1],
        float(crossings[0]) if len(crossings) else None,
    )


def is_stable(weights: Floats) -> bool:
    """Return whether weights (n, n) give the fast dynamics a stable fixed point."""
    if not np.isfinite(weights).all():
        return False
    if (weights == weights.T).all():
        return bool(np.linalg.eigvalsh(weights)[0] > 0)
    return bool(np.linalg.eigvals(weights).real.min() > 0)


def smallest_weight(start: Floats, covariance: Floats) -> float:
    """Return the smallest weight between a start and its target C^(1/2)."""
    target = np.sqrt(np.linalg.eigvalsh(covariance)[0])
    return float(min(np.abs(np.linalg.eigvals(start)).min(), target))


def _failure(span: tuple[float, float], reason: str) -> IntegrationError:
    return IntegrationError(
        f"the flow of the effective weights could not be integrated from {span[0]:g} to "
        f"{span[1]:g}: {reason}; raise tolerance, or start from better conditioned weights"
    )
