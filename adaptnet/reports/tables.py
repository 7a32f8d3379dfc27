"""The tables of the page: times, other measures, circuits compared, provenance."""

import math

import numpy as np
import xarray as xr

from adaptnet._checks import Flags, Floats, Integers, json_object
from adaptnet.files.parameters import circuit_parameters
from adaptnet.readaptation import (
    excess_area,
    fractional_recovery,
    logrank_tests,
    maximum_loss,
    noise_floors,
    paired_bootstrap,
    summary,
)
from adaptnet.readaptation.groups import groups, times_of
from adaptnet.readaptation.kaplan_meier import kaplan_meier
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.selections import DIMS
from adaptnet.reports.html import grouped, named, samples_text, short, table, value_text

_MANY_CHANGES = 40  # lines of a table, per circuit, that somebody may want to read

_STATISTICS = {
    "restricted_mean": "ratio of restricted means",
    "median": "median ratio within replicates",
}

_UNKNOWN = {
    "not_reached_by_either": "neither reached",
    "reached_by_the_first_alone": "second not reached",
    "reached_by_the_second_alone": "first not reached",
    "known_by_its_limits_alone": "many censored",
}


def by_what(results: xr.Dataset) -> str:
    """Return what a line is about: a change, or a transition if changes are many or differ.

    With random paths, numbers of changes mean nothing.
    """
    shared = results["transition"].dims == ("change",)
    return "change" if shared and results.sizes["change"] <= _MANY_CHANGES else "transition"


def times_table(times: xr.Dataset) -> str:
    """Return medians, restricted means and shares censored: a line per change and circuit."""
    by = by_what(times)
    summaries = summary(times, by=by)
    rows = []
    for label in summaries[by].values:
        for circuit in summaries["circuit"].values:
            one = summaries.sel(circuit=circuit, **{by: label})
            n = int(one["n"])
            low, high = float(one["median_low"]), float(one["median_high"])
            mean, error = float(one["restricted_mean"]), float(one["restricted_mean_error"])
            rows.append(
                [
                    _change(one, by),
                    str(circuit),
                    grouped(float(one["median"])) + _resolution(one),
                    "not known" if not low and math.isinf(high) else _interval(low, high),
                    f"{grouped(mean)} \N{PLUS-MINUS SIGN} {grouped(error)}" if n else grouped(mean),
                    grouped(float(one["horizon"])),
                    _not_reached(one),
                ]
            )
    header = [
        "change",
        "circuit",
        "median",
        "95 % interval",
        "restricted mean",
        "up to",
        "not reached",
    ]
    return table(header, rows)


def _not_reached(one: xr.Dataset) -> str:
    """Return the share of times that were not reached, and how many for divergence."""
    if not int(one["n"]):
        return "no times"
    share, diverged = float(one["censored"]), float(one["diverged"])
    return f"{share:.0%} of {int(one['n'])}" + (f", {diverged:.0%} diverged" if diverged else "")


def _resolution(one: xr.Dataset) -> str:
    """Return how far a median is known, unless it is to the sample."""
    samples = float(one["resolution"])
    return f" \N{PLUS-MINUS SIGN} {grouped(samples)}" if samples > 1 else ""


def measures_table(dataset: xr.Dataset, variable: str) -> str:
    """Return other measures as medians over replicates: a line per change and circuit."""
    floors = noise_floors(dataset, variable=variable)
    floor = floors["floor"]
    recovery = fractional_recovery(dataset, variable=variable, floor=floor)
    by = by_what(recovery)
    measured = {
        "area": excess_area(dataset, variable=variable, floor=floor),
        "peak": maximum_loss(dataset, variable=variable),
        "floor": floors,
    }
    rows = []
    for label, members in groups(recovery, by):
        for c, circuit in enumerate(dataset["circuit"].values):
            medians = [
                _median(
                    *(results[key].transpose(*DIMS).values[c][members] for key in (name, "outcome"))
                )
                for name, results in measured.items()
            ]
            time = _recovered(recovery, c, members)
            where = _change(recovery.sel(change=label), by) if by == "change" else named(str(label))
            rows.append([where, str(circuit), time, *medians])
    header = ["change", "circuit", "90 % recovery", "excess area", "largest error", "floor"]
    return table(header, rows)


def comparison_table(times: xr.Dataset) -> str:
    """Return ratios between circuits and log-rank tests: a line per change and pair."""
    by = by_what(times)
    tests = logrank_tests(times, by=by)
    several = times.sizes["replicate"] > 1
    compared = [paired_bootstrap(times, s, by=by) for s in _STATISTICS] if several else []
    rows = []
    for label in tests[by].values:
        for pair in tests["comparison"].values:
            at = {"comparison": pair, by: label}
            p = f"{float(tests['p_value'].sel(at)):.2g}"
            rows.append(
                [
                    _change(tests.sel(at), by),
                    str(pair),
                    *(_ratio(ratios.sel(at)) for ratios in compared),
                    p if int(tests["events"].sel(at)) else "no times observed",
                ]
            )
    header = ["change", "circuits", *(_STATISTICS.values() if several else ()), "log-rank p"]
    return table(header, rows)


