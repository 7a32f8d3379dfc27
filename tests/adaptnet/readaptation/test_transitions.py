"""Changes that take time, against closed forms of a ramp seen through a low-pass."""

import numpy as np
import pytest
from scipy.optimize import brentq

import adaptnet as an
from adaptnet.readaptation import Outcome, fractional_recovery, maximum_loss
from environments import SwitchingEnvironment
from environments.transitions import Gradual, Incremental
from tests.adaptnet.synthetic import run_of

RATE = 1e-3


def ramp(final, width):
    """Return the flow of interneurons whose inputs' variance goes from 1 to `final` in steps.

    It begins at sample `width`.
    """
    contexts = [np.eye(2), final * np.eye(2)]
    environment = SwitchingEnvironment(contexts, width, order=[0, 1], transition=Incremental(width))
    return an.flow(an.InterneuronCircuit(learning_rate=RATE), environment, 2 * width + 6000)


def error_on_the_ramp(t, final, lasts):
    """Return c / a^2 - 1 at time t: da^2/dt = 4 (c - a^2), with c on a line from 1 to `final`."""
    speed = (final - 1) / lasts
    on = np.minimum(t, lasts)
    square = 1 + speed * on - speed / 4 * (1 - np.exp(-4 * on))
    square = final + (square - final) * np.exp(-4 * (t - on))
    return (1 + speed * on) / square - 1


def test_the_ramp_has_the_error_of_its_closed_form():
    run = ramp(0.01, 1000)
    t = (run["sample"].values[1000:] - 999.5) * RATE  # the covariance moves in steps of a sample
    exact = np.abs(error_on_the_ramp(t, 0.01, 1.001))
    # The steps: half a sample's worth of the ramp, at most 1 % of what is left of it.
    np.testing.assert_allclose(run["whitening_error"].values[0, 0, 1000:], exact, atol=0.02)


def test_times_count_from_the_beginning_or_the_end_of_the_change():
    run = ramp(0.01, 1000)
    exact = brentq(lambda t: error_on_the_ramp(t, 0.01, 1.0) + 0.1, 1.0, 5.0) / RATE
    assert exact == pytest.approx(2347, abs=1)
    for since, start in (("beginning", 0), ("end", 1000)):
        times = an.readaptation_times(run, 0.1, since=since)
        assert times.attrs["since"] == since
        # A sample between records, and the steps of the ramp.
        assert times.samples.item() == pytest.approx(exact - start, abs=3)
        assert times.synaptic_time.item() == pytest.approx(times.samples.item() * RATE)
        assert times.followed.item() == run.sizes["sample"] - 1 - 1000 - start
    with pytest.raises(ValueError, match="since must be one of beginning, end, got 'middle'"):
        an.readaptation_times(run, since="middle")


def test_an_error_that_starts_below_the_threshold_is_no_passage():
    # The first records after a change that takes time are below any threshold.
    run = ramp(0.01, 1000)
    assert run["whitening_error"].sel(sample=1000).item() < 0.1
    assert an.readaptation_times(run, 0.1).samples.item() > 2000


def test_who_keeps_up_takes_no_time_from_the_end_and_who_was_never_above_has_none():
    run = ramp(4.0, 5000)
    late = an.readaptation_times(run, 0.1, since="end")
    assert late.outcome.item() == Outcome.REACHED
    assert (late.samples.item(), late.resolution.item()) == (0, 0)
    peak = brentq(lambda t: error_on_the_ramp(t, 4.0, 5.0) - 0.1, 0.6, 5.0) / RATE
    assert an.readaptation_times(run, 0.1).samples.item() == pytest.approx(peak, abs=3)
    for since in ("beginning", "end"):
        never = an.readaptation_times(run, 0.2, since=since)
        assert never.outcome.item() == Outcome.NEVER_ABOVE
        assert np.isnan(never.samples.item())
        assert np.isnan(never.followed.item())


def test_recovery_starts_from_the_worst_error_of_the_change():
    run = ramp(0.01, 1000)
    worst = -error_on_the_ramp(1.0, 0.01, 1.0)
    assert maximum_loss(run).peak.item() == pytest.approx(worst, abs=0.002)
    assert maximum_loss(run).samples.item() == pytest.approx(1000, abs=2)
    level = 0.1 * worst
    exact = brentq(lambda t: error_on_the_ramp(t, 0.01, 1.0) + level, 1.0, 5.0) / RATE
    for since, start in (("beginning", 0), ("end", 1000)):
        recovered = fractional_recovery(run, 0.9, floor=0.0, since=since)
        assert recovered.samples.item() == pytest.approx(exact - start, abs=3)


@pytest.mark.parametrize(
    "transition", [Incremental(1000), Incremental(1000, "sigmoid"), Gradual(1000)]
)
def test_a_fall_of_contrast_by_a_hundred_takes_eleven_thousand_samples(transition):
    contexts = [np.eye(3), 0.01 * np.eye(3)]
    environment = SwitchingEnvironment(contexts, 20_000, order=[0, 1], transition=transition)
    run = an.flow(an.DirectCircuit(learning_rate=1e-4), environment, 40_000, record_every=10)
    assert run["change_distance"].item() == pytest.approx(np.sqrt(3) * np.log(100))
    times = an.readaptation_times(run)
    # An abrupt fall takes 10 664 by the closed form (implicit, at m = s / sqrt(0.9)); half of the
    # transition comes on top, to a few percent of it: m hardly moves in it.
    assert times.samples.item() == pytest.approx(10_664 + 500, abs=50)
    assert an.readaptation_times(run, since="end").samples.item() == times.samples.item() - 1000


def test_a_transition_that_the_run_does_not_see_end_has_no_time_from_its_end():
    errors = np.concatenate([np.full(100, 0.01), np.linspace(0, 1, 101)])[None, None]
    run = run_of(errors, [100]).assign(change_end=("change", [500]))
    late = an.readaptation_times(run, 0.1, since="end")
    assert late.outcome.item() == Outcome.NOT_REACHED
    assert late.followed.item() == 0
    assert an.readaptation_times(run, 0.1).followed.item() == 100


def test_a_passage_within_the_transition_counts_from_the_beginning_alone():
    errors = np.full(301, 0.01)
    errors[120:160] = 1.0  # above in the transition, which lasts until 200
    errors[230:240] = 1.0
    run = run_of(errors[None, None], [100]).assign(change_end=("change", [200]))
    assert an.readaptation_times(run, 0.1).samples.item() == 60
    assert an.readaptation_times(run, 0.1, since="end").samples.item() == 0
    assert an.readaptation_times(run, 0.1, hold=50, since="end").samples.item() == 40
