"""Samples handed out in any number, though they are drawn in chunks."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from environments._checks import Floats

CHUNK = 2048
"""Samples drawn at a time. Chunks start at multiples of it and have a seed each, so that samples
are a pure function of their index: no block size and no starting point can change them."""


class Reader(Protocol):
    """Gives successive samples, as many as it is asked for."""

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`, (sample, neuron) in C order."""


Piece = Callable[[Floats], None]
"""Writes some samples to an array (sample, neuron): to where they are wanted, for copying a few
hundred kilobytes may cost a quarter of drawing them."""


class PieceReader:
    """A reader of samples that come in pieces of one length.

    Parameters
    ----------
    pieces : iterator of Piece
        Each is called before the next is asked for, or not at all.
    shape : (int, int)
        Of a piece.
    skip : int
        Samples that are passed over.
    """

    def __init__(self, pieces: Iterator[Piece], shape: tuple[int, int], skip: int) -> None:
        self._pieces = pieces
        self._held = np.empty(shape)
        self._given = len(self._held)
        for _ in range(skip // len(self._held)):
            next(self._pieces)
        if skip % len(self._held):
            next(self._pieces)(self._held)
            self._given = skip % len(self._held)

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        size, row = len(self._held), 0
        while row < len(inputs):
            rest = inputs[row:]
            if self._given == size and len(rest) >= size:
                next(self._pieces)(rest[:size])
                row += size
                continue
            if self._given == size:
                next(self._pieces)(self._held)
                self._given = 0
            part = self._held[self._given : self._given + len(rest)]
            rest[: len(part)] = part
            self._given += len(part)
            row += len(part)
