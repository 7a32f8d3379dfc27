import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.readaptation import Outcome, summary
from tests.adaptnet.runs import handmade

LOW = [0.01] * 10
OF_THE_PATH = ("change_sample", "context_left", "context_entered", "context")


def test_time_counts_from_the_change_to_the_first_record_below():
    run = handmade({"direct": [*LOW, 1.0, 0.5, 0.09, 0.2, 0.05]})
    times = an.readaptation_times(run, threshold=0.1)
    assert times["samples"].values.tolist() == [[[2.0]]]
    assert times["observed"].values.tolist() == [[[True]]]
    assert times["context_left"].item() == 0
    assert times["context_entered"].item() == 1
    assert times["change_sample"].item() == 10


def test_a_value_at_the_threshold_is_not_below_it():
    run = handmade({"direct": [*LOW, 1.0, 0.1, 0.05]})
    assert an.readaptation_times(run, 0.1)["samples"].item() == 2


def test_a_change_that_does_no_harm_has_no_time_and_says_so():
    run = handmade({"direct": LOW + [0.05] * 5})
    times = an.readaptation_times(run, 0.1)
    assert np.isnan(times["samples"].item())
    assert np.isnan(times["followed"].item())
    assert not times["observed"].item()
    assert times["outcome"].item() == Outcome.NEVER_ABOVE


def test_time_is_in_samples_whatever_is_recorded():
    run = handmade({"direct": [0.01, 0.01, 1.0, 0.5, 0.01]}, changes=(35,), every=20)
    # The records after the change at 35 are those at 40, 60 and 80.
    assert an.readaptation_times(run, 0.1)["samples"].item() == 45


def test_who_is_still_above_at_the_next_change_is_censored():
    run = handmade({"direct": LOW + [1.0] * 5 + [0.5, 0.01]}, changes=(10, 15), contexts=(0, 1, 0))
    times = an.readaptation_times(run, 0.1)
    np.testing.assert_array_equal(times["samples"], [[[np.nan, 1.0]]])
    assert times["followed"].values.tolist() == [[[4.0, 1.0]]]
    assert times["observed"].values.tolist() == [[[False, True]]]


def test_the_last_record_counts_unless_it_sees_the_next_context():
    run = handmade({"direct": [*LOW, 1.0, 1.0, 0.01]})
    assert an.readaptation_times(run, 0.1)["samples"].item() == 2
    run["context"].values[-1] = 0  # as where the environment would change with the next sample
    times = an.readaptation_times(run, 0.1)
    assert not times["observed"].item()
    assert np.isnan(times["samples"].item())
    assert times["followed"].item() == 1


def test_divergence_censors():
    nan = np.nan
    run = handmade({"direct": [*LOW, 1.0, 0.9, nan, nan]}, diverged=[[12]])
    times = an.readaptation_times(run, 0.1)
    assert not times["observed"].item()
    assert np.isnan(times["samples"].item())
    assert times["followed"].item() == 1
    run = handmade({"direct": [0.01] * 5 + [nan] * 9}, diverged=[[4]])
    assert an.readaptation_times(run, 0.1)["followed"].item() == 0


def test_each_circuit_and_replicate_has_its_own_time():
    fast, slow = [*LOW, 1.0, 0.01, 0.01], [*LOW, 1.0, 1.0, 0.01]
    times = an.readaptation_times(handmade({"direct": [slow, slow], "x": [fast, slow]}), 0.1)
    assert times["samples"].values.tolist() == [[[2.0], [2.0]], [[1.0], [2.0]]]


def test_replicates_may_change_at_samples_of_their_own():
    run = handmade({"direct": [[*LOW, 1.0, 1.0, 0.01, 0.01]] * 2})
    own = run.assign({name: xr.concat([run[name]] * 2, run["replicate"]) for name in OF_THE_PATH})
    own["change_sample"].values[:] = [[10], [11]]
    own["context"].values[1, 10] = 0
    assert an.readaptation_times(own, 0.1)["samples"].values.tolist() == [[[2.0], [1.0]]]
    own["change_sample"].values[1, 0] = -1  # this replicate has no change
    own["context"].values[1] = 0
    times = an.readaptation_times(own, 0.1)
    assert np.isnan(times["samples"].values[0, 1, 0])
    assert summary(times)["median"].item() == 2
    assert summary(times)["censored"].item() == 0


def test_quartiles_know_when_they_are_not_reached():
    curves = [LOW + [1.0] * k + [0.01] * (4 - k) for k in (1, 2, 3)] + [LOW + [1.0] * 4]
    found = summary(an.readaptation_times(handmade({"direct": curves}), 0.1))
    assert found["lower_quartile"].item() == 1
    assert found["median"].item() == 2
    assert found["upper_quartile"].item() == 3
    assert found["censored"].item() == 0.25
    stuck = summary(an.readaptation_times(handmade({"direct": [curves[3], curves[3]]}), 0.1))
    assert stuck["median"].item() == np.inf
    assert stuck["censored"].item() == 1


@pytest.mark.parametrize("threshold", [0, -1, np.nan, np.inf])
def test_a_threshold_must_be_positive(threshold):
    with pytest.raises(ValueError, match="threshold must be a finite positive number"):
        an.readaptation_times(handmade({"direct": LOW}), threshold)


def test_a_run_without_change_is_refused():
    run = handmade({"direct": LOW}, changes=(), contexts=(0,))
    with pytest.raises(ValueError, match="no change of context"):
        an.readaptation_times(run)


def test_an_error_that_was_not_recorded_is_refused():
    with pytest.raises(ValueError, match="got 'frobenius_error'; it has whitening_error"):
        an.readaptation_times(handmade({"direct": LOW}), variable="frobenius_error")
