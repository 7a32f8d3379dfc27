"""Flows and offline learning as runs: one schema, switches, drifts, and the simulation beside."""

import subprocess
import sys

import numpy as np
import pytest

import adaptnet as an
from adaptnet import theory
from adaptnet.simulation.verify import verify
from environments import StationaryEnvironment, SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from environments.transitions import Incremental

Q1, Q2 = (random_eigenbasis(3, np.random.default_rng(seed)) for seed in (1, 2))
C1, C2 = with_spectrum([0.3, 1.0, 2.5], Q1), with_spectrum([0.5, 1.0, 9.0], Q2)


def both(learning_rate, **options):
    return {
        "direct": an.DirectCircuit(learning_rate=learning_rate, **options),
        "interneuron": an.InterneuronCircuit(learning_rate=learning_rate, **options),
    }


class Drifting:
    """A user's environment: the covariance goes straight from C1 to C2."""

    n_neurons = 3
    truth = "exact"
    shared_path = True
    context_names = ("only",)

    def __init__(self, n_samples):
        self.n_samples = n_samples

    def realize(self, seed):
        return self

    def covariances(self, samples):
        share = np.clip(np.asarray(samples) / self.n_samples, 0, 1)[:, None, None]
        return (1 - share) * C1 + share * C2

    def contexts(self, samples):
        return np.zeros(len(samples), np.int64)

    def change_samples(self, n_samples):
        return np.empty(0, np.int64)

    def parameters(self):
        return {"type": "Drifting"}


@pytest.mark.parametrize("dynamics", [an.flow, an.offline])
def test_runs_are_analysed_drawn_and_kept_like_simulations(dynamics, tmp_path):
    environment = SwitchingEnvironment([C1, C2], block_length=2000)
    run = dynamics(both(0.002), environment, 6000, record_every=10)
    assert run.attrs["kind"] == dynamics.__name__
    times = an.readaptation_times(run, 0.1)
    assert times["observed"].all()
    _, axes = an.plot_readaptation(run)
    assert len(axes.lines) >= 2
    an.save(run, tmp_path / "run.nc")
    assert an.load(tmp_path / "run.nc").identical(run)
    np.testing.assert_allclose(
        run["synaptic_time"], 0.002 * run["sample"].values[None].repeat(2, 0)
    )


@pytest.mark.slow
def test_readaptation_of_a_flow_is_what_theory_says():
    eta = 1e-4
    environment = SwitchingEnvironment([C1, C2], block_length=100_000)
    run = an.flow(both(eta), environment, 200_000, record_every=1)
    samples = an.readaptation_times(run, 0.1)["samples"].squeeze()
    for kind in ("direct", "interneuron"):
        expected = theory.readaptation_time(kind, C1, C2, 0.1)
        # 10 units of synaptic time before the switch leave the start within e^-10 of its target.
        assert eta * float(samples.sel(circuit=kind)) == pytest.approx(expected, abs=2 * eta + 1e-4)


def test_error_peaks_at_the_switch_and_the_flow_sees_nothing_of_it_before():
    environment = SwitchingEnvironment([C1, C2], block_length=2000)
    run = an.flow(both(0.002), environment, 4000, record_every=1)
    alone = an.flow(both(0.002), C1, 1999, record_every=1)
    error = run["whitening_error"].values
    np.testing.assert_allclose(error[:, :, :2000], alone["whitening_error"].values, atol=1e-8)
    assert (error[:, :, 2000] == error[:, :, 1000:].max(axis=2)).all()


def test_offline_learning_approaches_the_flow_along_a_drift():
    gaps = []
    for eta in (2e-3, 1e-3):
        n_samples = round(2 / eta)
        flow, offline = (
            dynamics(
                both(eta, initial_weights=2.0),
                Drifting(n_samples),
                n_samples,
                record=["effective_weights"],
                record_every=n_samples // 10,
            )["effective_weights"].values
            for dynamics in (an.flow, an.offline)
        )
        gaps.append(np.abs(flow - offline).max())
    # First order in the learning rate, which has been halved.
    assert gaps[1] / gaps[0] == pytest.approx(0.5, abs=0.02)
    assert gaps[1] < 2e-3


class Moving(Drifting):
    """A covariance of any course, without changes of context."""

    def __init__(self, covariance):
        self.covariance = covariance

    def covariances(self, samples):
        return np.array([self.covariance(sample) for sample in np.asarray(samples)])


