"""Results as text, for the command line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


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


def readaptation_table(dataset: "xr.Dataset", threshold: float) -> str:
    """Return readaptation times as a table: a line for each change and circuit; drifts below."""
    from adaptnet import readaptation_times
    from adaptnet.readaptation import summary
    from adaptnet.readaptation.segments import jumps
    from adaptnet.report import drift_sentences, samples_text

    title = f"samples until the whitening error is below {threshold:g}"
    drifts = drift_sentences(dataset)
    if drifts and not jumps(dataset):
        return "\n".join([title, *drifts])
    times = readaptation_times(dataset, threshold)
    # A replicate's third change may be any other's first where paths are random.
    shared = times["transition"].dims == ("change",)
    by = "change" if shared else "transition"
    of = summary(times, by=by)
    rows = []
    for label in of[by].values:
        for circuit in of["circuit"].values:
            one = of.sel({"circuit": circuit, by: label})
            rows.append(
                (
                    str(one["transition"].item()),
                    *([str(int(one["change_sample"]))] if shared else []),
                    str(circuit),
                    samples_text(float(one["median"])),
                    f"{samples_text(float(one['lower_quartile']))} to "
                    f"{samples_text(float(one['upper_quartile']))}",
                    f"{float(one['censored']):.0%}",
                )
            )
    columns = ["change", *(["at sample"] if shared else []), "circuit"]
    return "\n".join(
        [text_table(title, (*columns, "median", "quartiles", "censored"), rows), *drifts]
    )
