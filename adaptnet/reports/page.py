"""The page, section by section."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import xarray as xr

from adaptnet import plotting
from adaptnet._checks import positive_number
from adaptnet._words import thousands
from adaptnet.errors import NoiseFloorWarning
from adaptnet.files.schema import RESULTS
from adaptnet.files.validation import validate
from adaptnet.readaptation import readaptation_times
from adaptnet.readaptation.changes import jumps
from adaptnet.readaptation.groups import times_of
from adaptnet.readaptation.selections import restored
from adaptnet.reports.findings import drift_sentences, run_warnings
from adaptnet.reports.html import PAGE, counted, named, picture
from adaptnet.reports.tables import (
    by_what,
    comparison_table,
    measures_table,
    parameter_tables,
    results_table,
    times_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_RATIOS = (
    "First circuit by second, with 95 % intervals. Replicates share their samples: intervals of "
    "means draw replicates with all their circuits (bootstrap-t); those of the median ratio within "
    "replicates are order statistics, and hold whatever censored times may have been. "
)


def report(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    style: str = "paper",
    figures: Sequence[tuple[Figure | SubFigure, str]] = (),
) -> str:
    """Return a run as a page of HTML with everything in it, to be read offline.

    Parameters
    ----------
    dataset : Dataset
        A run, or a table of results.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to report: whitening_error or frobenius_error.
    style : str
        Style of the pictures: ``"paper"`` or ``"talk"``.
    figures : sequence of (figure, caption)
        Further pictures, to be shown first.

    Returns
    -------
    str
        HTML with pictures embedded. For a run without changes, or without errors recorded, the page
        says so and shows the rest; for a table of results it says what that holds.

    Raises
    ------
    TypeError, ValueError
        If `dataset` is not a run, the threshold is not positive, or there is no such style.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> run = an.flow(an.DirectCircuit(learning_rate=0.02), environment, 400)
    >>> page = an.report(run)
    >>> page[:15]
    '<!DOCTYPE html>'
    """
    dataset = validate(restored(dataset))
    threshold = positive_number("threshold", threshold)
    title = str(dataset.attrs.get("scenario", dataset.attrs.get("title", "a run")))
    parts = [f"<h1>{escape(title)}</h1>"]
    with plotting.style(style):
        if dataset.attrs.get("kind") in RESULTS:
            parts += [_lead_of_table(dataset), *(picture(*shown) for shown in figures)]
            parts += ["<h2>Results</h2>", results_table(dataset)]
        else:
            parts += _of_run(dataset, threshold, variable, figures)
    for heading, shown in parameter_tables(dataset):
        parts += [f"<h2>{heading}</h2>", shown]
    return PAGE.format(title=escape(title), body="\n".join(parts))


def _lead_of_table(dataset: xr.Dataset) -> str:
    sizes = ", ".join(counted(size, str(dim)) for dim, size in dataset.sizes.items())
    return f"<p>{escape(str(dataset.attrs.get('title', 'A table of results')))}: {sizes}.</p>"


def _of_run(
    dataset: xr.Dataset,
    threshold: float,
    variable: str,
    figures: Sequence[tuple[Figure | SubFigure, str]],
) -> list[str]:
    """Return what the page says and shows of a run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoiseFloorWarning)
        sentences = run_warnings(dataset, threshold, variable=variable)
    sentences += [f"{text[0].upper()}{text[1:]}." for text in (str(w.message) for w in caught)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoiseFloorWarning)  # they head the page
        parts = [_lead(dataset)]
        arrows = [text.replace(" -> ", " \N{RIGHTWARDS ARROW} ") for text in sentences]
        parts += [f'<p class="warning">{escape(sentence)}</p>' for sentence in arrows]
        parts += [picture(*shown) for shown in figures]
        if variable in dataset:
            parts += _readaptation(dataset, threshold, variable)
        parts += _matrices(dataset)
    return parts


def _lead(dataset: xr.Dataset) -> str:
    sizes = dataset.sizes
    shared = "replicate" not in dataset["change_sample"].dims
    changes = f"{'' if shared else 'up to '}{counted(sizes['change'], 'change')} of context"
    names = escape(", ".join(map(str, dataset["circuit"].values)))
    return (
        f"<p>{counted(sizes['circuit'], 'circuit')} ({names}), "
        f"{counted(sizes['replicate'], 'replicate')}, "
        f"{thousands(int(dataset.attrs['n_samples']))} samples of "
        f"{counted(sizes.get('neuron', 1), 'neuron')}, {changes}"
        f"{', the same in all replicates' if shared else ''}; "
        f"true covariances: {escape(str(dataset.attrs['truth']))}.</p>"
    )


def _spread(dataset: xr.Dataset) -> str:
    """Return what curves are of replicates."""
    if dataset.sizes["replicate"] < 2:
        return ", of a single replicate"
    return ": medians over replicates, with quartiles as a band"


