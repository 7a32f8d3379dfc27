"""Adaptive integration of matrix flows; the state is the upper triangle of symmetric weights."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats
from adaptnet.errors import IntegrationError

TOLERANCE = 1e-13  # relative, a step: starts a thousand times the target then err by 2e-9
_STUCK = 1000  # calls at one time after which LSODA, which would go on for ever, is stopped
_MOST_CALLS = 50_000  # up to a crossing; some hundreds are usual, starts of 1e6 take some thousands


class Trajectory(NamedTuple):
    """Where a flow went."""

    weights: Floats  # (time, n, n)
    end: Floats  # (n, n)
    crossing: float | None  # time at which the event's function first fell to 0


def integrate(
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
    """Follow `drift(time, weights)` from `start` over `span`; stop early where `event` falls to 0.

    LSODA switches by itself to stiff formulas, which the spread of local rates near the optimum
    needs. The absolute tolerance is `tolerance` times `smallest`, the smallest weight that matters.
    """
    from scipy.integrate import solve_ivp

    n = len(start)
    upper = np.triu_indices(n)

    def matrix(state: Floats) -> Floats:
        weights = np.empty((n, n))
        weights[upper] = state
        weights.T[upper] = state
        return weights

    now, calls, all_calls = span[0], 0, 0

    def velocity(time: float, state: Floats) -> Floats:
        nonlocal now, calls, all_calls
        calls, all_calls = calls + 1 if time == now else 0, all_calls + 1
        now = time
        if calls > _STUCK + 10 * len(state):  # a Jacobian by differences takes one for each entry
            raise ValueError("the integrator's steps have shrunk to nothing")
        if event and all_calls > _MOST_CALLS:
            raise ValueError(f"{_MOST_CALLS} evaluations did not reach the threshold")
        return drift(time, matrix(state))[upper]

    def crossing(time: float, state: Floats) -> float:
        return event(matrix(state)) if event else 1.0

    crossing.terminal = True  # type: ignore[attr-defined]
    crossing.direction = -1.0  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # the outcome is read below
            warnings.simplefilter("ignore", UserWarning)
            solution = solve_ivp(
                velocity,
                span,
                start[upper],
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
    weights = np.array([matrix(state) for state in solution.y.T])
    if np.linalg.eigvalsh(weights).min() <= 0:
        raise _failure(span, "the weights left the positive definite cone")
    crossings = solution.t_events[0] if event else []
    return Trajectory(
        weights[: len(at)],
        weights[-1],
        float(crossings[0]) if len(crossings) else None,
    )


def smallest_weight(start: Floats, covariance: Floats) -> float:
    """Return the smallest weight between a start and its target C^(1/2)."""
    target = np.sqrt(np.linalg.eigvalsh(covariance)[0])
    return float(min(np.linalg.eigvalsh(start)[0], target))


def _failure(span: tuple[float, float], reason: str) -> IntegrationError:
    return IntegrationError(
        f"the flow of the effective weights could not be integrated from {span[0]:g} to "
        f"{span[1]:g}: {reason}; raise tolerance, or start from better conditioned weights"
    )
