"""The buffers that kernels fill with what is recorded, and the types of what they take."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

Records: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""Name to buffer (replicate, record, ...)."""


def buffers(records: Records, r: int) -> tuple[Floats, Integers, Floats]:
    """Return replicate `r`'s buffers of weights, Euler steps and responses.

    What is not recorded is a buffer without a record, which compiled kernels can take.
    """
    steps, response = records.get("fast_steps"), records.get("response")
    return (
        records["effective_weights"][r],
        np.empty(0, np.int64) if steps is None else steps[r],
        np.empty((0, 0, 0)) if response is None else response[r],
    )
