"""How kernels are compiled: no GIL, cached on disk, floating point by the letter."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.dispatcher import Dispatcher

from adaptnet.kernels.building_blocks.cache import cache_of

F = TypeVar("F", bound=Callable[..., Any])

# No fast mathematics: what a kernel computes is then settled by its source, whatever else was
# compiled with it, before it, or taken from the cache. Kernels say themselves what is fused (fma)
# and what is done side by side (four).
# Nobody calls kernels from C: without wrappers for that they compile in four fifths of the time.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(function: F) -> F:
    """Compile `function` at its first call, with the options that every kernel shares.

    Machine code is kept beside the source or, if that is read-only, in the user's cache folder.
    """
    compiled: Any = numba.njit(**_OPTIONS)(function)
    compiles = isinstance(compiled, Dispatcher)  # not so if NUMBA_DISABLE_JIT=1
    if compiles:
        try:
            compiled._cache = cache_of(function)
        except RuntimeError:  # neither can be written
            _warn_once()
    return cast(F, compiled)


def inlined(function: F) -> F:
    """Mark a part of a kernel, written apart, that is made part of each kernel that calls it.

    A call of a compiled function hands over all that describes each of its arrays: for a few
    neurons that takes as long as the arithmetic.
    """
    return cast(F, numba.njit(inline="always", **_OPTIONS)(function))


@functools.cache
def _warn_once() -> None:
    warnings.warn(
        "no folder for compiled kernels can be written, so that each process compiles them anew; "
        "set NUMBA_CACHE_DIR to one that can",
        RuntimeWarning,
        stacklevel=3,
    )
