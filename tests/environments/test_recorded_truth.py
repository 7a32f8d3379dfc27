"""What is known of recordings: one centring for inputs and truth, windows, sampling errors."""

import numpy as np
import pytest

from environments import RecordedEnvironment, SamplingFloorWarning, from_parameters
from environments.data.array_likes import Samples, rate_of

N = 6000
short_windows = pytest.mark.filterwarnings("ignore::environments.SamplingFloorWarning")


def _truth(recorded, *samples):
    return recorded.realize(np.random.SeedSequence(0)).covariances(np.array(samples))


@short_windows
def test_a_drifting_baseline_is_in_inputs_and_truth_alike():
    """Inputs whose mean wanders by 3 standard deviations have that in their second moment."""
    rng = np.random.default_rng(0)
    baseline = 3 * np.sqrt(2) * np.sin(np.arange(N) / N * 2 * np.pi)
    recorded = RecordedEnvironment(
        rng.normal(size=(N, 2)) + baseline[:, None], truth="window", window=400
    )
    played = recorded.sample(N)
    for sample in (1500, 4500):  # at the crests
        truth = _truth(recorded, sample)[0]
        near = played[sample - 100 : sample + 100]
        np.testing.assert_allclose(near.T @ near / 200, truth, rtol=0.1)
        assert truth[0, 0] > 15


@short_windows
def test_causal_windows_look_back_only():
    data = np.random.default_rng(1).normal(size=(N, 2))
    recorded = RecordedEnvironment(
        data, truth="window", window=320, causal=True, changes=[3000], centred=False
    )
    for sample, (start, stop) in {
        0: (0, 320),  # the first window, for want of samples before
        319: (0, 320),
        1000: (681, 1001),
        1019: (681, 1001),  # windows move in steps of 20 samples
        1020: (701, 1021),
        3000: (2681, 3001),  # over the change
        3500: (3181, 3501),
    }.items():
        second = data[start:stop].T @ data[start:stop] / (stop - start)
        np.testing.assert_allclose(_truth(recorded, sample)[0], second, rtol=1e-12)
    later = data.copy()
    later[2000:] *= 3
    other = RecordedEnvironment(
        later, truth="window", window=320, causal=True, changes=[3000], centred=False
    )
    np.testing.assert_array_equal(_truth(other, 1990), _truth(recorded, 1990))
    again = _by_parameters(recorded, data)
    np.testing.assert_array_equal(_truth(again, 3500), _truth(recorded, 3500))


def _by_parameters(recorded, data):
    parameters = {k: v for k, v in recorded.parameters().items() if k not in ("type", "data")}
    return RecordedEnvironment(data, **parameters)


@pytest.mark.parametrize(("n", "window"), [(1, 100), (2, 100), (10, 200), (10, 2000)])
def test_the_sampling_floor_is_what_white_inputs_show(n, window):
    """Perfect weights on white data: the largest eigenvalue of a window's covariance, less 1."""
    data = np.random.default_rng(2).normal(size=(20 * window, n))
    with pytest.warns(SamplingFloorWarning, match=f"window of {window} samples of {n} channels"):
        recorded = RecordedEnvironment(data, truth="window", window=window)
    floor = recorded.describe(100)["sampling_floor"]
    assert floor["samples"] == window
    assert floor["effective_samples"] == pytest.approx(window, rel=0.1)
    parts = np.split(data, 20)
    errors = [np.linalg.eigvalsh(part.T @ part / window) - 1 for part in parts]
    # the Tracy-Widom law is of many channels: two are 15 % above it, and 20 windows leave 10 %
    assert np.abs(errors).max(axis=1).mean() == pytest.approx(floor["whitening_error"], rel=0.2)
    squares = np.mean([(error**2).sum() for error in errors])
    assert np.sqrt(squares) == pytest.approx(floor["frobenius_error"], rel=0.2)


@short_windows
def test_memory_leaves_fewer_independent_samples():
    """Products of an AR(1) process of 5 samples add up as coth(1/5) = 5.07 would."""
    from environments import Sources, StationaryEnvironment

    source = StationaryEnvironment(np.eye(2), sources=Sources(time_constant=5))
    recorded = RecordedEnvironment(source.sample(60_000), truth="window", window=1000)
    floor = recorded.describe(100)["sampling_floor"]
    assert floor["effective_samples"] == pytest.approx(1000 / 5.07, rel=0.15)


