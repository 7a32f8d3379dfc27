"""Changes at which a drift sets in: nothing to recover from, but an error and a lag."""

import numpy as np
import pytest

import adaptnet as an
import scenarios
from adaptnet.plotting import plot_survival
from adaptnet.readaptation import (
    MEASURES,
    Outcome,
    logrank_tests,
    measure,
    noise_floors,
    paired_bootstrap,
    readaptation_times,
    summary,
    tracking,
)
from adaptnet.reports import drift_sentences, run_warnings
from scenarios.text import readaptation_table
from tests.adaptnet.synthetic import run_of

EVERY, DELAY = 10, 300


def covariance(moved):
    """Return covariances that grow from the identity, for each number of samples moved."""
    return np.stack([np.diag([1 + t / 1000, 1 + t / 2000]) for t in moved])


def drifting(distances=(1e-15, 1e-4)):
    """Return a run of circuits a and b that rests, drifts from 2000 to 6000, and rests again."""
    samples = np.arange(0, 8001, EVERY)
    weights = np.sqrt(covariance(np.clip(samples - 2000 - DELAY, 0, 4000)))
    lost = (samples > 2000 + DELAY) & (samples < 6000 + DELAY)
    errors = np.where(lost, [[[0.4]], [[0.3]]], 0.02) * np.ones((2, 3, 1))
    run = run_of(
        errors,
        [2000, 6000],
        every=EVERY,
        left=[0, 1],
        entered=[1, 2],
        effective_weights=(
            ("circuit", "replicate", "sample", "neuron", "neuron_2"),
            np.broadcast_to(weights, (2, 3, *weights.shape)),
        ),
        covariance=(
            ("sample", "neuron", "neuron_2"),
            covariance(np.clip(samples - 2000, 0, 4000)),
        ),
    )
    return run.assign(change_distance=("change", np.array(distances)))


@pytest.mark.parametrize("name", sorted(MEASURES.keys() - {"tracking"}))
def test_a_drift_that_sets_in_is_nothing_to_recover_from(name):
    outcome = measure(drifting(), name).outcome.values
    assert [Outcome(i).label for i in outcome[:, :, 0].ravel()] == [
        # What the error is, at its worst and at the end, is known of a drift as well.
        "reached" if name in ("noise_floors", "maximum_loss") else "the_covariance_does_not_jump"
    ] * 6
    assert "the_covariance_does_not_jump" not in [
        Outcome(i).label for i in outcome[:, :, 1].ravel()
    ]


def test_the_drift_s_end_has_times_as_any_change():
    times = readaptation_times(drifting(), 0.1)
    assert np.isnan(times.samples.values[:, :, 0]).all()
    assert (times.samples.values[:, :, 1] == DELAY).all()
    assert summary(times)["transition"].values.tolist() == ["b -> c"]
    assert logrank_tests(times)["events"].values.tolist() == [[6]]
    assert paired_bootstrap(times)["difference"].values.tolist() == [[0.0]]
    assert len(plot_survival(times)[1]) == 1


def test_lag_and_error_of_a_drift_within_a_run():
    run = drifting()
    # Half of it is left out at its beginning, and with it what the circuits' delay left unmoved.
    tracked = tracking(run, change=0, discard=0.5)
    np.testing.assert_allclose(tracked.lag, DELAY, rtol=1e-9)
    np.testing.assert_allclose(tracked.synaptic_lag, DELAY * 1e-3, rtol=1e-9)
    np.testing.assert_allclose(tracked.error, np.repeat([[0.4], [0.3]], 3, axis=1))
    with pytest.raises(ValueError, match="change must be one of the 2"):
        tracking(run, change=2)


def test_a_drift_has_a_sentence():
    run = drifting()
    (sentence,) = drift_sentences(run)
    assert "a -> b at sample 2000: the covariance does not jump" in sentence
    assert "the error is 0.4 (direct), 0.3 (interneuron)" in sentence
    assert "lag in samples 300 (direct), 300 (interneuron)" in sentence
    table = readaptation_table(run, 0.1)
    assert sentence in table
    assert table.count("a -> b") == 1
    (poorer,) = drift_sentences(run.drop_vars("covariance"))
    assert "the lag is not known" in poorer
    run["whitening_error"].loc[{"circuit": "direct", "sample": slice(5000, None)}] = np.nan
    assert "not known (direct), 0.3 (interneuron)" in drift_sentences(run)[0]
    assert not drift_sentences(run.drop_vars("change_distance"))


def test_an_error_that_a_drift_keeps_up_is_no_noise_floor():
    assert not run_warnings(drifting(), 0.1)
    assert any("threshold" in said for said in run_warnings(drifting((1.0, 1.0)), 0.1))
    assert noise_floors(drifting()).floor.values[0, 0, 0] == 0.4


def test_a_run_that_only_drifts_is_reported_without_times():
    run = drifting((0.0, 0.0))
    with pytest.raises(ValueError, match="jumps at none of the changes"):
        summary(readaptation_times(run, 0.1))
    assert readaptation_table(run, 0.1).count("nothing to readapt to") == 2
    page = an.report(run, 0.1)
    assert page.count("nothing to readapt to") == 2
    assert "a \N{RIGHTWARDS ARROW} b at sample 2000" in page
    assert "Around the changes" in page
    assert "Circuits compared" not in page


def test_the_drifting_scenario_describes_its_drift():
    kind = scenarios.find("drifting")
    scenario = kind.from_values(kind.preview)
    lines = scenario.report(scenario.run(n_replicates=2)).splitlines()
    sentences = [line for line in lines if line.startswith("start -> drift")]
    assert len(sentences) == 1
    assert "the covariance does not jump" in sentences[0]
    assert sum(line.startswith(("drift -> arrived", "arrived -> back")) for line in lines) == 4


def test_a_change_that_lasts_until_the_next_is_a_drift():
    run = drifting((2.0, 1e-4)).assign(change_end=("change", np.array([6000, 6000])))
    assert (readaptation_times(run, 0.1).outcome.values[:, :, 0] == Outcome.UNMOVED).all()
    arrived = run.assign(change_end=("change", np.array([5999, 6000])))
    assert (readaptation_times(arrived, 0.1).outcome.values[:, :, 0] != Outcome.UNMOVED).all()
    # A run that ends before the change does says as much as it has seen.
    late = run.assign(change_end=("change", np.array([5999, 9000])))
    assert (readaptation_times(late, 0.1).outcome.values[:, :, 1] == Outcome.REACHED).all()


def test_changes_whose_numbers_are_not_unique_are_taken_as_one():
    run = drifting().assign_coords(change=("change", [0, 0]))
    table = readaptation_table(run, 0.1)
    assert table.count("direct ") == 1
    assert "the covariance does not jump" in table