def parameter_tables(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Return headings and tables of how the run was made."""
    attrs = dataset.attrs
    tables = []
    for name, heading in (("scenario_parameters", "Parameters"), ("environment", "Environment")):
        if name in attrs:
            values = json_object(attrs[name], name)
            rows = [[key, value_text(value)] for key, value in values.items()]
            if rows:
                tables.append((heading, table(["name", "value"], rows, "words")))
    if "circuits" in attrs:  # a table of results has many, or none
        circuits = circuit_parameters(dataset)
        keys = list(dict.fromkeys(key for values in circuits.values() for key in values))
        rows = [
            [name, *(value_text(values[key]) if key in values else "" for key in keys)]
            for name, values in circuits.items()
        ]
        tables.append(("Circuits", table(["circuit", *keys], rows)))
    provenance = ("date_created", "history", "source", "versions", "git_commit", "machine", "cpu")
    rows = [
        [key, value_text(json_object(attrs[key], key) if key == "versions" else str(attrs[key]))]
        for key in (*provenance, "seed_entropy", "seed_spawn_key")
        if key in attrs
    ]
    if rows:
        tables.append(("Provenance", table(["name", "value"], rows, "words")))
    return tables


def results_table(dataset: xr.Dataset) -> str:
    """Return what a table of results holds: a line per variable."""
    rows = []
    for name, variable in dataset.data_vars.items():
        values = np.asarray(variable.values)
        span = missing = ""
        if values.dtype.kind in "fiu":
            finite = values[np.isfinite(values)]
            missing = f"{values.size - finite.size} of {values.size}"
            if finite.size:
                span = f"{short(float(finite.min()))} to {short(float(finite.max()))}"
        dims = ", ".join(f"{variable.sizes[dim]} {dim}" for dim in variable.dims)
        rows.append([str(name), dims, span, missing, str(variable.attrs.get("long_name", ""))])
    return table(["variable", "over", "range", "not known", "meaning"], rows, "words")


def _interval(low: float, high: float) -> str:
    if not math.isfinite(low):
        return samples_text(low)
    return (
        f"{grouped(low)} to {grouped(high)}" if math.isfinite(high) else f"{grouped(low)} or more"
    )


def _ratio(one: xr.Dataset) -> str:
    """Return a ratio with its interval, or as much as is known of it."""
    ratio, low, high = (float(one[f"ratio{end}"]) for end in ("", "_low", "_high"))
    if low <= 0 and math.isinf(high):
        limits = "no interval"  # too few replicates, or too many censored
    elif math.isinf(high):
        limits = f"at least {low:.3g}"
    elif low <= 0 and not math.isfinite(ratio):
        limits = f"at most {high:.3g}"
    else:
        limits = f"{low:.3g} to {high:.3g}"
    outcome = Outcome(int(one["outcome"])).label
    if outcome == "estimated":
        return f"{ratio:.3g} ({limits})"
    return f"{limits} ({_UNKNOWN.get(outcome, named(outcome))})"


def _change(one: xr.Dataset, by: str) -> str:
    label = str(one[by].item()) if by != "change" else str(one["transition"].item())
    where = f" at {grouped(int(one['change_sample']))}" if by == "change" else ""
    direction = f" ({one['direction'].item()})" if "direction" in one.coords else ""
    return named(label) + where + direction


def _median(values: Floats, outcomes: Integers) -> str:
    """Return the median of the values that are known, or why there are no such values."""
    finite = values[np.isfinite(values)]
    return short(float(np.median(finite))) if finite.size else f"not known ({_reason(outcomes)})"


def _reason(outcomes: Integers) -> str:
    """Return the outcome that most of some results without a value have."""
    codes, counts = np.unique(outcomes, return_counts=True)
    outcome = Outcome(int(codes[counts.argmax()]))
    return "no jump" if outcome is Outcome.NO_JUMP else outcome.sentence


def _recovered(recovery: xr.Dataset, circuit: int, members: Flags) -> str:
    """Return the median time of those replicates that had a jump to recover from."""
    known = times_of(recovery).of(circuit, members)
    n = len(known.durations)
    outcomes = recovery["outcome"].transpose(*DIMS).values[circuit][members]
    if not n:
        return _reason(outcomes)
    text = grouped(float(kaplan_meier(*known).quantile(0.5)))
    if n == members.sum():
        return text
    without = outcomes[np.isnan(times_of(recovery).durations[circuit][members])]
    return f"{text} ({1 - n / members.sum():.0%}: {_reason(without)})"
