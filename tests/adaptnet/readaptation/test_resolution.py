"""Measures of coarse records say what those of every sample do, within the resolution they state.

Noiseless flows through environments of the whole catalogue, recorded at every sample, and at every
so many and at changes.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adaptnet as an
from adaptnet.readaptation import (
    Outcome,
    excess_area,
    fractional_recovery,
    maximum_loss,
    noise_floors,
    readaptation_times,
    tracking,
)
from adaptnet.readaptation.segments import each_segment
from environments import SwitchingEnvironment
from tests.environments.catalogue import catalogue
from tests.marks import slow_but

N_NEURONS, N_SAMPLES = 3, 2500
QUICK = ("blocks", "markov")
CATALOGUE = catalogue(N_NEURONS)


@lru_cache(maxsize=2)
def flow_of(name, every=1):
    rates = {"learning_rate": 5e-3}
    circuits = {"direct": an.DirectCircuit(**rates), "interneuron": an.InterneuronCircuit(**rates)}
    return an.flow(circuits, CATALOGUE[name], N_SAMPLES, rng=1, record_every=every)


def coarse(run, every):
    """Return a run as it would be with a record at every so many samples and at changes."""
    sample = run["sample"].values
    kept = (sample % every == 0) | np.isin(sample, run["change_sample"].values)
    return run.isel(sample=kept).assign_attrs(record_every=every)


NAMES = slow_but(QUICK, sorted(name for name, e in CATALOGUE.items() if e.truth != "absent"))


def below_before(segment, threshold, time, every):
    """Return whether the error passed below and above again between two records before `time`."""
    below = segment.errors < threshold
    edges = np.flatnonzero(np.diff(below.astype(int))) + 1
    ends = [*segment.since[edges][segment.since[edges] < time].tolist(), time]
    return any(b - a < every for a, b in pairwise(ends))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(every=st.integers(2, 300), threshold=st.floats(0.05, 0.8))
def test_coarse_records_hold_what_they_state(name, every, threshold):
    run = flow_of(name)
    if not run.sizes["change"]:
        return
    thinned = coarse(run, every)
    fine, found = readaptation_times(run, threshold), readaptation_times(thinned, threshold)
    area, area_fine = (excess_area(one, floor=0.0)["area"] for one in (thinned, run))
    loss, loss_fine = maximum_loss(thinned), maximum_loss(run)
    floor = noise_floors(thinned)
    for segment in each_segment(run, "whitening_error"):
        at = segment.at
        t_fine, t = (one.samples.values[at] for one in (fine, found))
        if found.outcome.values[at] == Outcome.REACHED:
            assert t_fine <= t
            if not below_before(segment, threshold, t, every):
                assert t - found.resolution.values[at] <= t_fine
            assert found.resolution.values[at] <= every
        elif found.outcome.values[at] == Outcome.NOT_REACHED:
            # Not before the last record above, unless between two.
            if np.isfinite(t_fine) and not below_before(segment, threshold, np.inf, every):
                assert t_fine > found.followed.values[at]
        elif found.outcome.values[at] == Outcome.NEVER_ABOVE:
            above = segment.since[segment.errors >= threshold]
            assert not (((segment.start + above) % every == 0) | (above == 0)).any()
        # The trapezoid errs by at most half the step times what the error moves in it.
        if np.isfinite(area.values[at]):
            bound = every / 2 * np.abs(np.diff(segment.errors)).sum()
            missing = every * segment.errors.max()  # after the last record
            assert abs(area.values[at] - area_fine.values[at]) <= bound + missing + 1e-9
        peak, peak_fine = loss.peak.values[at], loss_fine.peak.values[at]
        assert peak <= peak_fine
        if loss_fine.samples.values[at] == 0:
            assert peak == peak_fine
        if np.isfinite(floor.floor.values[at]):
            last = segment.errors[segment.since >= 0.7 * segment.followed - every]
            assert last.min() <= floor.floor.values[at] <= last.max()


@pytest.mark.parametrize("every", [7, 200])
def test_a_flow_with_coarse_records_is_the_flow_thinned(every):
    run, thinned = flow_of("markov", every), coarse(flow_of("markov"), every)
    assert run["sample"].values.tolist() == thinned["sample"].values.tolist()
    # Both integrate to 1e-13 in each step, of which there are thousands.
    for name in ("whitening_error", "frobenius_error"):
        np.testing.assert_allclose(run[name], thinned[name], rtol=1e-8, atol=1e-10)


def test_a_change_between_records_loses_nothing():
    contexts = [np.diag([9.0, 1.0]), np.eye(2)]
    environment = SwitchingEnvironment(contexts, 5001, order=[0, 1])
    circuit = an.InterneuronCircuit(
        initial_effective_weights=np.diag([3.0, 1.0]), learning_rate=2e-3
    )
    run = an.flow(circuit, environment, 10_000, record_every=200)
    # A fall of the variance by 9: the error jumps to 8 / 9, and A^2 = 1 + 8 exp(-4 t).
    assert maximum_loss(run).peak.item() == pytest.approx(8 / 9)
    assert maximum_loss(run).samples.item() == 0
    exact = np.log(8 * (1 / (0.1 * 8 / 9) - 1)) / 4 / 2e-3
    recovered = fractional_recovery(run, 0.9, floor=0.0)
    assert recovered.samples.item() - 200 <= exact <= recovered.samples.item()
    # The area of 1 - 1 / (1 + 8 e) over t: log(9) / 4.
    area = excess_area(run, floor=0.0).synaptic_area.item()
    assert area == pytest.approx(np.log(9) / 4, rel=0.1)


@pytest.mark.parametrize("name", ["sinusoid", "rotation"])
@pytest.mark.slow
def test_the_lag_is_within_a_record(name):
    rates = {"learning_rate": 0.05}
    circuits = {"direct": an.DirectCircuit(**rates), "interneuron": an.InterneuronCircuit(**rates)}
    record = ("whitening_error", "effective_weights", "covariance")
    run = an.flow(circuits, CATALOGUE[name], 3000, record=record)
    fine = tracking(run).lag
    for every in (2, 5, 20):
        assert (abs(tracking(coarse(run, every)).lag - fine) <= every).all()
