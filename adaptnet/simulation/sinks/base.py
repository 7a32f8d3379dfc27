"""Where the rows of a run go."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet.circuits.base import State
from adaptnet.simulation.plan import Layout
from adaptnet.simulation.rows import Rows


@dataclass
class Reached:
    """How far a replicate is: samples processed, and how and at which sample circuits diverged."""

    processed: int
    diverged: list[int]  # per circuit; -1 if it did not
    failures: list[int]  # per circuit; the kernels' Status


class Sink(ABC):
    """Where a run's rows go; filled by any number of threads, each replicate by one of them."""

    layout: Layout

    def restore(self, replicate: int, states: Sequence[State]) -> Reached | None:
        """Bring `states` to where `replicate` was; return how far that is, None if it is new."""
        return None

    @abstractmethod
    def write(self, replicate: int, first: int, rows: Rows) -> None:
        """Store rows of a replicate, the first of which is its row `first`."""

    @abstractmethod
    def keep(
        self, replicate: int, reached: Reached, states: Sequence[State], *, at_once: bool
    ) -> None:
        """Note how far `replicate` is, for `restore` to return there; `at_once` or when due."""


def placed(
    layout: Layout, name: str, replicate: int, first: int, rows: Rows
) -> tuple[tuple[int | slice, ...], npt.NDArray[Any]]:
    """Return where rows from `first` of a replicate go in variable `name`, and their values."""
    at: dict[str, int | slice] = {
        "replicate": replicate,
        "sample": slice(first, first + len(rows)),
    }
    dims = layout.dims(name)
    index = tuple(at.get(dim, slice(None)) for dim in dims)
    return index, np.moveaxis(rows[name], 0, 1) if "circuit" in dims else rows[name]
