"""Stretches of one value."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def stretches(values: npt.NDArray[Any]) -> Iterator[tuple[Any, slice]]:
    """Yield each stretch of one value as the value and its rows.

    Examples
    --------
    >>> list(stretches(np.array([4, 4, 7])))
    [(4, slice(0, 2, None)), (7, slice(2, 3, None))]
    """
    inner = (np.flatnonzero(np.diff(values)) + 1).tolist()
    edges = [0, *inner, len(values)] if len(values) else []
    for first, last in itertools.pairwise(edges):
        yield values[first].item(), slice(first, last)
