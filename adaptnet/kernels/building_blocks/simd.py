"""Four neighbouring numbers as one value, for loops that take four elements at a time.

Numba's compiler turns plain loops into vector instructions if it sees how, which loops with
several sums hide from it. Loops over fours do not depend on that: each operation is one instruction
on processors with 256-bit registers, two on others, and sums are added in the order written.
Without compilation (``NUMBA_DISABLE_JIT=1``) fours are arrays of four elements.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import extending
from numba.core import types
from numba.extending import models, overload, register_model

Floats = npt.NDArray[np.float64]

FOUR = 4
_VECTOR = ir.VectorType(ir.DoubleType(), FOUR)
_FMA = "llvm.fma.v4f64"
_DOUBLE = 8  # bytes; arrays are aligned to elements, not to fours


class _Four(types.Type):
    """Numba's name for the type."""

    def __init__(self, name: str) -> None:
        super().__init__(name)


_four = _Four("Four")
intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = extending.intrinsic


@register_model(_Four)
class _FourModel(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_, _VECTOR)  # type: ignore[no-untyped-call]


def load(array: Floats, start: int) -> Floats:
    """Return elements `start` to `start` + 3 of a contiguous array."""
    return array[start : start + FOUR].copy()


def load_if_any(array: Floats | None, start: int) -> Floats | None:
    """Return what `load` does, or None if there is no array."""
    return None if array is None else load(array, start)


def spread_if_any(array: Floats | None, i: int) -> Floats | None:
    """Return four times element i of an array, or None if there is no array."""
    return None if array is None else spread(array[i])


def fma_if_any(a: Floats | None, b: Floats | None, c: Floats) -> Floats:
    """Return a b + c lane by lane, or c if there is no a.

    What is absent is so at compile time, and leaves no trace in the compiled code.
    """
    return c if a is None or b is None else fma(a, b, c)


def store(array: Floats, start: int, four: Floats) -> None:
    """Write elements `start` to `start` + 3 of a contiguous array."""
    array[start : start + FOUR] = four


def spread(number: float) -> Floats:
    """Return four times the same number."""
    return np.full(FOUR, number)


def total(four: Floats) -> float:
    """Return the sum of the four."""
    return float((four[0] + four[1]) + (four[2] + four[3]))


def fma(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return a b + c lane by lane, rounded once if compiled."""
    return a * b + c


def lane(four: Floats, i: int) -> Floats:
    """Return four times number i of a four."""
    return np.full(FOUR, four[i])


def at_least(four: Floats, least: Floats) -> Floats:
    """Return the larger of each pair of lanes, or that of `four` if it is NaN."""
    return np.where(least > four, least, four)


def totals(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Return the sums of four fours."""
    return np.array([total(a), total(b), total(c), total(d)])


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    start = context.cast(builder, args[1], signature.args[1], types.intp)
    return builder.bitcast(builder.gep(array.data, [start]), _VECTOR.as_pointer())


@intrinsic
def _load(typing_context: Any, array: Any, start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=_DOUBLE)

    return _four(array, start), generate


@intrinsic
def _store(typing_context: Any, array: Any, start: Any, four: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=_DOUBLE)
        return context.get_dummy_value()

    return types.none(array, start, four), generate


@intrinsic
def _spread(typing_context: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = ir.IntType(32)
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(undefined, args[0], index(0))
        lanes = ir.Constant(ir.VectorType(index, FOUR), [0] * FOUR)
        return builder.shuffle_vector(first, undefined, lanes)

    return _four(types.float64), generate


@intrinsic
def _total(typing_context: Any, four: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = [builder.extract_element(args[0], ir.IntType(32)(i)) for i in range(FOUR)]
        return builder.fadd(builder.fadd(lanes[0], lanes[1]), builder.fadd(lanes[2], lanes[3]))

    return types.float64(four), generate


@intrinsic
def _totals(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def pick(left: Any, right: Any, lanes: list[int]) -> Any:
            mask = ir.Constant(ir.VectorType(ir.IntType(32), FOUR), lanes)
            return builder.shuffle_vector(left, right, mask)

        def halves(left: Any, right: Any) -> Any:
            return builder.fadd(pick(left, right, [0, 4, 2, 6]), pick(left, right, [1, 5, 3, 7]))

        ab, cd = halves(*args[:2]), halves(*args[2:])
        return builder.fadd(pick(ab, cd, [0, 1, 4, 5]), pick(ab, cd, [2, 3, 6, 7]))

    return _four(a, b, c, d), generate


@overload(load, strict=False)
def _compiled_load(array: Any, start: Any) -> Any:
    return lambda array, start: _load(array, start)


def _absent(type_: Any) -> bool:
    return isinstance(type_, types.NoneType | types.Omitted)


@overload(load_if_any, strict=False)
def _compiled_load_if_any(array: Any, start: Any) -> Any:
    if _absent(array):
        return lambda array, start: None
    return lambda array, start: _load(array, start)


@overload(spread_if_any, strict=False)
def _compiled_spread_if_any(array: Any, i: Any) -> Any:
    if _absent(array):
        return lambda array, i: None
    return lambda array, i: _spread(array[i])


@overload(fma_if_any, strict=False)
def _compiled_fma_if_any(a: Any, b: Any, c: Any) -> Any:
    if _absent(a):
        return lambda a, b, c: c
    return lambda a, b, c: _fma(a, b, c)


@overload(store, strict=False)
def _compiled_store(array: Any, start: Any, four: Any) -> Any:
    return lambda array, start, four: _store(array, start, four)


@overload(spread, strict=False)
def _compiled_spread(number: Any) -> Any:
    return lambda number: _spread(number)


@overload(total, strict=False)
def _compiled_total(four: Any) -> Any:
    return lambda four: _total(four)


@overload(totals, strict=False)
def _compiled_totals(a: Any, b: Any, c: Any, d: Any) -> Any:
    return lambda a, b, c, d: _totals(a, b, c, d)


@intrinsic
def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        of_fours = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        return builder.call(builder.module.declare_intrinsic(_FMA, (), of_fours), args)

    return _four(a, b, c), generate


@overload(fma, strict=False)
def _compiled_fma(a: Any, b: Any, c: Any) -> Any:
    return lambda a, b, c: _fma(a, b, c)


def _lane_by_lane(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    @intrinsic
    def compute(typing_context: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(*args)

        return _four(left, right), generate

    @overload(operation, strict=False)
    def compiled(left: Any, right: Any) -> Any:
        if isinstance(left, _Four) and isinstance(right, _Four):
            return lambda left, right: compute(left, right)
        return None


_lane_by_lane(operator.add, "fadd")
_lane_by_lane(operator.sub, "fsub")
_lane_by_lane(operator.mul, "fmul")
_lane_by_lane(operator.truediv, "fdiv")


@intrinsic
def _at_least(typing_context: Any, four: Any, least: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[1], args[0]), args[1], args[0])

    return _four(four, least), generate


@overload(at_least, strict=False)
def _compiled_at_least(four: Any, least: Any) -> Any:
    return lambda four, least: _at_least(four, least)


@intrinsic
def _lane(typing_context: Any, four: Any, i: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], signature.args[1], types.int32)
        number = builder.extract_element(args[0], index)
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(undefined, number, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), FOUR), [0] * FOUR)
        return builder.shuffle_vector(first, undefined, lanes)

    return _four(four, i), generate


@overload(lane, strict=False)
def _compiled_lane(four: Any, i: Any) -> Any:
    return lambda four, i: _lane(four, i)
