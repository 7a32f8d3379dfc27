"""Samples handed out in any number, although they are drawn in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from environments.checks import Floats

CHUNK = 8192
"""Samples drawn from one seed. Chunks start at multiples of it, so that samples are a pure function
of their index: no block size and no starting point changes them. A generator takes 8 us to make,
1.4 % of the time that the normals of a chunk take for 10 neurons and 7 % for 2; with chunks of 2048
samples it would be 6 % and 28 %."""

_CACHED = 2**15  # numbers: 256 KiB, half of a common second-level cache


class Reader(Protocol):
    """Gives successive samples, as many as it is asked for."""

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`, (sample, neuron) in C order."""


Piece = Callable[[Floats], None]
"""Writes some samples to an array (sample, neuron): straight to their destination, because copying
a few hundred kilobytes may cost a quarter of drawing them."""


def piece_size(n_neurons: int) -> int:
    """Return how many samples are drawn and coloured at a time: what stays in the cache.

    A divisor of ``CHUNK``, and a function of the number of neurons alone, so that what is drawn
    does not depend on who asks for it.
    """
    size = CHUNK
    while size > 64 and size * n_neurons > _CACHED:
        size //= 2
    return size


class PieceReader:
    """A reader of samples that come in pieces of one length.

    Parameters
    ----------
    pieces : iterator of Piece
        Each is called once, before the next is asked for.
    shape : (int, int)
        Of a piece.
    skip : int
        Samples that are drawn and dropped before the first one that is read.
    """

    def __init__(self, pieces: Iterator[Piece], shape: tuple[int, int], skip: int) -> None:
        self._pieces = pieces
        self._held = np.empty(shape)
        self._used = shape[0]  # rows of `_held` that have been handed out
        whole, rest = divmod(skip, shape[0])
        for _ in range(whole):
            next(self._pieces)(self._held)
        if rest:
            next(self._pieces)(self._held)
            self._used = rest

    def read(self, inputs: Floats) -> None:
        """Write the next ``len(inputs)`` samples to `inputs`."""
        size, row = len(self._held), 0
        while row < len(inputs):
            rest = inputs[row:]
            if self._used == size and len(rest) >= size:
                next(self._pieces)(rest[:size])
                row += size
                continue
            if self._used == size:
                next(self._pieces)(self._held)
                self._used = 0
            part = self._held[self._used : self._used + len(rest)]
            rest[: len(part)] = part
            self._used += len(part)
            row += len(part)
