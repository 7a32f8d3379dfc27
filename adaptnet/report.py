"""A run on one page: pictures, tables, warnings, parameters, provenance; opens offline."""

import base64
import io
import json
import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from adaptnet._checks import json_object, positive_number
from adaptnet.dataset import circuit_parameters, validate
from adaptnet.readaptation import (
    excess_area,
    fractional_recovery,
    logrank_tests,
    maximum_loss,
    noise_floors,
    paired_bootstrap,
    readaptation_times,
    summary,
)
from adaptnet.readaptation.bootstrap import OUTCOMES as COMPARED
from adaptnet.readaptation.groups import groups
from adaptnet.readaptation.kaplan_meier import kaplan_meier

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin-top: 2.2rem; }}
table {{ border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }}
.wide {{ overflow-x: auto; }}
th, td {{ padding: .25rem .7rem; text-align: left; vertical-align: top;
         border-bottom: 1px solid #ddd; overflow-wrap: break-word; }}
th {{ white-space: nowrap; border-bottom: 1px solid #777; }}
td:first-child {{ white-space: nowrap; }}
figure {{ margin: 1rem 0; }} img {{ max-width: 100%; height: auto; }}
figcaption, .note {{ color: #555; font-size: .88rem; }}
.warning {{ border-left: 4px solid #D55E00; background: #fdf1ea; padding: .4rem .8rem;
           margin: .4rem 0; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def report(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    style: str = "paper",
) -> str:
    """Return a run as a page of HTML that needs nothing beside it.

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
        HTML with pictures embedded. A run without changes, or without errors recorded, gets a page
        that says so and shows the rest.

    Raises
    ------
    TypeError, ValueError
        If `dataset` is no run, the threshold is not positive, or there is no such style.
    """
    from adaptnet.plotting import style as styled

    validate(dataset)
    threshold = positive_number("threshold", threshold)
    title = str(dataset.attrs.get("scenario", dataset.attrs.get("title", "a run")))
    with styled(style):
        parts = [f"<h1>{escape(title)}</h1>", _lead(dataset)]
        warnings = run_warnings(dataset, threshold, variable=variable)
        parts += [f'<p class="warning">{escape(sentence)}</p>' for sentence in warnings]
        if variable in dataset:
            parts += _readaptation(dataset, threshold, variable)
        parts += _matrices(dataset)
    parts += _provenance(dataset)
    return _PAGE.format(title=escape(title), body="\n".join(parts))


def run_warnings(
    dataset: xr.Dataset, threshold: float, *, variable: str = "whitening_error"
) -> list[str]:
    """Return what a reader of a run's readaptation times must know, a sentence each.

    Parameters
    ----------
    dataset : Dataset
        A run.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error that times are taken from.

    Returns
    -------
    list of str
        Of divergence, missing errors or changes, a single replicate, thresholds at or below the
        noise floor, floors that had not settled, and shares censored.
    """
    said = []
    for name in dataset["circuit"].values:
        n = int((dataset["diverged_sample"].sel(circuit=name) >= 0).sum())
        if n:
            said.append(f"{name}: {n} of {dataset.sizes['replicate']} replicates diverged.")
    if variable not in dataset:
        return [*said, f"The run has no {variable} recorded, so readaptation is not measured."]
    if not dataset.sizes["change"]:
        return [*said, "The run has no change of context, so there is nothing to readapt to."]
    if dataset.sizes["replicate"] < 2:
        said.append("There is a single replicate: nothing is known of the spread of its times.")
    floors = noise_floors(dataset, variable=variable)
    times = readaptation_times(dataset, threshold, variable=variable)
    for name in dataset["circuit"].values:
        mine = floors.sel(circuit=name)
        known = np.isfinite(mine["floor"].values)
        floor, trend = mine["floor"].values[known], mine["trend"].values[known]
        if not floor.size:
            continue
        learns = "learning_rate" in circuit_parameters(dataset)[str(name)]
        remedy = "raise the threshold" + (" or lower the learning rate" if learns else "")
        settled = float(np.median(trend)) < 1.2
        below = float(np.mean(floor >= threshold))
        if below > 0:
            what = "noise floor" if settled else "error when the segment ends"
            said.append(
                f"{name}: the {what} (median {np.median(floor):.3g}) is not below the threshold "
                f"{threshold:g} in {below:.0%} of segments; {remedy}"
                + ("." if settled else ", or simulate longer segments.")
            )
        if not settled:
            said.append(
                f"{name}: the error was still falling when segments ended (by a factor of "
                f"{np.median(trend):.2g} over their last half), so the floor is overestimated."
            )
        there = times["samples"].sel(circuit=name).notnull()
        lost = float((~times["observed"].sel(circuit=name)).where(there).mean())
        if lost > 0:
            said.append(f"{name}: {lost:.0%} of times are censored (not reached while followed).")
    return said


def _lead(dataset: xr.Dataset) -> str:
    sizes = dataset.sizes
    seen = "all replicates share" if "replicate" not in dataset["change_sample"].dims else "up to"
    return (
        f"<p>{sizes['circuit']} circuits ({escape(', '.join(map(str, dataset['circuit'].values)))})"
        f", {sizes['replicate']} replicates, {int(dataset.attrs['n_samples']):,} samples of "
        f"{sizes['neuron']} neurons, {seen} {sizes['change']} changes of context; "
        f"truth: {escape(str(dataset.attrs['truth']))}.</p>"
    )


def _readaptation(dataset: xr.Dataset, threshold: float, variable: str) -> list[str]:
    from adaptnet import plotting

    words = variable.replace("_", " ")
    parts = [
        "<h2>The run</h2>",
        _picture(
            plotting.plot_readaptation(dataset, threshold, variable=variable)[0],
            f"{words} of each circuit: median over replicates, with quartiles as a band; dotted "
            "lines are changes of context.",
        ),
    ]
    if not dataset.sizes["change"]:
        return parts
    times = readaptation_times(dataset, threshold, variable=variable)
    # A replicate's third change may be any other's first where paths are random.
    by = "change" if times["transition"].dims == ("change",) else "transition"
    parts += [
        f"<h2>Time until the {words} is below {threshold:g}</h2>",
        _table(*_times_table(times, by)),
        '<p class="note">In samples. Medians and restricted means are Kaplan-Meier estimates, so '
        "times that were cut off count for what is known of them; intervals are 95 %. A restricted "
        "mean counts no time beyond its horizon.</p>",
        _picture(
            plotting.plot_survival(times)[0],
            "Share of replicates not yet readapted (Kaplan-Meier) with 95 % bands; bars mark times "
            "cut off.",
        ),
        _picture(
            plotting.plot_transition_matrix(times)[0], "Median times by context left and entered."
        ),
        "<h2>Around the changes</h2>",
        _picture(
            plotting.plot_aligned(dataset, threshold, variable=variable)[0],
            f"{words} aligned to the changes: median over replicates and repetitions, quartiles.",
        ),
    ]
    if "change_distance" in times.coords:
        parts.append(
            _picture(
                plotting.plot_scaling(times)[0],
                "Times against the affine-invariant distance of the change: medians and quartiles; "
                "triangles point the way the total variance went; open ones, at the time followed, "
                "are medians that were not reached.",
            )
        )
    parts += ["<h2>Other measures</h2>", _table(*_measures_table(dataset, variable))]
    parts.append(
        '<p class="note">Medians over replicates. Recovery is the time to undo 90 % of the jump '
        "above the noise floor; area is error above the floor, integrated over samples; the floor "
        "is the median error over the last quarter of a segment.</p>"
    )
    if dataset.sizes["circuit"] > 1:
        parts += ["<h2>Circuits compared</h2>", *_comparison(times, by)]
    return parts


def _times_table(times: xr.Dataset, by: str) -> tuple[list[str], list[list[str]]]:
    of = summary(times, by=by)
    rows = []
    for label in of[by].values:
        for circuit in of["circuit"].values:
            one = of.sel(circuit=circuit, **{by: label})
            mean, error = float(one["restricted_mean"]), float(one["restricted_mean_error"])
            rows.append(
                [
                    _change(one, by),
                    str(circuit),
                    samples_text(float(one["median"])),
                    _interval_text(float(one["median_low"]), float(one["median_high"])),
                    f"{mean:.0f} ± {error:.0f} (to {float(one['horizon']):.0f})",
                    f"{float(one['censored']):.0%} of {int(one['n'])}",
                ]
            )
    return ["change", "circuit", "median", "interval", "restricted mean", "censored"], rows


def _measures_table(dataset: xr.Dataset, variable: str) -> tuple[list[str], list[list[str]]]:
    recovery = fractional_recovery(dataset, variable=variable)
    by = "change" if recovery["transition"].dims == ("change",) else "transition"
    area = excess_area(dataset, variable=variable)
    loss = maximum_loss(dataset, variable=variable)
    floors = noise_floors(dataset, variable=variable)
    rows = []
    for label, members in groups(recovery, by):
        for c, circuit in enumerate(dataset["circuit"].values):
            one = recovery.sel(circuit=circuit)
            medians = [
                _median(of[name].transpose("circuit", "replicate", "change").values[c][members])
                for of, name in (
                    (area, "area"),
                    (loss, "peak"),
                    (floors, "floor"),
                )
            ]
            time = _recovered(one, members)
            rows.append([_label_of(recovery, by, label), str(circuit), time, *medians])
    return ["change", "circuit", "90 % recovery", "excess area", "largest error", "floor"], rows


def _recovered(of: xr.Dataset, members: Any) -> str:
    """Return a median time of those replicates that had a jump to recover from."""
    t = of["samples"].transpose("replicate", "change").values[members]
    seen = of["observed"].transpose("replicate", "change").values[members]
    there = ~np.isnan(t)
    if not there.any():
        return "no jump"
    text = samples_text(float(kaplan_meier(t[there], seen[there]).quantile(0.5)))
    return text if there.all() else f"{text} ({(~there).mean():.0%} without a jump)"


def _comparison(times: xr.Dataset, by: str) -> list[str]:
    tests = logrank_tests(times, by=by)
    compared = (
        {s: paired_bootstrap(times, s, by=by) for s in ("restricted_mean", "median")}
        if times.sizes["replicate"] > 1
        else {}
    )
    rows = []
    for label in tests[by].values:
        for pair in tests["comparison"].values:
            at = {"comparison": pair, by: label}
            row = [_change(tests.sel(at), by), str(pair)]
            for of in compared.values():
                one = of.sel(at)
                outcome = COMPARED[int(one["outcome"])]
                ratio = f"{float(one['ratio']):.3g}"
                low, high = float(one["ratio_low"]), float(one["ratio_high"])
                bounds = f" ({low:.3g} to {high:.3g})" if math.isfinite(high) else f" (≥ {low:.3g})"
                reached = outcome == "estimated"
                row.append(ratio + bounds if reached else outcome.replace("_", " "))
            p = float(tests["p_value"].sel(at))
            events = int(tests["events"].sel(at))
            row.append(f"{p:.2g}" if events else "no times observed")
            rows.append(row)
    header = ["change", "circuits"]
    header += [f"ratio of {s.replace('_', ' ')}s" for s in compared] + ["log-rank p"]
    return [
        _table(header, rows),
        '<p class="note">Ratios with 95 % intervals of a bootstrap that draws replicates with all '
        "their circuits, which share samples. The log-rank test takes circuits for independent and "
        "is not corrected for multiple comparisons.</p>",
    ]


def _matrices(dataset: xr.Dataset) -> list[str]:
    if not {"effective_weights", "covariance"} <= set(dataset.data_vars):
        return []
    from adaptnet import plotting

    parts = ["<h2>Covariance and weights</h2>"]
    if (dataset["change_sample"].values >= 0).any():
        around = plotting.plot_matrices(dataset)[0]
        parts.append(_picture(around, "Before the first change and when its segment ends."))
    for name in dataset["circuit"].values:
        figure, _ = plotting.plot_spectrum(dataset, str(name))
        parts.append(_picture(figure, f"Output variances along their principal axes: {name}."))
    return parts


def _provenance(dataset: xr.Dataset) -> list[str]:
    attrs = dataset.attrs
    parts = []
    for name, heading in (("scenario_parameters", "Parameters"), ("environment", "Environment")):
        if name in attrs:
            rows = [[key, _short(value)] for key, value in json_object(attrs[name], name).items()]
            parts += [f"<h2>{heading}</h2>", _table(["name", "value"], rows)]
    circuits = circuit_parameters(dataset)
    keys = list(dict.fromkeys(key for of in circuits.values() for key in of))
    rows = [[name, *(_short(of.get(key, "")) for key in keys)] for name, of in circuits.items()]
    parts += ["<h2>Circuits</h2>", _table(["circuit", *keys], rows)]
    named = ("date_created", "history", "source", "versions", "git_commit", "machine")
    rows = [
        [key, str(attrs[key])] for key in (*named, "seed_entropy", "seed_spawn_key") if key in attrs
    ]
    return [*parts, "<h2>Provenance</h2>", _table(["name", "value"], rows)]


def samples_text(number: float) -> str:
    """Return a number of samples, or that it was not reached.

    Examples
    --------
    >>> samples_text(120.0), samples_text(math.inf)
    ('120', 'not reached')
    """
    return f"{number:.0f}" if math.isfinite(number) else "not reached"


def _interval_text(low: float, high: float) -> str:
    if not math.isfinite(low):
        return "not reached"
    return f"{low:.0f} to {high:.0f}" if math.isfinite(high) else f"{low:.0f} or more"


def _change(one: xr.Dataset, by: str) -> str:
    label = str(one[by].item()) if by != "change" else str(one["transition"].item())
    where = f" at {int(one['change_sample'])}" if by == "change" else ""
    direction = f" ({one['direction'].item()})" if "direction" in one.coords else ""
    return label + where + direction


def _label_of(of: xr.Dataset, by: str, label: Any) -> str:
    return _change(of.sel(change=label), by) if by == "change" else str(label)


def _median(values: Any) -> str:
    sound = values[np.isfinite(values)]
    return f"{np.median(sound):.3g}" if sound.size else "not known (diverged)"


def _short(value: Any, length: int = 160) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def _table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody>"
    return f'<div class="wide"><table>{body}</table></div>'


def _picture(figure: "Figure | SubFigure", caption: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")  # type: ignore[union-attr]
    data = base64.b64encode(buffer.getvalue()).decode()
    width = round(figure.get_figure(root=True).get_size_inches()[0] * 110)
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" width="{width}" src="data:image/png;base64,{data}">'
        f"<figcaption>{text}</figcaption></figure>"
    )
