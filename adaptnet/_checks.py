"""Checks of arguments: each refuses a bad value with its name, what was expected and what came."""

import json
import math
import operator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LARGEST = 2**53  # the last whole number before floats have gaps; sums of a few fit into 64 bits


def positive_number(name: str, value: Any, *, zero: bool = False, below: float = math.inf) -> float:
    """Return `value` as a float if it is finite, positive (or zero, where allowed) and `below`."""
    kind = "non-negative" if zero else "positive"
    bound = "" if below == math.inf else f" below {below:g}"
    expected = f"{name} must be a finite {kind} number{bound}"
    if isinstance(value, bool | str | bytes):
        raise TypeError(f"{expected}, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{expected}, got {value!r}") from None
    if not (math.isfinite(number) and (number > 0 or (zero and number == 0)) and number < below):
        raise ValueError(f"{expected}, got {value!r}")
    return number


def positive_numbers(name: str, value: Any, *, zero: bool = False) -> Floats:
    """Return `value` as an array if all its numbers are finite and positive (or zero)."""
    kind = "non-negative" if zero else "positive"
    try:
        numbers: Floats = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold finite {kind} numbers, got {value!r}") from None
    wrong = ~(np.isfinite(numbers) & ((numbers > 0) | (zero & (numbers == 0))))
    if wrong.any():
        raise ValueError(f"{name} must hold finite {kind} numbers, got {numbers[wrong][0]}")
    return numbers


def threshold_below_one(value: Any) -> float:
    """Return `value` as a float if it lies between 0 and 1."""
    try:
        return positive_number("threshold", value, below=1.0)
    except ValueError:
        raise ValueError(
            f"threshold must lie between 0 and 1, got {value!r}: seen from weights above their "
            "target the error never exceeds 1"
        ) from None


def whole_number(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return `value` as an int if it is a whole number of at least `minimum`."""
    expected = f"{name} must be a whole number of at least {minimum}"
    if isinstance(value, bool):
        raise TypeError(f"{expected}, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{expected}, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{expected}, got {number}")
    if number > LARGEST:
        raise ValueError(f"{name} must be at most 2**53, got a number of {len(str(number))} digits")
    return number


def real_matrix(name: str, value: Any) -> Floats:
    """Return a fresh C-contiguous float64 copy of `value` if it is a finite real matrix."""
    try:
        raw = np.asarray(value)
        if raw.dtype.kind not in "fiu":
            raise TypeError
        matrix: Floats = np.array(raw, dtype=np.float64, order="C", copy=True)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of real numbers, got {value!r}") from None
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{name} must be a matrix (2 dimensions), got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(
            f"{name} must be finite, got {matrix[row, column]} at row {row}, column {column}"
        )
    return matrix


def positive_definite(name: str, value: Any) -> Floats:
    """Return a copy of `value` if it is a symmetric positive definite matrix."""
    matrix = real_matrix(name, value)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be square, got shape {matrix.shape}")
    gap = np.abs(matrix - matrix.T).max()
    if gap > 1e-12 * np.abs(matrix).max():  # far above rounding, far below any meant asymmetry
        raise ValueError(
            f"{name} must be symmetric, but it differs from its transpose by up to {gap:.3g}; "
            f"if that is rounding, pass ({name} + {name}.T) / 2"
        )
    smallest = np.linalg.eigvalsh(matrix)[0]
    if smallest <= 0:
        raise ValueError(
            f"{name} must be positive definite, but its smallest eigenvalue is {smallest:.3g}; "
            "add a small multiple of the identity if it is meant to be singular"
        )
    return matrix


def json_value(text: Any, source: str) -> Any:
    """Return what a JSON text from a file says.

    Examples
    --------
    >>> json_value("[1, 2]", "the list")
    [1, 2]
    """
    if not isinstance(text, str):
        raise ValueError(f"{source} is damaged: it must be JSON, got {text!r:.100}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source} is damaged: it is not JSON ({error})") from error


def json_object(text: Any, source: str) -> dict[str, Any]:
    """Return the JSON object that a text from a file holds."""
    value = json_value(text, source)
    if not isinstance(value, dict):
        raise ValueError(f"{source} is damaged: it must be a JSON object, got {value!r:.100}")
    return value
