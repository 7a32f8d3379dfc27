"""The work that is timed: inputs, starting weights, and how many samples for each size."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SIZES = (2, 10, 32, 64, 144, 256)
CIRCUITS = ("direct", "interneuron")
LEARNING_RATE = 1e-3

# Enough samples that the clock's grain and a call's overhead do not show, few enough that the
# slowest peer ends within a second or two.
_SAMPLES = {2: 20_000, 10: 20_000, 32: 8_000, 64: 4_000, 144: 1_500, 256: 600}


@dataclass(frozen=True)
class Work:
    """One circuit, one size: `n_samples` Gaussian inputs from weights near their optimum."""

    circuit: str
    n: int
    inputs: Floats  # (sample, n)
    start: Floats  # M (n, n), or W (n, k)
    gains: Floats | None = None  # (k,), of a circuit whose W is fixed


def covariance(n: int, rng: np.random.Generator, condition: float = 10.0) -> Floats:
    """Return a covariance with a geometric spectrum from 1 to `condition` in a random basis."""
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix: Floats = (basis * np.geomspace(1.0, condition, n)) @ basis.T
    return (matrix + matrix.T) / 2


def work(circuit: str, n: int, *, k: int | None = None, n_samples: int | None = None) -> Work:
    """Return the work for a circuit of `n` primary neurons (and `k` interneurons, by default n)."""
    rng = np.random.default_rng(n)
    C = covariance(n, rng)
    length = _SAMPLES.get(n, 2_000) if n_samples is None else n_samples
    inputs = rng.standard_normal((length, n)) @ np.linalg.cholesky(C).T
    values, vectors = np.linalg.eigh(C)
    # Start a little off the optimum C^(1/2), where a run spends most of its time.
    if circuit == "direct":
        start = (vectors * (1.1 * np.sqrt(values))) @ vectors.T
        start = (start + start.T) / 2
    else:
        rows = np.linalg.qr(rng.normal(size=(k or n, k or n)))[0][:n]  # orthonormal
        start = (vectors * np.sqrt(1.1 * np.sqrt(values))) @ vectors.T @ rows
    return Work(circuit, n, inputs, np.ascontiguousarray(start))


def gain_work(n: int, n_samples: int) -> Work:
    """Return the work for gains of as many interneurons as span the symmetric matrices."""
    rng, k = np.random.default_rng(n), n * (n + 1) // 2
    C = covariance(n, rng)
    inputs = rng.standard_normal((n_samples, n)) @ np.linalg.cholesky(C).T
    frame = rng.standard_normal((n, k))
    frame /= np.linalg.norm(frame, axis=0)
    values, vectors = np.linalg.eigh(C)
    weights = (vectors * (1.1 * np.sqrt(values))) @ vectors.T  # a little off the optimum
    i, j = np.tril_indices(n)
    gains = np.linalg.solve(frame[i] * frame[j], weights[i, j])
    return Work("gain", n, inputs, frame, gains)
