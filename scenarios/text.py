"""Results as text, for the command line."""

import itertools
import math
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from adaptnet import NoiseFloorWarning, readaptation_times
from adaptnet.files.validation import validate
from adaptnet.readaptation import (
    Outcome,
    convergence_times,
    measure,
    paired_bootstrap,
    summary,
)
from adaptnet.readaptation.changes import jumps
from adaptnet.readaptation.selections import restored
from adaptnet.reports import drift_sentences, run_warnings, samples_text

_REASONS: dict[int, str] = {
    Outcome.NEITHER: "neither reached the threshold",
    Outcome.FIRST_ONLY: "only one of the two reached the threshold",
    Outcome.SECOND_ONLY: "only one of the two reached the threshold",
    Outcome.UNKNOWN: "not every error rose above the threshold",
}
_LINE = 80  # characters of a terminal's line
_COLUMNS = ("median", "quartiles", "censored")


def text_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of words in columns under a header; a row of one word is a heading.

    If lines would be longer than a terminal's, words of its header are below each other.

    Examples
    --------
    >>> rows = [["at the fall"], ["direct", "10.7"], ["interneuron", "1.7"]]
    >>> print(text_table("times", ["circuit", "t"], rows))
    times
    circuit      t
    -----------------
    at the fall
    direct       10.7
    interneuron  1.7
    """
    full = [row for row in rows if len(row) == len(header)]
    heads = [[word] for word in header]
    if _total(_widths(heads, full)) > _LINE:
        heads[1:] = [word.replace("_", " ").split() for word in header[1:]]
    widths = _widths(heads, full)
    above = itertools.zip_longest(*(reversed(words) for words in heads), fillvalue="")
    lines = [
        "  ".join((word.ljust(width) for word, width in zip(row, widths, strict=False))).rstrip()
        for row in (*reversed([*above]), *rows)
    ]
    lines.insert(len(lines) - len(rows), "-" * _total(widths))
    return "\n".join([title, *lines])


def _widths(heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide columns are, under heads of some words each, one in a line."""
    columns = [[*words, *(row[i] for row in rows)] for i, words in enumerate(heads)]
    return [max(map(len, words)) for words in columns]


def _total(widths: Sequence[int]) -> int:
    """Return how wide a table is: there are two spaces between columns."""
    return sum(widths) + 2 * len(widths) - 2


def wrapped(text: str, width: int = _LINE) -> str:
    """Return a text with lines broken that do not fit, as sentences after a table may not.

    Examples
    --------
    >>> print(wrapped("a sentence that is longer", width=20))
    a sentence that is
      longer
    """
    lines = (
        textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False)
        if len(line) > width
        else line
        for line in text.splitlines()
    )
    return "\n".join(lines)


def readaptation_table(
    dataset: xr.Dataset,
    threshold: float,
    equal_floors: xr.Dataset | None = None,
    *,
    hold: int = 1,
    intervals: bool = False,
    seconds: bool = False,
    from_start: bool = False,
) -> str:
    """Return readaptation times per change and circuit, how circuits compare, and drifts.

    Parameters
    ----------
    dataset : Dataset
        A run.
    threshold : float
        Error below which a circuit counts as readapted.
    equal_floors : Dataset, optional
        The run at equal noise floors, as :func:`scenarios.equal_floors.at_equal_floors` returns it.
    hold : int
        Records in a row that must be below the threshold.
    intervals : bool
        Whether to show the 95 % interval of each median.
    seconds : bool
        Whether times are in seconds, for runs of recordings whose sampling rate is known.
    from_start : bool
        Whether times of a run without changes are those from the initial weights; else it is
        refused.

    Raises
    ------
    ValueError
        If they are to be in seconds and the sampling rate is not known.
    """
    run = validate(restored(dataset), run=True)
    rate = _sampling_rate(dataset) if seconds else None
    held = "" if hold == 1 else f" for {hold} records in a row"
    unit = "samples" if rate is None else "seconds"
    title = f"{unit} until the whitening error is below {threshold:g}{held}"
    drifts = drift_sentences(dataset)
    if drifts and not jumps(dataset):
        return "\n".join([title, *drifts])
    timed = convergence_times if from_start and not run.sizes["change"] else readaptation_times
    times = {"": timed(dataset, threshold, hold=hold)}
    if equal_floors is not None:
        times[", equal floors"] = timed(equal_floors, threshold, hold=hold)
    # With random paths, the third change of one replicate may be the first change of another.
    by = "change" if _shared(times[""]) else "transition"
    columns = (*_COLUMNS, *(["95 % interval"] if intervals else []))
    table = text_table(
        title, ("change and circuit", *columns), list(_rows(times, by, rate, intervals=intervals))
    )
    return "\n".join([table, "", *_comparisons(times, by), *drifts])


def notes_if_censored(dataset: xr.Dataset, threshold: float) -> list[str]:
    """Return what a reader must know of a run, if most of its times are censored; else nothing."""
    if not dataset.sizes["change"]:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoiseFloorWarning)  # which came with the table
        outcomes = readaptation_times(dataset, threshold)["outcome"]
        n_censored = int((outcomes == Outcome.NOT_REACHED).sum())
        n_times = n_censored + int((outcomes == Outcome.REACHED).sum())
        return run_warnings(dataset, threshold) if 2 * n_censored > n_times else []


