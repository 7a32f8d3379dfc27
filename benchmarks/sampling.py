"""What sampling costs, compared with drawing normals and one matrix product.

For every environment of the tests' catalogue.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xarray as xr

from benchmarks.measure import interleaved
from benchmarks.work import covariance
from environments import Environment

PACE = 10  # contexts last some thousand samples, as in runs in which circuits can adapt
BLOCK = 4096  # samples at a time, as in a simulation
N_SAMPLES = 11 * BLOCK  # as many as the recordings hold
SIZES = (10, 64)
RUNS = ("ours", "reference", "normals")

DRAWINGS = {"noisy": 2.0, "concatenated_gradual": (21_000 + 2 * (N_SAMPLES - 11_000)) / N_SAMPLES}
"""Normals per input if there are several: noise, and two parts at a time."""


def sampling(repetitions: int) -> xr.DataArray:
    """Return microseconds per sample, (n, environment, run, repetition).

    The reference is ``rng.standard_normal((block, n)) @ factor``; normals is the same without the
    product. Processor time, so that other processes matter little.
    """
    from tests.environments.catalogue import catalogue  # late: it draws some recordings

    environments = {n: catalogue(n, PACE) for n in SIZES}
    names = list(environments[SIZES[0]])
    taken = np.empty((len(SIZES), len(names), len(RUNS), repetitions))
    for i, n in enumerate(SIZES):
        for j, name in enumerate(names):
            runs = dict(zip(RUNS, _runs(environments[n][name]), strict=True))
            seconds = interleaved(runs, repetitions, clock=time.process_time)
            taken[i, j] = np.stack([seconds[run] for run in RUNS]) / N_SAMPLES * 1e6
    return xr.DataArray(
        taken,
        dims=("sampling_n", "environment", "sampling_run", "repetition"),
        coords={"sampling_n": list(SIZES), "environment": names, "sampling_run": list(RUNS)},
        attrs={"units": "us", "long_name": "time per sample"},
    )


def _runs(environment: Environment) -> list[Callable[[], None]]:
    n = environment.n_neurons
    factor = np.linalg.cholesky(covariance(n, np.random.default_rng(0))).T.copy()

    def ours() -> None:
        for _ in environment.realize(np.random.SeedSequence(0)).blocks(N_SAMPLES, BLOCK):
            pass

    def reference() -> None:
        rng = np.random.Generator(np.random.SFC64(0))
        for _ in range(N_SAMPLES // BLOCK):
            rng.standard_normal((BLOCK, n)) @ factor

    def normals() -> None:
        rng = np.random.Generator(np.random.SFC64(0))
        for _ in range(N_SAMPLES // BLOCK):
            rng.standard_normal((BLOCK, n))

    return [ours, reference, normals]


def table(taken: xr.DataArray) -> str:
    """Return ratios to the reference in Markdown, and how many are below 2."""
    heads = [f"n = {n}: reference, µs per sample | environment / reference" for n in SIZES]
    lines = [f"| environment | {' | '.join(heads)} |", "|---" * (2 * len(SIZES) + 1) + "|"]
    ours, reference, normals = (taken.sel(sampling_run=run) for run in RUNS)
    # Ratios round by round: both were measured at the same moment.
    ratios = ours / reference
    for name in taken.environment.values:
        lines.append(_row(name, reference.sel(environment=name), ratios.sel(environment=name)))
    for name, drawings in DRAWINGS.items():
        least = (reference + (drawings - 1) * normals).sel(environment=name)
        title = f"{name}, against drawing {drawings:.3g} times the normals"
        lines.append(_row(title, least, ours.sel(environment=name) / least))
    within = (ratios.median("repetition") <= 2).sum("environment").values
    counts = [
        f"{w} of {ratios.sizes['environment']} at n = {n}"
        for w, n in zip(within, SIZES, strict=True)
    ]
    return "\n".join([*lines, "", f"Within twice the reference: {', '.join(counts)}."])


def _row(title: str, reference: xr.DataArray, ratios: xr.DataArray) -> str:
    cells = []
    for n in SIZES:
        values: npt.NDArray[np.float64] = ratios.sel(sampling_n=n).values
        cells.append(f"{float(reference.sel(sampling_n=n).median()):.3g}")
        cells.append(f"{np.median(values):.2f} ({values.min():.2f} to {values.max():.2f})")
    return f"| {title} | {' | '.join(cells)} |"