def _marks(dataset: xr.Dataset) -> str:
    """Return what marks along the run mean."""
    if "replicate" in dataset["change_sample"].dims or not dataset.sizes["change"]:
        return ""
    lasting = bool((dataset["change_end"] > dataset["change_sample"]).any())
    return "; dotted lines are changes of context" + (
        ", shaded while they take place" if lasting else ""
    )


def _readaptation(dataset: xr.Dataset, threshold: float, variable: str) -> list[str]:
    words = variable.replace("_", " ").capitalize()
    parts = [
        "<h2>The run</h2>",
        picture(
            plotting.plot_readaptation(dataset, threshold, variable=variable)[0],
            f"{words} of each circuit{_spread(dataset)}{_marks(dataset)}.",
        ),
    ]
    if not dataset.sizes["change"]:
        return parts
    parts.append(f"<h2>Samples until the {words.lower()} is below {threshold:g}</h2>")
    drifts = [
        f"<p>{escape(named(text))}</p>" for text in drift_sentences(dataset, variable=variable)
    ]
    around = picture(
        plotting.plot_aligned(dataset, threshold, variable=variable)[0],
        f"{words} aligned to the changes, repetitions pooled{_spread(dataset)}.",
    )
    if not jumps(dataset):
        return [*parts, *drifts, "<h2>Around the changes</h2>", around]
    times = readaptation_times(dataset, threshold, variable=variable)
    parts += [*_times(times, drifts), "<h2>Around the changes</h2>", around]
    if "change_distance" in times.coords:
        parts.append(
            picture(
                plotting.plot_scaling(times)[0],
                "Times over the affine-invariant distance of the change: medians and quartiles; "
                "triangles point the way the total variance went; open markers, at the time "
                "followed, stand for medians that were not reached.",
            )
        )
    parts += [
        "<h2>Other measures</h2>",
        measures_table(dataset, variable),
        '<p class="note">Medians over replicates. Recovery is the time to undo 90 % of the jump '
        "above the noise floor; area is error above the floor, integrated over samples; the floor "
        "is the median error over the last quarter of a segment.</p>",
    ]
    if dataset.sizes["circuit"] > 1:
        parts += [
            "<h2>Circuits compared</h2>",
            comparison_table(times),
            f'<p class="note">{_RATIOS if times.sizes["replicate"] > 1 else ""}The log-rank test '
            "takes circuits for independent and is not corrected for multiple comparisons.</p>",
        ]
    return parts


def _since(times: xr.Dataset) -> str:
    """Return what times count from, if changes take time."""
    if not bool((times["change_end"] > times["change_sample"]).any()):
        return ""
    return f" Times count from the {times.attrs['since']} of a change."


def _resolution(times: xr.Dataset) -> str:
    """Return how much earlier than its record an error may have passed the threshold."""
    largest = float(times["resolution"].max()) if times["observed"].any() else 0.0
    if largest < 2:
        return ""
    return (
        " Times are those of records: the error may have passed the threshold up to "
        f"{thousands(largest)} samples earlier."
    )


def _pooled(times: xr.Dataset) -> str:
    """Return that lines stand for several changes, if they do."""
    if by_what(times) == "change":
        return ""
    return (
        " Lines pool the changes of a transition; intervals take all its times for independent, "
        "which repeated changes of one replicate are not quite."
    )


def _times(times: xr.Dataset, drifts: list[str]) -> list[str]:
    known = times_of(times)
    return [
        times_table(times),
        '<p class="note">Medians and restricted means are Kaplan-Meier estimates, so that '
        "censored times count for what is known of them"
        f"{', and circuits that diverged as never readapted' if known.diverged.any() else ''}. A "
        "restricted mean (with its standard error) counts times up to the number in the next "
        f"column.{_since(times)}{_resolution(times)}{_pooled(times)}</p>",
        *drifts,
        picture(
            plotting.plot_survival(times)[0],
            "Share of replicates not yet readapted (Kaplan-Meier)"
            f"{', with 95 % bands' if times.sizes['replicate'] > 1 else ''}"
            f"{'; bars mark censored times' if known.censored.any() else ''}"
            f"{'; crosses mark circuits that diverged' if known.diverged.any() else ''}.",
        ),
        picture(
            plotting.plot_transition_matrix(times)[0], "Median times by context left and entered."
        ),
    ]


def _matrices(dataset: xr.Dataset) -> list[str]:
    sizes = dataset.sizes
    is_whole = sizes.get("neuron") == sizes.get("neuron_2")  # no neurons were selected
    if not (is_whole and {"effective_weights", "covariance"} <= set(dataset.data_vars)):
        return []
    parts = ["<h2>Covariance and weights</h2>"]
    if (dataset["change_sample"].values >= 0).any():
        around = plotting.plot_matrices(dataset)[0]
        parts.append(
            picture(
                around,
                "Before the first change and when its segment ends. Weights that equal the root of "
                "the covariance whiten.",
            )
        )
    parts.append(
        picture(
            plotting.plot_spectrum(dataset)[0],
            "Variances of the outputs along their principal axes, in the first replicate; 1 is "
            "white.",
        )
    )
    return parts
