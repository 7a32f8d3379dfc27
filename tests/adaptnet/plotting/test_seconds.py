"""Recordings whose sampling rate is known: times, axes and tables in seconds."""

import numpy as np
import pytest
from matplotlib import pyplot

import adaptnet as an
from adaptnet import plotting
from environments import RecordedEnvironment
from scenarios.text import readaptation_table

RATE = 30.0
LENGTH = 3_000


@pytest.fixture(scope="module")
def run():
    samples = np.random.default_rng(0).normal(size=(2 * LENGTH, 2))
    samples[LENGTH:] *= 2
    recording = RecordedEnvironment(samples, changes=[LENGTH], sampling_rate=RATE)
    circuits = {"direct": an.DirectCircuit(learning_rate=5e-3)}
    return an.simulate(
        circuits,
        recording,
        2 * LENGTH,
        record_every=15,
        record=["whitening_error", "covariance", "effective_weights"],
    )


def ticks(axis):
    axis.figure.draw_without_rendering()
    return axis.get_majorticklocs(), [text.get_text() for text in axis.get_ticklabels()]


def test_a_run_knows_its_times(run, tmp_path):
    an.save(run, tmp_path / "run.nc")
    for one in (run, an.load(tmp_path / "run.nc")):
        assert one.attrs["sampling_rate"] == RATE
        assert one["time"].attrs["units"] == "s"
        np.testing.assert_allclose(one["time"], one["sample"] / RATE, rtol=1e-15)


def test_a_run_without_a_rate_has_none():
    run = an.simulate(an.DirectCircuit(), np.ones((4, 2)))
    assert "time" not in run.coords
    assert "sampling_rate" not in run.attrs


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("plot_readaptation", "time (s)"),
        ("plot_aligned", "seconds since the change"),
        ("plot_spectrum", "time (s)"),
    ],
)
def test_axes_are_in_seconds(run, kind, label):
    figure, axes = getattr(plotting, kind)(run)
    ax = np.ravel(axes)[-1]
    assert ax.get_xlabel() == label
    places, labels = ticks(ax.xaxis)
    shown = [float(text.replace("\N{MINUS SIGN}", "-")) for text in labels]
    np.testing.assert_allclose(np.array(shown) * RATE, places, rtol=1e-3, atol=1e-9)
    assert all(round(second, 6) == second for second in shown)  # round seconds, not round samples
    pyplot.close(figure)


def test_survival_and_times_are_in_seconds(run):
    times = an.readaptation_times(run, 0.3)
    figure, axes = plotting.plot_survival(times)
    assert np.ravel(axes)[0].get_xlabel() == "seconds since the change"
    pyplot.close(figure)
    figure, ax = plotting.plot_scaling(times)
    assert ax.get_ylabel().startswith("seconds until")
    pyplot.close(figure)


def test_tables_are_in_seconds_on_request(run):
    median = float(an.readaptation_times(run, 0.3)["samples"].median())
    table = readaptation_table(run, 0.3, seconds=True)
    assert table.startswith("seconds until")
    assert f"(at {LENGTH / RATE:g} s)" in table
    assert f"{median / RATE:.4g} \N{PLUS-MINUS SIGN} {15 / RATE:g}" in table
    plain = readaptation_table(run, 0.3)
    assert f"(at sample {LENGTH})" in plain
    with pytest.raises(ValueError, match="has a sampling rate"):
        readaptation_table(
            run.drop_attrs(deep=False).assign_attrs(
                {k: v for k, v in run.attrs.items() if k != "sampling_rate"}
            ),
            0.3,
            seconds=True,
        )
