"""Run all benchmarks: tables to the screen and to Markdown, timings to a labelled file."""

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import xarray as xr

from adaptnet.simulation.threads import single_threaded_blas
from benchmarks import ensemble, growth, limit, sampling, scenario, start
from benchmarks.measure import interleaved, machine, one_core
from benchmarks.peers import PEERS, AbsentError, Run, adaptnet, numpy_loop
from benchmarks.work import CIRCUITS, SIZES, Work, gain_work, work

OURS = "adaptnet"


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("benchmark-results"))
@click.option("--repetitions", default=7, show_default=True, help="Rounds of each comparison.")
@click.option(
    "--only",
    multiple=True,
    help="kernels, gains, ensemble, scenario, growth, limit, sampling or start.",
)
def main(output: Path, repetitions: int, only: tuple[str, ...]) -> None:
    """Time this package against its peers; write OUTPUT/results.md and OUTPUT/results.nc."""
    sections = {
        "kernels": _kernels,
        "gains": _gains,
        "ensemble": _ensemble,
        "scenario": _scenario,
        "limit": _limit,
        "growth": _growth,
        "sampling": _sampling,
        "start": _start,
    }
    output.mkdir(parents=True, exist_ok=True)
    variables: dict[str, xr.DataArray] = {}
    text = [f"Machine: {machine()}. {repetitions} interleaved rounds; medians (least to most)."]
    cores = one_core()
    for name, section in sections.items():
        if only and name not in only:
            continue
        with single_threaded_blas():  # on one core more threads would wait for each other
            table, measured = section(repetitions, cores)
        variables |= measured
        text.append(table)
        click.echo(table + "\n")
    (output / "results.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")
    xr.Dataset(variables, attrs={"machine": machine()}).to_netcdf(output / "results.nc")
    click.echo(f"wrote {output / 'results.md'} and {output / 'results.nc'}")


def _present(found: dict[str, Any], one: Work) -> tuple[dict[str, Run], dict[str, str]]:
    """Return the peers that this machine has, their results checked, and why others are absent."""
    runs, absent = {}, {}
    for name, peer in found.items():
        try:
            runs[name] = peer(one)
        except AbsentError as reason:
            absent[name] = str(reason)
    expected = runs[OURS]()
    for name, run in runs.items():
        error = np.abs(run() - expected).max() / np.abs(expected).max()
        if error > 1e-9:
            raise AssertionError(f"{name} differs from {OURS} by {error:.1e} at n = {one.n}")
    return runs, absent


def _compare(
    title: str, found: dict[str, Any], works: dict[Any, Work], repetitions: int
) -> tuple[list[str], xr.DataArray]:
    """Return lines of a table of ratios, and microseconds per sample (work, peer, repetition)."""
    names = list(found)
    taken = np.full((len(works), len(names), repetitions), np.nan)
    absent: dict[str, str] = {}
    for row, one in enumerate(works.values()):
        runs, absent = _present(found, one)
        for name, seconds in interleaved(runs, repetitions).items():
            taken[row, names.index(name)] = seconds / len(one.inputs) * 1e6
    lines = [
        f"| {title}: peer / {OURS} | " + " | ".join(map(str, works)) + " |",
        "|---" * (len(works) + 1) + "|",
    ]
    for column, name in enumerate(names):
        if name in absent:
            lines.append(f"| {name}: {absent[name]} |" + " |" * len(works))
        elif name == OURS:
            cells = [
                f"{np.median(t):.3g} ({t.min():.3g} to {t.max():.3g})" for t in taken[:, column]
            ]
            lines.append(f"| {OURS}, µs per sample | " + " | ".join(cells) + " |")
        else:
            # Ratios round by round: both sides of each saw the same moment of the machine.
            ratios = taken[:, column] / taken[:, names.index(OURS)]
            cells = [f"{np.median(r):.2f} ({r.min():.2f} to {r.max():.2f})" for r in ratios]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines, xr.DataArray(
        taken,
        dims=("work", "peer", "repetition"),
        coords={"work": [str(w) for w in works], "peer": names},
        attrs={"units": "us", "long_name": "time per sample"},
    )


