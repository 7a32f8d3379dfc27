"""The page, section by section."""

import warnings
from html import escape

import xarray as xr

from adaptnet import plotting
from adaptnet._checks import positive_number
from adaptnet._words import thousands
from adaptnet.errors import NoiseFloorWarning
from adaptnet.files.validation import validate
from adaptnet.readaptation import readaptation_times
from adaptnet.readaptation.changes import jumps
from adaptnet.readaptation.selections import restored
from adaptnet.report.findings import drift_sentences, run_warnings
from adaptnet.report.html import PAGE, counted, named, picture
from adaptnet.report.tables import (
    comparison_table,
    measures_table,
    parameter_tables,
    times_table,
)


def report(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    style: str = "paper",
) -> str:
    """Return a run as a page of HTML with everything in it, to be read offline.

    Parameters
    ----------
    dataset : Dataset
        A run.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to report: whitening_error or frobenius_error.
    style : str
        Style of the pictures: ``"paper"`` or ``"talk"``.

    Returns
    -------
    str
        HTML with pictures embedded. For a run without changes, or without errors recorded, the page
        says so and shows the rest.

    Raises
    ------
    TypeError, ValueError
        If `dataset` is not a run, the threshold is not positive, or there is no such style.
    """
    dataset = validate(restored(dataset))
    threshold = positive_number("threshold", threshold)
    title = str(dataset.attrs.get("scenario", dataset.attrs.get("title", "a run")))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoiseFloorWarning)
        sentences = run_warnings(dataset, threshold, variable=variable)
    sentences += [f"{text[0].upper()}{text[1:]}." for text in (str(w.message) for w in caught)]
    with plotting.style(style), warnings.catch_warnings():
        warnings.simplefilter("ignore", NoiseFloorWarning)  # they head the page
        parts = [f"<h1>{escape(title)}</h1>", _lead(dataset)]
        parts += [f'<p class="warning">{escape(sentence)}</p>' for sentence in sentences]
        if variable in dataset:
            parts += _readaptation(dataset, threshold, variable)
        parts += _matrices(dataset)
    for heading, shown in parameter_tables(dataset):
        parts += [f"<h2>{heading}</h2>", shown]
    return PAGE.format(title=escape(title), body="\n".join(parts))


def _lead(dataset: xr.Dataset) -> str:
    sizes = dataset.sizes
    shared = "replicate" not in dataset["change_sample"].dims
    changes = f"{'' if shared else 'up to '}{counted(sizes['change'], 'change')} of context"
    names = escape(", ".join(map(str, dataset["circuit"].values)))
    return (
        f"<p>{counted(sizes['circuit'], 'circuit')} ({names}), "
        f"{counted(sizes['replicate'], 'replicate')}, "
        f"{thousands(int(dataset.attrs['n_samples']))} samples of "
        f"{counted(sizes['neuron'], 'neuron')}, {changes}"
        f"{', the same in all replicates' if shared else ''}; "
        f"true covariances: {escape(str(dataset.attrs['truth']))}.</p>"
    )


def _readaptation(dataset: xr.Dataset, threshold: float, variable: str) -> list[str]:
    words = variable.replace("_", " ").capitalize()
    parts = [
        "<h2>The run</h2>",
        picture(
            plotting.plot_readaptation(dataset, threshold, variable=variable)[0],
            f"{words} of each circuit: median over replicates, with quartiles as a band; dotted "
            "lines are changes of context.",
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
        f"{words} aligned to the changes: median over replicates and repetitions, quartiles.",
    )
    if not jumps(dataset):
        return [*parts, *drifts, "<h2>Around the changes</h2>", around]
    times = readaptation_times(dataset, threshold, variable=variable)
    parts += [*_times(times, drifts), "<h2>Around the changes</h2>", around]
    if "change_distance" in times.coords:
        parts.append(
            picture(
                plotting.plot_scaling(times)[0],
                "Times against the affine-invariant distance of the change: medians and quartiles; "
                "triangles point the way the total variance went; open ones, at the time followed, "
                "are medians that were not reached.",
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
            '<p class="note">First circuit by second, with 95 % intervals. Replicates share their '
            "samples: intervals of means draw replicates with all their circuits (bootstrap-t); "
            "those of the median ratio within replicates are order statistics, and hold whatever "
            "censored times may have been. The log-rank test takes circuits for independent and is "
            "not corrected for multiple comparisons.</p>",
        ]
    return parts


def _times(times: xr.Dataset, drifts: list[str]) -> list[str]:
    return [
        times_table(times),
        '<p class="note">Medians and restricted means are Kaplan-Meier estimates, so that '
        "times that were cut off count for what is known of them. A restricted mean (with its "
        "standard error) counts times up to what the next column says.</p>",
        *drifts,
        picture(
            plotting.plot_survival(times)[0],
            "Share of replicates not yet readapted (Kaplan-Meier) with 95 % bands; bars mark times "
            "cut off.",
        ),
        picture(
            plotting.plot_transition_matrix(times)[0], "Median times by context left and entered."
        ),
    ]


def _matrices(dataset: xr.Dataset) -> list[str]:
    if not {"effective_weights", "covariance"} <= set(dataset.data_vars):
        return []
    parts = ["<h2>Covariance and weights</h2>"]
    if (dataset["change_sample"].values >= 0).any():
        around = plotting.plot_matrices(dataset)[0]
        parts.append(
            picture(
                around,
                "Before the first change and when its segment ends. Weights whiten that are the "
                "root of the covariance.",
            )
        )
    for name in dataset["circuit"].values:
        figure, _ = plotting.plot_spectrum(dataset, str(name))
        parts.append(picture(figure, f"Output variances along their principal axes: {name}."))
    return parts
