"""The seeds of many chunks at once: one by one they would take a seventh as long as sampling."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence

Words = npt.NDArray[np.uint64]
_Halves = npt.NDArray[np.uint32]

# Constants of NumPy's SeedSequence, whose streams are promised to stay as they are (NEP 19).
_POOL_START, _POOL_FACTOR = 0x43B0D7E5, 0x931E8875
_STATE_START, _STATE_FACTOR = 0x8B51F9DD, 0x58F38DED
_MIX_OLD, _MIX_NEW = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)


def generator_from(words: Words) -> np.random.Generator:
    """Return a generator whose seed has the given words, (3,). SFC64 is NumPy's fastest."""
    seed: Any = _KnownWords(words)  # NumPy's stubs leave ISeedSequence out
    return np.random.Generator(np.random.SFC64(seed))


def words_of_children(seed: np.random.SeedSequence, first: int, stop: int) -> Words:
    """Return the words that SFC64 asks children `first` to `stop` of a seed for, (child, 3).

    Bit for bit those of ``SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, child))``: such a
    child is the parent's pool of bits, into which one more word is mixed.

    Parameters
    ----------
    seed : SeedSequence
        With a pool of four words, which is NumPy's default.
    first, stop : int
        At most 2**32, so that a child's number is one word.

    Examples
    --------
    >>> seed, child = np.random.SeedSequence(5), np.random.SeedSequence(5, spawn_key=(7,))
    >>> bool((words_of_children(seed, 7, 8)[0] == child.generate_state(3, np.uint64)).all())
    True
    """
    # The pool is filled in 16 steps; each word beyond the four that it holds takes 4 more.
    beyond = max(4, _n_words(seed.entropy)) - 4 + _n_words(seed.spawn_key)
    start = _POOL_START * pow(_POOL_FACTOR, 16 + 4 * beyond, 2**32)
    children = np.arange(first, stop).astype(np.uint32)
    mixed = _MIX_OLD * seed.pool[:, None] - _MIX_NEW * _hashed(children, start, _POOL_FACTOR, 4)
    pool = mixed ^ (mixed >> 16)
    halves = _hashed(pool[[0, 1, 2, 3, 0, 1]], _STATE_START, _STATE_FACTOR, 6).astype(np.uint64)
    return (halves[::2] | halves[1::2] << np.uint64(32)).T.copy()


def _hashed(values: _Halves, start: int, factor: int, rows: int) -> _Halves:
    """Return values (rows or 1, child) hashed with a constant that grows from row to row."""
    growing = [start * pow(factor, k, 2**32) % 2**32 for k in range(rows + 1)]
    constants = np.array(growing, np.uint32)[:, None]
    hashed = (values ^ constants[:-1]) * constants[1:]
    return np.asarray(hashed ^ (hashed >> 16))


def _n_words(value: Any) -> int:
    """Return how many words of 32 bits whole numbers take, each on its own."""
    if np.ndim(value) == 0:
        return max(1, -(-int(value).bit_length() // 32))
    return sum(_n_words(item) for item in value)


class _KnownWords(ISeedSequence):
    def __init__(self, words: Words) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Words:
        return self._words
