"""What sampling costs, against drawing normals and one matrix product.

``python -m benchmarks.sampling`` prints it for every environment that the tests go through.
"""

import time
from collections.abc import Callable, Collection

import click
import numpy as np
import numpy.typing as npt

from adaptnet.threads import single_threaded_blas
from benchmarks.measure import interleaved, machine, one_core
from benchmarks.work import covariance
from environments import Environment
from tests.environments.catalogue import catalogue

Ratios = npt.NDArray[np.float64]

PACE = 10  # contexts last some thousand samples, as in runs that circuits can follow
BLOCK = 4096  # samples at a time, as a simulation asks for them
N_SAMPLES = 11 * BLOCK  # what the recordings hold, and no fewer


def sampling(
    n: int, repetitions: int, only: Collection[str] = ()
) -> dict[str, tuple[float, Ratios, Ratios]]:
    """Return microseconds a sample of each environment, and ratios to both references.

    One reference is what one would write, ``rng.standard_normal((block, n)) @ factor``; the other
    draws into memory that is used again, which spares it the page faults of the first. Processor
    time, not time on the wall, so that other processes matter little; ratios are of neighbours in
    time, so that both saw the same moment of the machine.
    """
    found = {}
    with single_threaded_blas():
        for name, environment in catalogue(n, PACE).items():
            if only and name not in only:
                continue
            seconds = interleaved(
                {
                    "ours": _sampled(environment),
                    "written": _reference(environment.n_neurons, reused=False),
                    "reused": _reference(environment.n_neurons, reused=True),
                },
                repetitions,
                clock=time.process_time,
            )
            ours = seconds["ours"]
            found[name] = (
                float(np.median(ours)) / N_SAMPLES * 1e6,
                ours / seconds["written"],
                ours / seconds["reused"],
            )
    return found


def _sampled(environment: Environment) -> Callable[[], None]:
    def run() -> None:
        realization = environment.realize(np.random.SeedSequence(0))
        for _ in realization.blocks(N_SAMPLES, BLOCK):
            pass

    return run


def _reference(n: int, *, reused: bool) -> Callable[[], None]:
    factor = np.linalg.cholesky(covariance(n, np.random.default_rng(0))).T.copy()
    white, inputs = np.empty((BLOCK, n)), np.empty((BLOCK, n))

    def run() -> None:
        rng = np.random.Generator(np.random.SFC64(0))
        for _ in range(N_SAMPLES // BLOCK):
            if reused:
                rng.standard_normal(out=white)
                np.matmul(white, factor, out=inputs)
            else:
                rng.standard_normal((BLOCK, n)) @ factor

    return run


@click.command()
@click.option("--repetitions", default=9, show_default=True, help="Rounds of each comparison.")
@click.option("--only", multiple=True, help="Environments of the tests' catalogue.")
@click.option("--sizes", default="10,64", show_default=True, help="Numbers of inputs.")
def main(repetitions: int, only: tuple[str, ...], sizes: str) -> None:
    """Print what sampling costs, as a table in Markdown."""
    one_core()
    columns = {int(n): sampling(int(n), repetitions, only) for n in sizes.split(",")}
    click.echo(f"Machine: {machine()}. {repetitions} rounds; medians (least to most).\n")
    heads = [
        f"n = {n}: µs a sample | to reference | to one that uses memory again" for n in columns
    ]
    click.echo("| environment | " + " | ".join(heads) + " |")
    click.echo("|---" * (3 * len(columns) + 1) + "|")
    for name in next(iter(columns.values())):
        cells = []
        for column in columns.values():
            taken, *both = column[name]
            cells.append(f"{taken:.3g}")
            cells += [f"{np.median(r):.2f} ({r.min():.2f} to {r.max():.2f})" for r in both]
        click.echo(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