def test_a_wide_window_is_not_warned_of():
    data = np.random.default_rng(3).normal(size=(N, 2))
    RecordedEnvironment(data, truth="window", window=2000)
    assert "sampling_floor" not in RecordedEnvironment(data, truth="absent").describe(10)


def test_a_running_mean_is_that_of_the_samples_before():
    """Against a plain loop, and wherever reading begins."""
    rng = np.random.default_rng(4)
    data = rng.normal(size=(20_000, 2)) + np.array([1e6, 5.0])
    data[9000:] += 3
    recorded = RecordedEnvironment(data, centred="running", mean_samples=300)
    mean, expected = data[0].copy(), np.empty_like(data)
    for t, x in enumerate(data):
        expected[t] = x - mean
        mean += (x - mean) / 300
    np.testing.assert_allclose(recorded.sample(20_000), expected, atol=1e-8)  # eps of 1e6 is 1e-10
    realization = recorded.realize(np.random.SeedSequence(0))
    part = np.concatenate(list(realization.blocks(20_000, 777, 12_345)))
    np.testing.assert_array_equal(part, recorded.sample(20_000)[12_345:])
    np.testing.assert_allclose(
        _truth(recorded, 0)[0], expected.T @ expected / 20_000, rtol=1e-9, atol=1e-9
    )
    again = _by_parameters(recorded, data)
    np.testing.assert_array_equal(again.sample(500), recorded.sample(500))
    assert recorded.centred


@pytest.mark.parametrize("rate", [0.25, 1.0, 100.0, 1234.5, 30_000.123])
@pytest.mark.parametrize("start", [0.0, 10.0, 1.7e9])
def test_rates_are_round_within_what_times_tell_and_no_more(rate, start):
    times = start + np.arange(100) / rate
    found = rate_of(Samples(np.zeros((100, 2)), times, seconds=1.0))
    uncertainty = 3 * np.spacing(times[-1]) * rate  # of the rate: by two times and a division
    assert found == pytest.approx(rate, rel=uncertainty, abs=0)
    if uncertainty < 1e-9:
        assert found == rate


def test_sampling_rates_are_those_of_the_times():
    import pandas as pd

    data = np.random.default_rng(5).normal(size=(100, 2))
    frame = pd.DataFrame(data, index=pd.timedelta_range(0, periods=100, freq="4ms"))
    assert RecordedEnvironment(frame).sampling_rate == 250
    assert RecordedEnvironment(data).sampling_rate is None
    recorded = RecordedEnvironment(data, sampling_rate=30)
    assert recorded.sampling_rate == 30
    assert recorded.parameters()["sampling_rate"] == 30
    with pytest.raises(ValueError, match=r"sampling_rate is 30 Hz, but the times .* say 250 Hz"):
        RecordedEnvironment(frame, sampling_rate=30)
    with pytest.raises(ValueError, match="sampling_rate must be greater than 0"):
        RecordedEnvironment(data, sampling_rate=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"centred": "running"}, "mean_samples must be given with"),
        ({"mean_samples": 30}, "mean_samples must be given with"),
        ({"centred": "running", "mean_samples": 0}, "mean_samples must be at least 1"),
        ({"causal": True}, 'causal must be False unless truth="window"'),
    ],
)
def test_bad_values_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RecordedEnvironment(np.random.default_rng(0).normal(size=(200, 2)), **arguments)


def test_parameters_of_a_file_build_the_same(tmp_path):
    np.save(tmp_path / "data.npy", np.random.default_rng(6).normal(size=(N, 2)))
    for arguments in (
        {"truth": "window", "window": 1500, "causal": True},
        {"centred": "running", "mean_samples": 100, "sampling_rate": 20.0},
    ):
        recorded = RecordedEnvironment(tmp_path / "data.npy", **arguments)
        again = from_parameters(recorded.parameters())
        assert again.parameters() == recorded.parameters()
        np.testing.assert_array_equal(again.sample(N), recorded.sample(N))