def test_flow_along_a_drift_is_that_of_a_linear_equation():
    eta, c, y0 = 1e-3, np.array([1.0, 2.0, 0.5]), 4.0
    for rates in ([0.3, -0.1, 0.05], [0.0, 0.0, 0.7]):
        slope = np.array(rates)  # of variances, per unit of synaptic time
        course = Moving(lambda sample, slope=slope: np.diag(c + slope * eta * sample))
        circuit = an.InterneuronCircuit(initial_weights=np.sqrt(y0), learning_rate=eta)
        run = an.flow(circuit, course, 2000, record_every=100, record=["effective_weights"])
        t = run["synaptic_time"].values[0][:, None]
        # y = m^2 of each mode obeys y' = 4 (c + slope t - y).
        y = c + slope * (t - 0.25) + (y0 - c + slope / 4) * np.exp(-4 * t)
        weights = run["effective_weights"].values[0, 0]
        np.testing.assert_allclose(np.diagonal(weights, axis1=1, axis2=2), np.sqrt(y), atol=1e-8)


@pytest.mark.parametrize("kind", ["direct", "interneuron"])
def test_jumps_within_a_context_are_followed_like_changes(kind):
    steps = Moving(lambda sample: (C1, C2, C1, C2)[sample // 700])
    switches = SwitchingEnvironment([C1, C2], block_length=700)
    circuit = both(2e-3)[kind]
    options = {"record_every": 50, "record": ["effective_weights"]}
    weights = [
        an.flow(circuit, environment, 2100, **options)["effective_weights"].values
        for environment in (steps, switches)
    ]
    np.testing.assert_array_equal(*weights)


def test_a_transition_is_followed_to_its_end_and_no_further():
    """Variances along a straight line, then constant: y = m^2 obeys a linear equation in each."""
    eta, width, y0 = 1e-3, 500, 4.0
    environment = SwitchingEnvironment(
        [y0 * np.eye(2), np.eye(2)], 1000, order=[0, 1], transition=Incremental(width)
    )
    circuit = an.InterneuronCircuit(initial_weights=np.sqrt(y0), learning_rate=eta)
    run = an.flow(circuit, environment, 3000, record_every=100, record=["effective_weights"])
    sample = run["sample"].values
    # C is known at samples: 4 at 999, then down a step at each of 1000, ..., 1500, where it is 1.
    # The flow is cut at 1000 and continues each piece's cubic, here a line, up to its end.
    slope = -3 / ((width + 1) * eta)
    t = eta * (sample - 1000)
    c0 = y0 + slope * eta  # at sample 1000
    moving = c0 + slope * (t - 0.25) + (y0 - c0 + slope / 4) * np.exp(-4 * t)
    T = eta * width
    end = c0 + slope * (T - 0.25) + (y0 - c0 + slope / 4) * np.exp(-4 * T)
    held = 1 + (end - 1) * np.exp(-4 * (t - T))
    y = np.where(t <= 0, y0, np.where(t <= T, moving, held))
    np.testing.assert_allclose(
        run["effective_weights"].values[0, 0, :, 0, 0], np.sqrt(y), atol=1e-9
    )


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5])
def test_flows_of_a_few_samples_of_a_drift(n_samples):
    run = an.flow(both(1e-3), Drifting(3), n_samples)
    assert np.isfinite(run["whitening_error"]).all()


def test_decaying_rates_run_on_their_own_clock():
    circuit = an.InterneuronCircuit(
        initial_weights=3.0, learning_rate=0.01, learning_rate_decay=0.005
    )
    run = an.flow(circuit, np.eye(2), 1000, record_every=100, record=["effective_weights"])
    times = run["synaptic_time"].values[0]
    np.testing.assert_allclose(times, 2 * np.log1p(0.005 * run["sample"].values))
    expected = theory.law_of("interneuron").mode(times, 1.0, 3.0)
    np.testing.assert_allclose(run["effective_weights"].values[0, 0, :, 0, 0], expected, atol=1e-8)
    assert run["synaptic_time"].attrs["units"] == "1"


def test_offline_step_of_effective_weights_is_that_of_synapses():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(3, 5))
    A = W @ W.T
    inverse = np.linalg.inv(A)
    after = W + 0.1 * (inverse @ C1 @ inverse @ W - W)
    np.testing.assert_allclose(
        theory.law_of("interneuron").offline_step(A, C1, 0.1), after @ after.T, rtol=1e-10
    )


