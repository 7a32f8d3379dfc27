"""Results as text, for the command line."""

from collections.abc import Sequence

import xarray as xr

from adaptnet import readaptation_times
from adaptnet.readaptation import summary
from adaptnet.readaptation.changes import jumps
from adaptnet.report import drift_sentences, samples_text


def text_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of words in columns under a header.

    Examples
    --------
    >>> print(text_table("times", ["circuit", "t"], [["direct", "10.7"], ["interneuron", "1.7"]]))
    times
    circuit      t
    --------------
    direct       10.7
    interneuron  1.7
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (header, *rows)]
    return "\n".join([title, lines[0], "-" * len(lines[0]), *lines[1:]])


def readaptation_table(dataset: xr.Dataset, threshold: float) -> str:
    """Return readaptation times as a table: a line per change and circuit; drifts below."""
    title = f"samples until the whitening error is below {threshold:g}"
    drifts = drift_sentences(dataset)
    if drifts and not jumps(dataset):
        return "\n".join([title, *drifts])
    times = readaptation_times(dataset, threshold)
    # With random paths, the third change of one replicate may be the first change of another.
    shared = times["transition"].dims == ("change",)
    by = "change" if shared else "transition"
    summaries = summary(times, by=by)
    rows = [
        _row(summaries.sel({"circuit": circuit, by: label}), shared)
        for label in summaries[by].values
        for circuit in summaries["circuit"].values
    ]
    columns = ["change", *(["at sample"] if shared else []), "circuit"]
    return "\n".join(
        [text_table(title, (*columns, "median", "quartiles", "censored"), rows), *drifts]
    )


def _row(entry: xr.Dataset, shared: bool) -> tuple[str, ...]:
    lower, upper = (samples_text(float(entry[f"{q}_quartile"])) for q in ("lower", "upper"))
    return (
        str(entry["transition"].item()),
        *([str(int(entry["change_sample"]))] if shared else []),
        str(entry["circuit"].item()),
        samples_text(float(entry["median"])),
        f"{lower} to {upper}",
        f"{float(entry['censored']):.0%}",
    )
