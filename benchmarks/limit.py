"""The least time that a sample can take: bytes its passes must touch, by the cache's bandwidth.

A sample reads and writes the effective weights once and the carried inverse once: 16 bytes for each
element of the half that is held. The bandwidth is that of the plainest such pass,
row += s * vector, over as many bytes, on the same machine: whatever cache level they live in is the
level measured.
"""

import time

import numba
import numpy as np

from benchmarks.work import Floats


def touched_bytes(n: int) -> int:
    """Return the bytes that a sample must read and write, whatever the circuit."""
    m = -(-n // 4) * 4
    return 16 * 2 * m * (m + 4) // 2


@numba.njit(fastmath=True)
def _passes(matrix: Floats, vector: Floats, times: int) -> None:
    for _ in range(times):
        for i in range(matrix.shape[0]):
            row = matrix[i]
            for j in range(matrix.shape[1]):
                row[j] += 1e-9 * vector[j]


def seconds_a_pass(n_bytes: int, repetitions: int) -> float:
    """Return the median time to read and write so many bytes (half of them each)."""
    width = 64
    matrix = np.zeros((max(1, n_bytes // 16 // width), width))
    vector = np.ones(width)
    times = max(1, int(2e7 / n_bytes))
    _passes(matrix, vector, 1)
    taken = []
    for _ in range(repetitions):
        start = time.perf_counter()
        _passes(matrix, vector, times)
        taken.append((time.perf_counter() - start) / times)
    return float(np.median(taken))
