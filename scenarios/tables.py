"""Results as text, for the command line."""

import math
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
    """Return readaptation times as a table: a line for each change and circuit."""
    from adaptnet import readaptation_times
    from adaptnet.readaptation import summary

    of = summary(readaptation_times(dataset, threshold)).transpose("circuit", "change")
    names = dataset["context"].attrs["flag_meanings"].split()
    rows = []
    for change in range(of.sizes["change"]):
        for circuit in of["circuit"].values:
            one = of.sel(circuit=circuit).isel(change=change)
            left, entered = (names[int(one[key])] for key in ("context_left", "context_entered"))
            rows.append(
                (
                    f"{left} -> {entered}",
                    str(int(one["change_sample"])),
                    str(circuit),
                    _samples(float(one["median"])),
                    f"{_samples(float(one['lower_quartile']))} to "
                    f"{_samples(float(one['upper_quartile']))}",
                    f"{float(one['censored']):.0%}",
                )
            )
    return text_table(
        f"samples until the whitening error is below {threshold:g}",
        ("change", "at sample", "circuit", "median", "quartiles", "censored"),
        rows,
    )


def _samples(number: float) -> str:
    return f"{number:.0f}" if math.isfinite(number) else "not reached"
