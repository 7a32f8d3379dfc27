"""Every plot, found by inspection, draws every kind of run, and whole."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from adaptnet import plotting
from adaptnet.plotting import PLOTS, STYLES
from adaptnet.readaptation import readaptation_times
from tests.adaptnet.plotting.layout import faults
from tests.adaptnet.synthetic import run_of

THRESHOLD = 0.1
FIGURES = sorted(PLOTS.keys() - {"ellipses"})  # which writes a film
NAMES = ("direct", "interneuron", "interneuron_matched", "batch", "static")
CONTEXTS = ("first", "rotated", "low_contrast", "high_contrast", "natural", "rotated_high_contrast")


def made(n_circuits=2, n_contexts=2, n_replicates=4, n_changes=None):
    """Return a run through contexts of growing variance, in each of which the error decays."""
    rng = np.random.default_rng(0)
    n_changes = 2 * n_contexts if n_changes is None else n_changes
    block = 100
    samples = np.arange((n_changes + 1) * block + 1) * 10
    age = np.arange(len(samples)) % block
    pace = np.array([20, 5, 10, 1, 1e9])[:n_circuits, None, None]
    spread = rng.lognormal(0, 0.1, size=(n_circuits, n_replicates, 1))
    errors = 0.02 + 3 * np.exp(-age / (pace * spread))
    order = np.arange(n_changes + 1) % n_contexts
    scale = 1 + np.append(np.repeat(order, block), order[-1])
    covariance = scale[:, None, None] * np.array([[2.0, 0.3], [0.3, 1.0]])
    weights = np.sqrt(scale)[:, None, None] * (1 + 0.1 * errors[..., None, None]) * np.eye(2)
    return run_of(
        errors,
        np.arange(1, n_changes + 1) * block * 10,
        every=10,
        left=order[:-1],
        entered=order[1:],
        names=CONTEXTS[:n_contexts],
        circuits=NAMES,
        effective_weights=(
            ("circuit", "replicate", "sample", "neuron", "neuron_2"),
            weights,
        ),
        covariance=(("sample", "neuron", "neuron_2"), covariance),
        change_distance=(("change",), 0.5 + np.abs(np.diff(order))),
        change_direction=(("change",), np.where(np.diff(order) > 0, 1, 2)),
    )


def with_distances(run, *distances):
    """Return a run whose changes go as far as `distances`, one after another."""
    at = np.resize(distances, run.sizes["change"])
    return run.assign_coords(change_distance=("change", at, run["change_distance"].attrs))


def without(run, circuit, first):
    """Return a run whose `circuit` diverges at the record `first` in all replicates."""
    run = run.copy(deep=True)
    for name in ("whitening_error", "effective_weights"):
        run[name].loc[{"circuit": circuit, "sample": slice(10 * first, None)}] = np.nan
    run["diverged_sample"].loc[{"circuit": circuit}] = 10 * first
    return run


RUNS = {
    "two circuits": made(),
    "one circuit": made(1),
    "five circuits": made(5),
    "six contexts": made(n_contexts=6),
    **{
        f"{n_circuits} circuits, {n_contexts} contexts": made(n_circuits, n_contexts)
        for n_circuits, n_contexts in [(1, 1), (3, 3), (4, 2), (3, 5), (4, 4), (1, 6)]
    },
    "one change": made(n_changes=1),
    "forty changes": made(n_changes=40),
    "distances within a decade": with_distances(made(), 0.7, 2.4, 3.9, 4.8),
    "distances over decades": with_distances(made(), 0.01, 0.3, 5.0, 900.0),
    "distances side by side": with_distances(made(), 1.0, 1.1, 1.2, 1.3),
    "one replicate": made(n_replicates=1),
    "a circuit selected": made().sel(circuit="direct"),
    "diverged late": without(made(), "direct", 120),
    "diverged at once": without(made(), "direct", 0),
}


def drawn(kind, run, **options):
    plot = PLOTS[kind]
    if plot.takes == "times":
        run = readaptation_times(run, THRESHOLD)
    elif kind in ("readaptation", "aligned"):
        options["threshold"] = THRESHOLD
    return plot.draw(run, **options)


def test_every_plot_is_in_the_list():
    named = {n for n in plotting.__all__ if n.startswith(("plot_", "animate_"))}
    of_runs = {plot.draw.__name__ for plot in PLOTS.values()}
    assert named - {"plot_environment", "plot_sweep"} == of_runs


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "run", "style"), list(itertools.product(FIGURES, RUNS, STYLES)))
def test_texts_are_whole_and_apart(kind, run, style):
    with plotting.style(style):
        figure, _ = drawn(kind, RUNS[run])
        assert not faults(figure)


@pytest.mark.parametrize("kind", FIGURES)
def test_texts_of_many_circuits_and_contexts_are_whole_and_apart(kind):
    assert not faults(drawn(kind, made(5, n_contexts=6))[0])


@pytest.mark.parametrize("run", [name for name in RUNS if name.startswith("distances")])
def test_names_of_distances_are_apart(run):
    assert not faults(drawn("scaling", RUNS[run])[0])


@pytest.mark.parametrize("kind", FIGURES)
def test_a_circuit_without_a_finite_record_is_drawn_beside_others(kind):
    assert not faults(drawn(kind, RUNS["diverged at once"])[0])


@pytest.mark.parametrize("kind", FIGURES)
def test_a_new_figure_is_for_paper_unless_a_style_is_chosen(kind):
    figure, _ = drawn(kind, RUNS["two circuits"])
    width = figure.get_figwidth() / STYLES["paper"]["figure.figsize"][0]
    with plotting.style("talk"):
        slide, _ = drawn(kind, RUNS["two circuits"])
    assert slide.get_figwidth() == pytest.approx(width * STYLES["talk"]["figure.figsize"][0])
    with plotting.style(None):
        plain, _ = drawn(kind, RUNS["two circuits"])
    assert plain.get_figwidth() == pytest.approx(width * mpl.rcParams["figure.figsize"][0])


@pytest.mark.parametrize("kind", FIGURES)
def test_it_draws_on_the_axes_that_it_is_passed(kind):
    _, axes = drawn(kind, RUNS["two circuits"])
    own = Figure(layout="constrained")
    if isinstance(axes, np.ndarray):
        own_axes = own.subplots(*(axes.shape if axes.ndim == 2 else (1, len(axes))))
        returned, drawn_on = drawn(kind, RUNS["two circuits"], axes=own_axes)
        assert np.ravel(drawn_on).tolist() == np.ravel(own_axes).tolist()
        with pytest.raises(ValueError, match="axes must"):
            drawn(kind, RUNS["two circuits"], axes=np.ravel(own_axes)[:1])
    else:
        own_axes = own.subplots()
        returned, drawn_on = drawn(kind, RUNS["two circuits"], ax=own_axes)
        assert drawn_on is own_axes
    assert returned is own
    for ax, other in zip(np.ravel(axes), np.ravel(drawn_on), strict=True):
        for artists in ("lines", "images", "collections", "patches"):
            assert len(getattr(ax, artists)) == len(getattr(other, artists))


@pytest.mark.parametrize("kind", FIGURES)
def test_a_run_without_changes_is_drawn_or_refused_in_a_sentence(kind):
    run = made(n_changes=0)
    if kind in ("readaptation", "spectrum"):
        assert not faults(drawn(kind, run)[0])
    else:
        with pytest.raises(ValueError, match="no change"):
            drawn(kind, run)


@pytest.mark.parametrize("kind", FIGURES)
def test_other_datasets_are_refused_in_a_sentence(kind):
    with pytest.raises(ValueError, match=r"not a run|times must be"):
        PLOTS[kind].draw(xr.Dataset({"ratio": ("point", [1.0])}))


def one_neuron(run):
    return run.isel(neuron=0)


def huge(run):
    run["whitening_error"].values[0, 0, 5] = 1e308
    return run


def singular(run):
    run["effective_weights"].values[0, :, 5:] = 0.0
    return run


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("spoiled", [one_neuron, huge, singular])
def test_unusual_values_are_drawn_or_refused_in_a_sentence(kind, spoiled):
    run = spoiled(made().copy(deep=True))
    if spoiled is one_neuron and kind in ("matrices", "spectrum"):
        with pytest.raises(ValueError, match="needs the matrices of all neurons"):
            drawn(kind, run)
    else:
        drawn(kind, run)[0].draw_without_rendering()