def measure_table(dataset: xr.Dataset, name: str, **options: Any) -> str:
    """Return the medians over replicates of what a measure returns.

    They are per change and circuit, or per circuit if the measure is of whole runs, as tracking is.
    """
    found = measure(dataset, name, **options)
    dims = {"circuit", "replicate"} | {"change"} & set(found.dims)
    shown = [
        str(key)
        for key, values in found.data_vars.items()
        if set(values.dims) == dims
        and values.dtype.kind == "f"
        and key not in ("followed", "resolution")
    ][:4]
    medians = found[shown].where(np.isfinite(found[shown])).median("replicate")
    title = f"{name}: medians over replicates"
    if "change" not in dims:
        return text_table(title, ("circuit", *shown), [*_medians(medians)])
    rows: list[tuple[str, ...]] = []
    for number, change in enumerate(found["change"].values):
        rows.append((_change(found.isel(change=number)) if _shared(found) else f"change {change}",))
        rows.extend(_medians(medians.isel(change=number), "  "))
    return text_table(title, ("change and circuit", *shown), rows)


def _medians(medians: xr.Dataset, indent: str = "") -> Iterator[tuple[str, ...]]:
    """Yield a row per circuit."""
    for circuit in medians["circuit"].values:
        one = medians.sel(circuit=circuit)
        cells = (f"{float(values):.4g}" for values in one.data_vars.values())
        yield (f"{indent}{circuit}", *cells)


def _shared(results: xr.Dataset) -> bool:
    """Return whether replicates share their changes: with random paths they do not."""
    return bool(results["transition"].dims == ("change",))


def _rows(
    times: dict[str, xr.Dataset], by: str, rate: float | None, *, intervals: bool
) -> Iterator[tuple[str, ...]]:
    """Yield a row per change, and one per circuit below it; what is at equal floors comes last."""
    summaries = {suffix: summary(found, by=by) for suffix, found in times.items()}
    for label in summaries[""][by].values:
        yield (_change(summaries[""].sel({by: label}), rate),)
        for suffix, found in summaries.items():
            names = [str(name) for name in found["circuit"].values]
            for name in names[1:] if suffix else names:  # the direct circuit is the same in both
                entry = found.sel({"circuit": name, by: label})
                interval = [_median_interval(entry, rate)] if intervals else []
                yield (f"  {name}{suffix}", *_cells(entry, rate), *interval)


def _cells(entry: xr.Dataset, rate: float | None) -> tuple[str, ...]:
    median, lower, upper = (
        _time(float(entry[key]), rate) for key in ("median", "lower_quartile", "upper_quartile")
    )
    resolution = float(entry["resolution"])
    if resolution > 1:  # samples since the record before
        median += f" \N{PLUS-MINUS SIGN} {_time(resolution, rate)}"
    if not int(entry["n"]):  # the error was never above the threshold
        return median, "", ""
    return median, f"{lower} to {upper}", f"{float(entry['censored']):.0%}"


def _median_interval(entry: xr.Dataset, rate: float | None) -> str:
    low, high = float(entry["median_low"]), float(entry["median_high"])
    return f"{_time(low, rate)} to {_time(high, rate) if math.isfinite(high) else 'unknown'}"


def _time(samples: float, rate: float | None) -> str:
    """Return a number of samples, in seconds if there is a rate."""
    if rate is None or not math.isfinite(samples):
        return samples_text(samples)
    return f"{samples / rate:.4g}"


def _sampling_rate(dataset: xr.Dataset) -> float:
    if "sampling_rate" not in dataset.attrs:
        raise ValueError(
            "times can be in seconds only if the run has a sampling rate: that of a "
            "RecordedEnvironment with sampling_rate=... or with times along its samples"
        )
    return float(dataset.attrs["sampling_rate"])


def _change(entry: xr.Dataset, rate: float | None = None) -> str:
    """Return what a change is called, and at which sample it is if all replicates share it."""
    transition = str(entry["transition"].item())
    if "change_sample" not in entry.coords:
        return transition
    sample = int(entry["change_sample"])
    return f"{transition} (at {f'sample {sample}' if rate is None else f'{sample / rate:.4g} s'})"


def _comparisons(times: dict[str, xr.Dataset], by: str) -> Iterator[str]:
    """Yield a sentence per change: how many times as fast the other circuits are as the first."""
    first, *rivals = [str(name) for name in times[""]["circuit"].values]
    if not rivals or times[""].sizes["replicate"] < 2:
        return
    ratios = {suffix: paired_bootstrap(found, "median", by=by) for suffix, found in times.items()}
    for label in ratios[""][by].values:
        change = ratios[""].sel({by: label})
        for number, name in enumerate(rivals):  # the first circuit's pairs come first
            speed = _speed(change.isel(comparison=number), name, first)
            if len(ratios) > 1 and name == "interneuron":
                equal = ratios[", equal floors"].sel({by: label}).isel(comparison=0)
                speed += f"; at equal floors, {_speed(equal)}"
            yield f"{change['transition'].item()}: {speed}"


def _speed(ratio: xr.Dataset, name: str = "", first: str = "") -> str:
    """Return a ratio of times with its interval if that is known; named, as a sentence."""
    value, low, high = (float(ratio[key]) for key in ("ratio", "ratio_low", "ratio_high"))
    if not math.isfinite(value):
        reason = _REASONS.get(int(ratio["outcome"]), "too many times are censored")
        compared = f"{name} and {first} are not compared" if name else "not compared"
        return f"{compared}: {reason}"
    known = math.isfinite(low) and math.isfinite(high)
    times = f"{value:.2f} times"
    sentence = f"{name} readapts {times} as fast as {first}" if name else times
    return sentence + (f" (95 %: {low:.2f} to {high:.2f})" if known else "")
