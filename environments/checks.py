"""Checks of arguments, for environments of your own, too.

Each returns the value if it is good, and otherwise raises an error that says the argument's name,
what was expected and what came.

Examples
--------
>>> whole_number("period", 500)
500
>>> whole_number("period", 0)
Traceback (most recent call last):
ValueError: period must be at least 1, got 0
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Rng = None | int | np.random.SeedSequence | np.random.Generator

LARGEST = 2**53  # the last whole number before floats have gaps; sums of a few fit into 64 bits


def whole_number(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return `value` as an int if it is a whole number of at least `minimum`."""
    try:
        number = operator.index(value) if not isinstance(value, bool) else None
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    if number > LARGEST:
        raise ValueError(f"{name} must be at most 2**53, got a number of {len(str(number))} digits")
    return number


def non_negative(name: str, value: Any) -> float:
    """Return `value` as a float if it is a finite number of at least 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name} must be finite and at least 0, got {value!r}")
    return number


def positive(name: str, value: Any) -> float:
    """Return `value` as a float if it is a finite number above 0."""
    number = non_negative(name, value)
    if number == 0:
        raise ValueError(f"{name} must be greater than 0, got {value!r}")
    return number


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """Return `value` if it is one of the words `known`."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    return value


def real_array(name: str, value: Any) -> Floats:
    """Return a copy of `value` as an array if it holds real numbers."""
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be an array of real numbers, got {value!r}")
    return array.astype(np.float64)


def items(name: str, value: Any) -> list[Any]:
    """Return `value` as a list if it is a sequence; a string is not."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} must be a sequence, got {value!r}")
    return list(value)


def seed_sequence(name: str, value: Any) -> np.random.SeedSequence:
    """Return `value` if it is a SeedSequence, or the SeedSequence of a whole number."""
    if isinstance(value, np.random.SeedSequence):
        return value
    return np.random.SeedSequence(whole_number(name, value, minimum=0))


def generator(rng: Any) -> np.random.Generator:
    """Return `rng` if it is a generator, or NumPy's default generator of a seed."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise TypeError(
            f"rng must be None, a whole number, a SeedSequence or a Generator, got {rng!r}"
        ) from None


def probabilities(name: str, value: Any, size: int | None = None) -> Floats:
    """Return `value` as an array if it holds `size` probabilities that sum to one."""
    chances = real_array(name, value)
    if chances.ndim != 1 or not chances.size or size not in (None, chances.size):
        count = "a list of" if size is None else size
        raise ValueError(f"{name} must be {count} probabilities, got {value!r}")
    if not np.isfinite(chances).all() or (chances < 0).any():
        raise ValueError(f"{name} must be probabilities, at least 0 each, got {value!r}")
    if abs(chances.sum() - 1) > 1e-9:  # far above rounding, far below any intended difference
        raise ValueError(
            f"{name} must sum to one, but it sums to {chances.sum():.10g}; divide it by its sum"
        )
    return np.asarray(chances / chances.sum(), dtype=np.float64)


def covariance_matrix(name: str, value: Any) -> Floats:
    """Return a read-only copy of `value` if it is a covariance matrix of full rank."""
    matrix = np.ascontiguousarray(real_array(name, value))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"{name} must be a square matrix, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be finite, but it holds NaN or infinity")
    scale = np.abs(matrix).max()
    if np.abs(matrix - matrix.T).max() > 1e-12 * scale:
        raise ValueError(
            f"{name} must be symmetric, but it differs from its transpose by up to "
            f"{np.abs(matrix - matrix.T).max():.3g}; covariances are symmetric: check how "
            "it was computed"
        )
    smallest = np.linalg.eigvalsh(matrix)[0]
    # Below n eps the eigenvalue is rounding, and the inverse square root means nothing.
    if smallest <= len(matrix) * np.finfo(np.float64).eps * scale:
        raise ValueError(
            f"{name} must be positive definite, but its smallest eigenvalue is {smallest:.3g}; "
            "add a ridge, a small multiple of the identity"
        )
    matrix.setflags(write=False)
    return matrix


def cholesky(covariances: Floats) -> Floats:
    """Return the lower Cholesky factors of covariances (..., n, n) that have been checked."""
    return np.asarray(np.linalg.cholesky(covariances), dtype=np.float64)


def covariance_matrices(name: str, values: Sequence[Any]) -> tuple[Floats, ...]:
    """Return read-only copies of `values` if they are covariance matrices of the same size."""
    values = items(name, values)
    if not values:
        raise ValueError(f"{name} must hold at least one matrix, got 0")
    matrices = tuple(covariance_matrix(f"{name}[{i}]", item) for i, item in enumerate(values))
    sizes = sorted({len(matrix) for matrix in matrices})
    if len(sizes) > 1:
        raise ValueError(f"{name} must all have the same size, got matrices of sizes {sizes}")
    return matrices
