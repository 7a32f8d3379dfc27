"""Adaptive integration of the flows of laws."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy

from adaptnet._checks import Flags, Floats
from adaptnet.errors import IntegrationError
from adaptnet.theory.law import Law
from adaptnet.theory.states import coordinates, from_coordinates

TOLERANCE = 1e-13  # relative, per step: starts a thousand times the target then err by 2e-9
_STUCK = 1000  # calls at one time after which LSODA, which would never return, is stopped
_MOST_LEGS = 100  # between entries that stop at 0; one or two per entry are usual
_MOST_CALLS = 50_000  # up to a crossing; some hundreds are usual, starts of 1e6 take some thousands

_Velocity: TypeAlias = Callable[[float, Floats], Floats]


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
    stops: Flags | None = None,
) -> Trajectory:
    """Follow `drift(time, state)` from `start` over `span`; stop early where `event` falls to 0.

    LSODA switches by itself to stiff formulas, which the spread of local rates near the optimum
    needs. The absolute tolerance is `tolerance` times `smallest`, the smallest weight that matters.
    Entries of the state that `stops` names do not fall below 0: `drift` is as if they could.
    """
    symmetric, counted = law.symmetric, _Calls(span[0], limited=event is not None)

    def state_of(values: Floats) -> Floats:
        return from_coordinates(values, start.shape, symmetric=symmetric)

    def velocity(time: float, values: Floats) -> Floats:
        counted.add(time, len(values))
        return coordinates(drift(time, state_of(values)), symmetric=symmetric)

    def crossing(time: float, values: Floats) -> float:
        return event(state_of(values)) if event else 1.0

    def solve(velocity: _Velocity, now: float, values: Floats, events: Any) -> Any:
        later = at[(at > now if now > span[0] else at >= now) & (at < span[1])]
        return scipy.integrate.solve_ivp(
            velocity,
            (now, span[1]),
            values,
            method=method,
            t_eval=None if event else np.append(later, span[1]),
            events=events,
            rtol=tolerance,
            atol=tolerance * smallest,
        )

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # the outcome is read below
            warnings.simplefilter("ignore", UserWarning)
            values = coordinates(start, symmetric=symmetric)
            if stops is None:
                solution = solve(velocity, span[0], values, _terminal(crossing) if event else None)
                found, crossings = solution.y.T, solution.t_events[0] if event else []
                failure = solution.message if solution.status < 0 else ""
            else:
                mask = coordinates(stops.astype(np.float64), symmetric=symmetric) > 0
                slack = 10 * tolerance * smallest
                found, failure = _along_stops(solve, velocity, values, span, mask, slack)
                crossings = []
    except (np.linalg.LinAlgError, ValueError) as error:
        raise _failure(span, str(error)) from error
    if failure or not np.isfinite(found).all():
        raise _failure(span, failure or "the weights overflowed")
    states = np.array([state_of(values) for values in found])
    if not all(is_stable(law.effective_weights(state)) for state in states):
        raise _failure(span, "the weights left the positive definite cone")
    return Trajectory(
        states[: len(at)],
        states[-1],
        float(crossings[0]) if len(crossings) else None,
    )


class _Calls:
    """Evaluations of a drift, which raise if they lead nowhere."""

    def __init__(self, now: float, *, limited: bool) -> None:
        self.now, self.here, self.all, self.limited = now, 0, 0, limited

    def add(self, time: float, n_values: int) -> None:
        self.here, self.all = self.here + 1 if time == self.now else 0, self.all + 1
        self.now = time
        if self.here > _STUCK + 10 * n_values:  # a Jacobian by differences takes one per entry
            raise ValueError("the integrator's steps have shrunk to nothing")
        if self.limited and self.all > _MOST_CALLS:
            raise ValueError(f"{_MOST_CALLS} evaluations did not reach the threshold")


def _terminal(function: Callable[[float, Floats], float], direction: float = -1.0) -> Any:
    """Return a function of time and values at whose zero, in one direction, integration ends."""
    function.terminal = True  # type: ignore[attr-defined]
    function.direction = direction  # type: ignore[attr-defined]
    return function


def _along_stops(
    solve: Callable[[_Velocity, float, Floats, Any], Any],
    velocity: _Velocity,
    values: Floats,
    span: tuple[float, float],
    stops: Flags,
    slack: float,
) -> tuple[Floats, str]:
    """Return values at the times asked for, and a message if integration failed.

    Integrated leg by leg. In each, the entries that are held stay at 0; it ends when another falls
    to 0, and is held from then on, or when one that is held would rise. Either has to happen by
    more than rounding.
    """
    now = span[0]
    found: list[Floats] = []
    flow = velocity(now, values)
    held = stops & (values <= 0) & (flow < 0)
    least_rise = 1e-10 * np.abs(flow).max()
    for _ in range(_MOST_LEGS + 10 * len(values)):

        def along(time: float, at: Floats, held: Flags = held) -> Floats:
            return np.where(held, 0.0, velocity(time, at))

        def height(time: float, at: Floats, held: Flags = held) -> float:
            return slack + float(np.min(at[stops & ~held], initial=1.0))

        def rise(time: float, at: Floats, held: Flags = held) -> float:
            return float(np.max(velocity(time, at)[held], initial=-1.0) - least_rise)

        leg = solve(along, now, values, [_terminal(height), _terminal(rise, 1.0)])
        found.extend(np.reshape(leg.y, (len(values), -1)).T)
        if leg.status != 1:
            return np.array(found), leg.message if leg.status < 0 else ""
        fell = bool(len(leg.t_events[0]))
        now, values = (events[0 if fell else 1][0] for events in (leg.t_events, leg.y_events))
        values, held = values.copy(), held.copy()
        if fell:
            lowest = np.where(stops & ~held, values, np.inf).argmin()
            values[lowest], held[lowest] = 0.0, True
        else:
            held[np.where(held, velocity(now, values), -np.inf).argmax()] = False
    raise ValueError("entries of the state that stop at 0 left it and came back without end")


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
