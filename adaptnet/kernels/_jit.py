"""How kernels are compiled: no GIL, cached on disk, floating point that keeps NaN."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # Reassociation lets sums use vector registers. "nnan" and "ninf" stay off, so that comparisons
    # see NaN and infinity; math.isfinite does not (x - x is folded to 0): write abs(x) < inf.
    "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"},
}


def kernel(function: F) -> F:
    """Compile `function` at its first call, with the options that every kernel shares.

    Machine code is kept beside the source or, where that is read-only, in the user's cache folder.
    """
    try:
        return cast(F, numba.njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:  # neither can be written
        _warn_once()
        return cast(F, numba.njit(**_OPTIONS)(function))


@functools.cache
def _warn_once() -> None:
    warnings.warn(
        "no folder for compiled kernels can be written, so that each process compiles them anew; "
        "set NUMBA_CACHE_DIR to one that can",
        RuntimeWarning,
        stacklevel=3,
    )
