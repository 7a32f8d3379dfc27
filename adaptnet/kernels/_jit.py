"""How kernels are compiled: no GIL, cached on disk, floating point that keeps NaN."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

# Reassociation lets sums use vector registers. "nnan" and "ninf" stay off, so that comparisons see
# NaN and infinity; math.isfinite does not (x - x is folded to 0): kernels write abs(x) < inf.
FAST_MATH = {"nsz", "arcp", "contract", "afn", "reassoc"}


def kernel(function: F) -> F:
    """Compile `function` at its first call, with the options that every kernel shares."""
    compile_ = numba.njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
    return cast(F, compile_(function))
