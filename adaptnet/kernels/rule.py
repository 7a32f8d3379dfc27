"""A rule of one's own: a compiled function that processes one sample, and the loop around it."""

import functools
import inspect
import math
from collections.abc import Callable, Hashable, Sequence
from types import ModuleType
from typing import Any

import numba
import numpy as np

from adaptnet.kernels.building_blocks import cholesky
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.records import Bools, Floats, Integers, Records
from adaptnet.kernels.status import Outcome, Status

OK = int(Status.OK)
ACTIVITY_NOT_FINITE = int(Status.ACTIVITY_NOT_FINITE)
WEIGHTS_NOT_FINITE = int(Status.WEIGHTS_NOT_FINITE)
OUTPUTS_MISSHAPEN, WEIGHTS_MISSHAPEN = -1, -2
_MISSHAPEN = {
    OUTPUTS_MISSHAPEN: "step must return as many outputs as there are neurons",
    WEIGHTS_MISSHAPEN: "weights must return a row and a column per neuron",
}


@kernel
def solve(A: Floats, x: Floats) -> Floats:
    """Return y with A y = x, for use in rules; NaN if A is not positive definite.

    Only the lower triangle of A is read.
    """
    n = x.shape[0]
    space = np.empty((n + 1, n))  # one array: for a few neurons memory takes as long as arithmetic
    factor, y = space[:n], space[n]
    if cholesky.factorise(A, factor):
        cholesky.solve(factor, x, y)
    else:
        y[:] = math.nan
    return y


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function compiled by Numba, as it is if it has been.

    The same function is compiled once, whatever circuits it is part of, as long as the variables
    around it, which Numba takes for constants, are what they were.
    """
    if hasattr(function, "py_func"):
        return function
    try:
        return _compiled_once(function, _surroundings(function))
    except TypeError:  # it cannot be looked into, or something around it cannot be compared
        return _compile(function)


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = numba.njit(error_model="numpy", nogil=True)(function)
    return made


@functools.lru_cache(maxsize=32)
def _compiled_once(
    function: Callable[..., Any], surroundings: tuple[Hashable, ...]
) -> Callable[..., Any]:
    return _compile(function)


def _surroundings(function: Callable[..., Any]) -> tuple[Hashable, ...]:
    """Return the variables around a function, by name, type and value."""
    known = inspect.getclosurevars(function)
    found: list[Hashable] = []
    for name, value in sorted({**known.globals, **known.nonlocals}.items()):
        if isinstance(value, ModuleType) and value.__name__ not in ("numpy", "math"):
            raise TypeError(f"numbers in the module {name} may have changed")
        if isinstance(value, np.ndarray):
            found.append((name, value.dtype.str, value.shape, value.tobytes()))
        else:
            found.append((name, type(value), value))
    return tuple(found)


@functools.lru_cache(maxsize=32)
def loop(step: Callable[..., Any], weights: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loop over a block of samples, compiled around a rule."""

    @numba.njit(error_model="numpy", nogil=True)
    def run(
        state: Any,
        inputs: Floats,
        rates: Floats,
        recorded: Bools,
        recorded_weights: Floats,
        done: Integers,
    ) -> int:
        n, n_records = inputs.shape[1], 0
        x = np.empty(n)  # a copy: other circuits are to process the same samples
        for t in range(inputs.shape[0]):
            done[0] = t  # if the rule raises, this is the sample
            x[:] = inputs[t]
            y = step(state, x, rates[t])
            if y.shape[0] != n:
                return OUTPUTS_MISSHAPEN
            total = 0.0
            for i in range(y.shape[0]):
                total += y[i]
            if not abs(total) < math.inf:
                return ACTIVITY_NOT_FINITE
            if recorded[t]:
                A = weights(state)
                if A.shape[0] != n or A.shape[1] != n:
                    return WEIGHTS_MISSHAPEN
                total = 0.0
                for i in range(A.shape[0]):
                    for j in range(A.shape[1]):
                        recorded_weights[n_records, i, j] = A[i, j]
                        total += A[i, j]
                if not abs(total) < math.inf:
                    return WEIGHTS_NOT_FINITE
                n_records += 1
        done[0] = inputs.shape[0]
        return OK

    compiled_run: Callable[..., Any] = run
    return compiled_run


def advance(
    step: Callable[..., Any],
    weights: Callable[..., Any],
    states: Sequence[Any],
    inputs: Floats,
    rates: Floats,
    recorded: Bools,
    records: Records,
) -> list[Outcome]:
    """Process a block of samples by a rule, one replicate after the other.

    Raises
    ------
    RuleError
        If the rule raises, with the sample of the block and its traceback, or returns another
        shape than for the first sample.
    """
    run, outcomes = loop(step, weights), []
    for r, state in enumerate(states):
        done = np.zeros(1, np.int64)
        block = inputs[r], rates[r], recorded, records["effective_weights"][r]
        try:
            status = run(state, *block, done)
        except Exception as error:
            t = int(done[0])
            raise RuleError(r, t) from _in_python(step, state, inputs[r, t], rates[r, t], error)
        if status in _MISSHAPEN:
            raise RuleError(r, int(done[0]), _MISSHAPEN[status])
        outcomes.append(Outcome(Status(status), int(done[0])))
    return outcomes


class RuleError(RuntimeError):
    """A rule failed; `replicate` of the group and `sample` of the block say where."""

    def __init__(self, replicate: int, sample: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.replicate = replicate
        self.sample = sample


def _in_python(
    step: Callable[..., Any], state: Any, x: Floats, eta: float, error: Exception
) -> Exception:
    """Return what the rule raises if Python runs it: compiled code has no traceback."""
    copy = type(state)(*(array.copy() for array in state))
    try:
        step.py_func(copy, x.copy(), float(eta))  # type: ignore[attr-defined]
    except Exception as found:
        return found
    return error
