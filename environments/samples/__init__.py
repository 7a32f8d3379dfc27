"""How samples are drawn: sources, chunks that have a seed each, and realizations made of them."""

from environments.samples.coloured import ColouredRealization
from environments.samples.readers import CHUNK, Piece, Reader, piece_size
from environments.samples.realization import (
    ChunkedRealization,
    Realization,
    SequentialRealization,
)
from environments.samples.sources import Sources

__all__ = [
    "CHUNK",
    "ChunkedRealization",
    "ColouredRealization",
    "Piece",
    "Reader",
    "Realization",
    "SequentialRealization",
    "Sources",
    "piece_size",
]


def __dir__() -> list[str]:
    return __all__
