"""Measures on curves with known answers."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.metrics import affine_invariant_distance
from adaptnet.readaptation import (
    MEASURES,
    Outcome,
    aligned_curves,
    excess_area,
    fractional_recovery,
    maximum_loss,
    measure,
    noise_floors,
    peri_change_averages,
    readaptation_times,
    time_constants,
    tracking,
    with_oracle,
)
from adaptnet.readaptation.synaptic import synaptic_time
from environments import DriftingEnvironment, SwitchingEnvironment
from environments.paths import SinusoidalSpectrum
from tests.adaptnet.synthetic import run_of

# Small runs are noisy; their thresholds are chosen for what is measured.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")

FLOOR, JUMP, TAU, CHANGE, N, EVERY = 0.05, 3.0, 400.0, 1000, 8000, 2


def decaying(taus=(TAU,), amplitudes=(JUMP,), floor=FLOOR, every=EVERY, n=N):
    """Return an error that jumps at CHANGE and decays as a sum of exponentials."""
    since = np.arange(0, n + 1, every) - CHANGE
    after = sum(a * np.exp(-since / t) for a, t in zip(amplitudes, taus, strict=True))
    return np.where(since < 0, floor, floor + after)


def one_run(curve, **options):
    return run_of(np.asarray(curve)[None, None], [CHANGE], every=EVERY, **options)


def outcomes(results):
    return [Outcome(code).label for code in results["outcome"].values.ravel()]


def test_first_passage_is_the_exact_crossing_to_a_record():
    times = readaptation_times(one_run(decaying()), 0.2)
    crossing = TAU * np.log(JUMP / (0.2 - FLOOR))
    assert 0 <= float(times.samples.squeeze()) - crossing <= EVERY
    assert float(times.synaptic_time.squeeze()) == pytest.approx(
        1e-3 * float(times.samples.squeeze())
    )


def test_hold_waits_for_records_in_a_row():
    curve = decaying()
    since = np.arange(0, N + 1, EVERY) - CHANGE
    curve[(since >= 0) & (since < 400)] = np.where(since % 20 == 0, 0.01, 5.0)[
        (since >= 0) & (since < 400)
    ]
    run = one_run(curve)
    # The first below after one above; the record at the change itself is below.
    assert float(readaptation_times(run, 0.2).samples.squeeze()) == 20
    crossing = TAU * np.log(JUMP / (0.2 - FLOOR))
    held = float(readaptation_times(run, 0.2, hold=2).samples.squeeze())
    assert 0 <= held - crossing <= EVERY


def test_what_never_passes_is_censored_at_the_last_record_above():
    curve = np.full(N // EVERY + 1, 1.0)
    curve[-3:] = 0.01  # too few in a row for hold=5
    run = one_run(curve)
    times = readaptation_times(run, 0.1, hold=5)
    assert not times.observed.item()
    assert np.isnan(times.samples.item())
    assert times.followed.item() == N - CHANGE - 3 * EVERY
    assert outcomes(times) == ["not_reached_before_the_segment_ended"]
    assert readaptation_times(run, 0.1, hold=3).observed.item()


def test_divergence_is_censored_where_it_happened():
    curve = decaying()
    curve[N // EVERY // 2 :] = np.nan
    times = readaptation_times(one_run(curve, diverged=[[N // 2]]), 0.01)
    assert outcomes(times) == ["diverged"]
    assert np.isnan(times.samples.item())
    assert times.followed.item() == N // 2 - EVERY - CHANGE


def test_fractional_recovery_needs_no_threshold():
    run = one_run(decaying())
    for fraction in (0.5, 0.9, 0.99):
        recovered = fractional_recovery(run, fraction, floor=FLOOR)
        exact = TAU * np.log(1 / (1 - fraction))
        assert 0 <= recovered.samples.item() - exact <= EVERY
    # The estimated floor is that at the segment's end: off by exp(-14), far below a record.
    assert (
        fractional_recovery(run, 0.9).samples.item()
        == fractional_recovery(run, 0.9, floor=FLOOR).samples.item()
    )


def test_without_a_jump_there_is_nothing_to_recover_and_it_says_so():
    recovered = fractional_recovery(one_run(np.full(N // EVERY + 1, FLOOR)))
    assert outcomes(recovered) == ["no_jump_above_the_floor"]
    assert np.isnan(recovered.samples.item())
    assert not recovered.observed.item()


def test_time_constant_of_one_exponential():
    fit = time_constants(one_run(decaying()))
    # Noise-free: limited by the optimiser's tolerance of 1e-8 alone.
    assert fit.samples.item() == pytest.approx(TAU, rel=1e-5)
    assert fit.amplitude.item() == pytest.approx(JUMP, rel=1e-5)
    assert fit.floor.item() == pytest.approx(FLOOR, rel=1e-4)
    assert fit.r_squared.item() == pytest.approx(1.0, abs=1e-9)
    assert fit.synaptic_time.item() == pytest.approx(1e-3 * TAU, rel=1e-5)


def test_time_constants_of_two_exponentials():
    fit = time_constants(one_run(decaying((100.0, 1500.0), (2.0, 1.0))), 2)
    assert fit.samples.values.ravel() == pytest.approx([100.0, 1500.0], rel=1e-3)
    assert fit.amplitude.values.ravel() == pytest.approx([2.0, 1.0], rel=1e-3)


def test_standard_errors_are_the_spread_of_the_fits():
    rng = np.random.default_rng(3)
    n_replicates = 200
    noisy = decaying()[None, None] + 0.2 * rng.standard_normal((1, n_replicates, N // EVERY + 1))
    fit = time_constants(run_of(noisy, [CHANGE], every=EVERY))
    spread = fit.samples.std().item()
    # The standard deviation of 200 fits is itself known to 5 %: three of those.
    assert float(fit.standard_error.mean()) == pytest.approx(spread, rel=0.15)
    assert fit.samples.mean().item() == pytest.approx(TAU, abs=4 * spread / np.sqrt(n_replicates))


def test_standard_errors_of_two_exponentials_are_the_spread_of_their_fits():
    rng = np.random.default_rng(4)
    n_replicates = 100
    clean = decaying((100.0, 1500.0), (2.0, 1.0))[None, None]
    noisy = clean + 0.05 * rng.standard_normal((1, n_replicates, N // EVERY + 1))
    fit = time_constants(run_of(noisy, [CHANGE], every=EVERY), 2)
    assert (fit.outcome == Outcome.REACHED).all()
    spread = fit.samples.std("replicate").values.ravel()
    # The standard deviation of 100 fits is itself known to 7 %: three of those.
    assert fit.standard_error.mean("replicate").values.ravel() == pytest.approx(spread, rel=0.21)
    assert fit.r_squared.min().item() > 0.9


def test_a_decay_slower_than_the_segment_is_named():
    fit = time_constants(one_run(decaying((1e5,), (JUMP,))), floor=FLOOR)
    assert outcomes(fit) == ["slower_than_the_segment_is_long"]
    assert fit.samples.item() == pytest.approx(1e5, rel=1e-3)


def test_area_of_an_exponential_is_amplitude_times_time_constant():
    area = excess_area(one_run(decaying()), floor=FLOOR)
    exact = JUMP * TAU * (1 - np.exp(-(N - CHANGE) / TAU))
    # The trapezoid on an exponential is off by (step/tau)^2 / 12 = 2e-6.
    assert area.area.item() == pytest.approx(exact, rel=3e-6)
    assert area.synaptic_area.item() == pytest.approx(1e-3 * exact, rel=3e-6)


def test_floor_is_the_median_of_the_end_and_trend_shows_unrest():
    floors = noise_floors(one_run(decaying()))
    assert floors.floor.item() == pytest.approx(FLOOR, rel=1e-4)
    assert floors.trend.item() == pytest.approx(1.0, rel=1e-2)
    assert noise_floors(one_run(decaying((3000.0,)))).trend.item() > 1.5


@pytest.mark.parametrize("floor", [FLOOR, {"direct": FLOOR}])
def test_floors_may_be_passed_in_any_form(floor):
    run = one_run(decaying())
    expected = excess_area(run, floor=floor)
    array = noise_floors(run)["floor"] * 0 + FLOOR
    assert expected.area.item() == excess_area(run, floor=array).area.item()


def test_maximum_loss_is_the_worst_less_what_was_before():
    loss = maximum_loss(one_run(decaying()))
    assert loss.peak.item() == pytest.approx(FLOOR + JUMP)
    assert loss.loss.item() == pytest.approx(JUMP)
    assert loss.samples.item() == 0


def test_lag_and_error_of_a_delayed_tracker():
    delay, every, n = 130, 10, 300
    samples = np.arange(n) * every

    def covariance(t):
        angle = t / 400.0
        c, s = np.cos(angle), np.sin(angle)
        turn = np.moveaxis(np.array([[c, -s], [s, c]]), -1, 0)
        return turn @ np.diag([3.0, 0.5]) @ turn.transpose(0, 2, 1)

    values, vectors = np.linalg.eigh(covariance(samples - delay))
    weights = (vectors * np.sqrt(values)[:, None]) @ vectors.transpose(0, 2, 1)
    run = run_of(
        np.full((1, 1, n), 0.3),
        np.empty(0, np.int64),
        every=every,
        effective_weights=(
            ("circuit", "replicate", "sample", "neuron", "neuron_2"),
            weights[None, None],
        ),
        covariance=(("sample", "neuron", "neuron_2"), covariance(samples)),
    )
    tracked = tracking(run)
    assert tracked.error.item() == pytest.approx(0.3)
    # The delay is a whole number of records, where the distance is 0: exact.
    assert tracked.lag.item() == pytest.approx(delay, abs=1e-6)
    assert tracked.synaptic_lag.item() == pytest.approx(delay * 1e-3, abs=1e-9)
    steady = run.assign(covariance=run["covariance"] * 0 + np.eye(2))
    assert np.isnan(tracking(steady).lag.item())
    assert tracking(steady).outcome.item() == Outcome.STEADY


@pytest.mark.parametrize("every", [20, 200, 1000])
def test_lag_under_periodic_drift_is_that_of_a_low_pass(every):
    rate, period, n = 2e-3, 20_000, 100_000
    run = an.flow(
        an.InterneuronCircuit(learning_rate=rate),
        DriftingEnvironment(SinusoidalSpectrum(np.diag([1.0, 3.0]), 0.3), duration=period),
        n,
        record_every=every,
        record=("whitening_error", "effective_weights", "covariance"),
    )
    w = 2 * np.pi / (period * rate)
    # A^2 follows C with dA^2/dt = 4 (C - A^2); delays longer by periods fit as well. Records kept
    # span no whole number of periods (0.1 %), and the parabola errs with the spacing.
    error = 0.002 if every < 1000 else 0.05
    assert tracking(run).lag.item() == pytest.approx(np.arctan(w / 4) / (w * rate), rel=error)
    assert tracking(run).synaptic_lag.item() == pytest.approx(np.arctan(w / 4) / w, rel=error)


def test_lag_needs_no_records_at_equal_distances():
    rate, period = 2e-3, 20_000
    run = an.flow(
        an.InterneuronCircuit(learning_rate=rate),
        DriftingEnvironment(SinusoidalSpectrum(np.eye(2), 0.3), duration=period),
        40_000,
        record_every=100,
        record=("whitening_error", "effective_weights", "covariance"),
    )
    kept = np.sort(np.random.default_rng(0).choice(400, 300, replace=False))
    lag = tracking(run.isel(sample=np.r_[0, kept[kept > 0], 400])).lag.item()
    # Between records the covariance is taken as linear: off by (300 / period)^2 of its swing.
    assert lag == pytest.approx(tracking(run).lag.item(), rel=0.02)


def test_random_paths_have_changes_of_their_own():
    n = 401
    curves = np.ones((1, 2, n))
    changes = np.array([[100, 250], [180, -1]])
    for r, starts in enumerate(changes):
        for start in starts[starts >= 0]:
            curves[0, r, start + 40 + r :] = 0.01
    curves[0, 0, 250:290] = 1.0
    run = run_of(curves, changes)
    times = readaptation_times(run, 0.1)
    assert times.samples.values[0].tolist() == [[40, 40], [41, pytest.approx(np.nan, nan_ok=True)]]
    assert outcomes(times) == ["reached", "reached", "reached", "no_such_change_in_this_replicate"]
    assert times["transition"].values.tolist() == [["a -> b", "b -> a"], ["a -> b", "(none)"]]
    by_context = times.samples.groupby("context").mean()
    assert by_context.sel(context="b").item() == 40.5
    averages = peri_change_averages(run)
    assert averages["n"].sel(transition="a -> b", lag=0).item() == 2
    assert averages["median"].sel(transition="b -> a", lag=50).item() == 0.01
    for name in MEASURES.keys() - {"tracking"}:
        assert Outcome(measure(run, name).outcome.values[0, 1, 1]) is Outcome.ABSENT


def test_aligned_curves_begin_at_the_change():
    curves = aligned_curves(one_run(decaying()), before=10, after=20)["whitening_error"]
    assert curves.lag.values.tolist() == list(range(-10, 21, EVERY))
    expected = [FLOOR] * 5 + [FLOOR + JUMP * np.exp(-t / TAU) for t in range(0, 21, EVERY)]
    assert curves.values.ravel() == pytest.approx(expected)


def test_of_two_records_at_a_lag_the_one_at_the_change_is_kept():
    since = np.arange(301) - 105
    run = run_of(np.where(since < 0, 0.01, np.exp(-since / 50.0))[None, None], [105])
    kept = (run["sample"] % 10 == 0) | (run["sample"] == 105)
    thinned = run.isel(sample=np.flatnonzero(kept)).assign_attrs(record_every=10)
    curves = aligned_curves(thinned, before=20, after=30)["whitening_error"]
    assert curves.lag.values.tolist() == [-20, -10, 0, 10, 20, 30]
    # The records at 90 and 100; that of the change, not the one 5 samples later; then 15 later, ...
    expected = [0.01, 0.01, *np.exp(-np.array([0, 15, 25, 35]) / 50)]
    np.testing.assert_allclose(curves.values.ravel(), expected, rtol=1e-12)


def test_floors_are_taken_by_samples_where_records_crowd():
    since = np.arange(401) - 100
    run = run_of(np.where(since < 0, 0.01, 1.0 + since / 300)[None, None], [100])
    crowded = run.isel(sample=np.r_[0:200, 200:401:10]).assign_attrs(record_every=10)
    # The last quarter of 300 samples, by records every 10: from 230 to 300 after the change.
    assert noise_floors(crowded).floor.item() == pytest.approx(1 + 265 / 300)
    assert noise_floors(crowded).trend.item() == pytest.approx((1 + 185 / 300) / (1 + 265 / 300))


def test_a_simulation_knows_distance_and_direction():
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    low = np.diag([1.0, 2.0])
    contexts = [low, rotation @ low @ rotation.T, 9 * low]
    run = an.simulate(
        an.InterneuronCircuit(),
        SwitchingEnvironment(contexts, block_length=20),
        80,
        rng=0,
        record_every=5,
    )
    times = an.readaptation_times(run)
    assert times.direction.values.tolist() == ["level", "up", "down"]
    assert times.change_distance.values[2] == pytest.approx(np.sqrt(2) * np.log(9))
    assert times.sel(circuit="interneuron").samples.groupby("direction").mean().sizes == {
        "replicate": 1,
        "direction": 3,
    }
    assert len(times.to_dataframe()) == 3


def test_distance_ignores_mixing_and_order():
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(4, 4))
    a, b = (m @ m.T + np.eye(4) for m in rng.normal(size=(2, 4, 4)))
    distance = affine_invariant_distance(a, b)
    # Rounding grows with the square of the mixing's condition number, about 1e2 here.
    assert affine_invariant_distance(mix @ a @ mix.T, mix @ b @ mix.T) == pytest.approx(
        distance, rel=1e-9
    )
    assert affine_invariant_distance(b, a) == pytest.approx(distance, rel=1e-12)


def test_synaptic_time_integrates_a_decaying_rate():
    run = one_run(decaying())
    run.attrs["circuits"] = '{"direct": {"learning_rate": 0.01, "learning_rate_decay": 0.003}}'
    # The midpoint rule, of step 1/2, for a rate that changes over some 300 samples.
    exact = np.sum(0.005 / (1 + 0.003 * (np.arange(1000, 1500, 0.5) + 0.25)))
    assert float(synaptic_time(run, "direct", 1000, 1500)) == pytest.approx(exact, rel=1e-6)


def test_the_oracle_makes_no_error():
    run = an.simulate(
        {"direct": an.DirectCircuit()},
        SwitchingEnvironment([np.eye(2), np.diag([4.0, 9.0])], block_length=20),
        40,
        rng=0,
        record=("whitening_error", "effective_weights", "covariance"),
    )
    both = with_oracle(run)
    assert both.circuit.values.tolist() == ["direct", "oracle"]
    oracle = both.sel(circuit="oracle")
    worst, _ = an.whitening_errors(oracle.effective_weights.values, both.covariance.values)
    assert worst.max() < 1e-12  # rounding alone
    times = an.readaptation_times(both).sel(circuit="oracle")
    assert (times.outcome == Outcome.NEVER_ABOVE).all()
    assert times.samples.isnull().all()
    assert both.sel(circuit=["direct"]).whitening_error.identical(run.whitening_error)
    with pytest.raises(ValueError, match="name must not be"):
        with_oracle(both)
    with pytest.raises(ValueError, match="not recorded"):
        with_oracle(run.drop_vars("covariance"))


@pytest.mark.parametrize("name", sorted(MEASURES.keys() - {"tracking"}))
def test_without_a_change_every_measure_says_so(name):
    run = run_of(np.ones((1, 1, 50)), np.empty(0, np.int64))
    with pytest.raises(ValueError, match="no change of context"):
        measure(run, name)


def test_bad_input_is_refused_by_name():
    run = one_run(decaying())
    with pytest.raises(ValueError, match="did you mean 'excess_area'"):
        measure(run, "excess_aera")
    with pytest.raises(ValueError, match="variable must be an error"):
        readaptation_times(run, variable="context")
    with pytest.raises(ValueError, match="fraction must be"):
        fractional_recovery(run, 1.0)
    with pytest.raises(ValueError, match="components must be 1 or 2"):
        time_constants(run, 3)
    with pytest.raises(ValueError, match="interneuron is missing"):
        excess_area(run_of(np.ones((2, 1, 50)), [10]), floor={"direct": 0.1})
    with pytest.raises(ValueError, match="has not recorded"):
        tracking(run)
    with pytest.raises(ValueError, match="by must name"):
        peri_change_averages(run, by="colour")


def test_restricted_means_count_to_where_all_were_followed():
    curves = np.ones((2, 3, 501))
    curves[0, :, 150:] = 0.01
    curves[1, :, 300:] = 0.01
    found = readaptation_times(run_of(curves, [100]), 0.1).adaptnet.summary()
    assert found.restricted_mean.values.ravel().tolist() == [50, 200]
    assert (found.horizon == 400).all()