def _kernels(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    lines, variables = ["## Kernels", ""], {}
    for circuit in CIRCUITS:
        table, taken = _compare(
            circuit,
            {OURS: adaptnet, **PEERS},
            {f"n = {n}": work(circuit, n) for n in SIZES},
            repetitions,
        )
        lines += [*table, ""]
        variables[f"kernel_{circuit}"] = taken.rename(
            work=f"kernel_{circuit}_work", peer="kernel_peer"
        )
    return "\n".join(lines), variables


def _gains(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    lengths = {10: 20_000, 32: 600}
    works = {f"n = {n}, k = {n * (n + 1) // 2}": gain_work(n, t) for n, t in lengths.items()}
    table, taken = _compare("gain", {OURS: adaptnet, "NumPy loop": numpy_loop}, works, repetitions)
    variables = {"kernel_gain": taken.rename(work="kernel_gain_work", peer="kernel_gain_peer")}
    many, taken = _compare(
        f"gain, {ensemble.N_REPLICATES} replicates",
        {OURS: ensemble.ours, "NumPy loop": ensemble.numpy_loop},
        {f"n = {n}, k = {n * (n + 1) // 2}": gain_work(n, 64_000) for n in (2, 4, 10)},
        repetitions,
    )
    variables["ensemble_gain"] = taken.rename(work="ensemble_gain_work", peer="ensemble_gain_peer")
    return "\n".join(["## Gains", "", *table, "", *many]), variables


def _ensemble(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    works = {f"{c}, n = {n}": work(c, n, n_samples=160_000) for c in CIRCUITS for n in (2, 10, 32)}
    table, taken = _compare(
        f"{ensemble.N_REPLICATES} replicates",
        {OURS: ensemble.ours, "JAX vmap": ensemble.jax_vmap},
        works,
        repetitions,
    )
    return "\n".join(["## Ensemble", "", *table]), {
        "ensemble": taken.rename(work="ensemble_work", peer="ensemble_peer")
    }


def _scenario(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    absent = ""
    scripts = {OURS: scenario.ours, "NumPy script": scenario.numpy_script}
    try:
        scripts["JAX vmap"] = scenario.jax_script()
    except AbsentError as reason:
        absent = f"\n\nJAX vmap: {reason}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.nc"
        draw = scenario.drawn_by_ours(200)
        expected = scenario.ours(path, 2, 200)
        for name, script in scripts.items():
            if name != OURS:
                np.testing.assert_allclose(script(path, 2, 200, draw), expected, rtol=1e-8)
        rounds = min(repetitions, 3)  # the slowest takes a while
        seconds = interleaved(
            {name: (lambda s=script: s(path)) for name, script in scripts.items()}, rounds
        )
    lines = ["## End to end", "", f"| | seconds | times {OURS}'s |", "|---|---|---|"]
    for name, taken in seconds.items():
        ratios = taken / seconds[OURS]
        lines.append(
            f"| {name} | {np.median(taken):.3g} ({taken.min():.3g} to {taken.max():.3g}) | "
            f"{np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f}) |"
        )
    return "\n".join(lines) + absent, {
        "end_to_end": xr.DataArray(
            np.stack(list(seconds.values())),
            dims=("script", "round"),
            coords={"script": list(seconds)},
            attrs={"units": "s"},
        )
    }


def _limit(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    lines = [
        "## Distance to the memory limit",
        "",
        "| circuit | n | KiB touched | GB/s measured | limit, µs | ours, µs | ours / limit |",
        "|---|---|---|---|---|---|---|",
    ]
    ratios = np.empty((len(CIRCUITS), len(SIZES)))
    for i, circuit in enumerate(CIRCUITS):
        for j, n in enumerate(SIZES):
            n_bytes = limit.touched_bytes(n)
            least = limit.seconds_a_pass(n_bytes, repetitions)
            one = work(circuit, n)
            seconds = interleaved({OURS: adaptnet(one)}, repetitions)[OURS]
            ours = float(np.median(seconds)) / len(one.inputs)
            ratios[i, j] = ours / least
            lines.append(
                f"| {circuit} | {n} | {n_bytes / 1024:.1f} | {n_bytes / least / 1e9:.1f} | "
                f"{least * 1e6:.3g} | {ours * 1e6:.3g} | {ratios[i, j]:.1f} |"
            )
    return "\n".join(lines), {
        "limit_ratio": xr.DataArray(
            ratios, dims=("circuit", "n"), coords={"circuit": list(CIRCUITS), "n": list(SIZES)}
        )
    }


def _growth(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    lines = ["## Growth", "", "| of | over | exponent, or figures |", "|---|---|---|"]
    for circuit in CIRCUITS:
        sizes, taken = growth.in_neurons(circuit, repetitions)
        lines.append(f"| {circuit}, time | n = {sizes} | {growth.exponent(sizes, taken):.2f} |")
    sizes, taken = growth.in_interneurons(repetitions)
    lines.append(
        f"| interneuron, n = 64, time | k = {sizes} | {growth.exponent(sizes, taken):.2f} |"
    )
    counts = [4, 8, 16]
    taken = growth.in_replicates([(count, 1) for count in counts], repetitions)
    lines.append(f"| n = 32, time | replicates = {counts} | {growth.exponent(counts, taken):.2f} |")
    with cores:
        one, two = growth.in_replicates([(16, 1), (16, 2)], repetitions)
    lines.append(f"| n = 32, 16 replicates, speed-up | 2 threads | {one / two:.2f} |")
    few, many = growth.peak_memory(100_000), growth.peak_memory(3_000_000)
    lines.append(f"| n = 10, peak memory | 1e5, 3e6 samples | {few:.0f}, {many:.0f} MiB |")
    return "\n".join(lines), {}


def _sampling(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    taken = sampling.sampling(repetitions)
    return "\n".join(["## Sampling", "", sampling.table(taken)]), {"sampling": taken}


def _start(repetitions: int, cores: Any) -> tuple[str, dict[str, xr.DataArray]]:
    with cores:
        taken = start.starts(repetitions)
    lines = ["## Start", "", f"| | seconds | times {start.REFERENCE} |", "|---|---|---|"]
    for name, seconds in taken.items():
        ratios = seconds / taken[start.REFERENCE]
        lines.append(
            f"| {name} | {np.median(seconds):.3g} ({seconds.min():.3g} to {seconds.max():.3g}) | "
            f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f}) |"
        )
    dims = ("program", "round")
    return "\n".join(lines), {
        "start": xr.DataArray(
            np.stack(list(taken.values())),
            dims=dims,
            coords={"program": list(taken)},
            attrs={"units": "s"},
        ).rename(round="start_round")
    }


if __name__ == "__main__":
    main()