def test_offline_divergence_is_said_and_keeps_what_was_before():
    circuits = {"direct": an.DirectCircuit(initial_weights=2.0, learning_rate=3.0)}
    with pytest.warns(an.DivergenceWarning, match="positive definite cone"):
        run = an.offline(circuits, np.eye(2), 50)
    assert int(run["diverged_sample"].squeeze()) == 1
    assert np.isfinite(run["whitening_error"].values[0, 0, 0])
    assert np.isnan(run["whitening_error"].values[0, 0, 1:]).all()


def test_a_flow_is_not_run_again_as_a_simulation():
    run = an.flow(both(0.1), np.eye(2), 10, record_every=5)
    with pytest.raises(ValueError, match=r"stored must be a simulation .* got one of kind 'flow'"):
        verify(run, StationaryEnvironment(np.eye(2)))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="environment must be positive definite"):
        an.flow(both(0.1), np.diag([1.0, -1.0]), 10)
    with pytest.raises(ValueError, match="tolerance"):
        an.flow(both(0.1), np.eye(2), 10, tolerance=1.0)
    with pytest.raises(ValueError, match="n_samples"):
        an.offline(both(0.1), np.eye(2), 0)
    with pytest.raises(ValueError, match="record must not name 'fast_steps'"):
        an.flow(both(0.1), np.eye(2), 10, record=("whitening_error", "fast_steps"))


def test_importing_the_package_leaves_the_integrators_alone():
    code = "import sys, adaptnet; adaptnet.flow; print('scipy.integrate' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def noise_band(law, kind, C, start, eta, times):
    """Return the standard deviation of each weight about the flow, from the linear noise theory.

    Covariance S of the deviations: dS/dt = J S + S J' + eta N, J the Jacobian of the drift and N
    the covariance of yy' (direct) or of yy'A + Ayy' (interneuron) for Gaussian y.
    """
    n, m = len(C), len(C) ** 2

    def jacobian(A):
        h = 1e-6
        units = np.eye(m).reshape(m, n, n)
        symmetric = (units + units.swapaxes(1, 2)) / 2
        columns = [(law.drift(A + h * U, C) - law.drift(A - h * U, C)) / (2 * h) for U in symmetric]
        return np.array(columns).reshape(m, m).T

    def noise(A):
        inverse = np.linalg.inv(A)
        G = inverse @ C @ inverse
        of_products = np.einsum("ik,jl->ijkl", G, G) + np.einsum("il,jk->ijkl", G, G)
        of_products = of_products.reshape(m, m)
        if kind == "direct":
            return of_products
        mix = np.kron(np.eye(n), A) + np.kron(A, np.eye(n))
        return mix @ of_products @ mix.T

    A, S, band, now = start, np.zeros((m, m)), [], 0.0
    step = times[1] / 50
    for t in times:
        while now < t - step / 2:
            J = jacobian(A)
            S = S + step * (J @ S + S @ J.T + eta * noise(A))
            A = A + step * law.drift(A, C)
            now += step
        band.append(np.sqrt(np.diag(S)).reshape(n, n))
    return np.array(band)


@pytest.mark.parametrize("kind", ["direct", "interneuron"])
def test_online_learning_follows_the_flow_within_its_noise_band(kind):
    eta, n_replicates = 1e-4, 40
    C = with_spectrum([0.5, 2.0], random_eigenbasis(2, np.random.default_rng(3)))
    circuit = {kind: both(eta, initial_weights=2.0)[kind]}
    options = {"record_every": 1000, "record": ["effective_weights"]}
    flow = an.flow(circuit, C, 20_000, **options)["effective_weights"].values[0, 0]
    online = an.simulate(
        circuit, StationaryEnvironment(C), 20_000, n_replicates=n_replicates, rng=0, **options
    )["effective_weights"].values[0]
    times = eta * np.arange(0, 20_001, 1000)
    band = noise_band(theory.law_of(kind), kind, C, 2.0 * np.eye(2), eta, times)[1:]
    away = (online - flow)[:, 1:] / band
    # 40 replicates give the spread within 1/sqrt(80) = 11 %, neighbouring times being alike, and
    # the mean within 1/sqrt(40) = 0.16; four of these, and the bias of order eta / band besides.
    assert np.abs(away.mean(axis=0)).max() < 4 * 0.16
    assert np.sqrt((away**2).mean(axis=0)) == pytest.approx(np.ones(band.shape), abs=0.44)
    assert np.sqrt((away**2).mean()) == pytest.approx(1, abs=0.1)
    assert np.abs(away).max() < 5
