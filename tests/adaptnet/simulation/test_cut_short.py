"""Fast dynamics cut short: errors are those of the outputs that the circuit gives."""

import numpy as np
import pytest

import adaptnet as an
from environments import StationaryEnvironment, SwitchingEnvironment
from tests import naive

STEPS, STEP_SIZE = 30, 0.05
CUT_SHORT = an.IntegratedDynamics(step_size=STEP_SIZE, max_steps=STEPS, tolerance=1e-12)
C = naive.random_covariance(np.random.default_rng(0), 3)
RECORD = ("whitening_error", "frobenius_error", "effective_weights", "response")


def errors(G):
    excess = G @ C @ G.T - np.eye(len(G))
    return np.abs(np.linalg.eigvalsh(excess)).max(), np.linalg.norm(excess)


def test_the_direct_circuit_s_response_has_a_closed_form():
    """From rest, k Euler steps of dy/dg = x - M y lead to y = (I - (I - h M)^k) M^-1 x."""
    circuit = an.DirectCircuit(initial_weights=0.3, learning_rate=2e-3, dynamics=CUT_SHORT)
    run = an.simulate(
        circuit, StationaryEnvironment(C), 3000, rng=0, record_every=500, record=RECORD
    )
    for s in range(run.sizes["sample"]):
        record = run.isel(circuit=0, replicate=0, sample=s)
        M = record["effective_weights"].values
        left = np.linalg.matrix_power(np.eye(3) - STEP_SIZE * M, STEPS)
        G = (np.eye(3) - left) @ np.linalg.inv(M)
        np.testing.assert_allclose(record["response"], G, rtol=1e-12, atol=1e-14)
        assert record["whitening_error"].item() == pytest.approx(errors(G)[0], rel=1e-10)
        assert record["frobenius_error"].item() == pytest.approx(errors(G)[1], rel=1e-10)
        # The fixed point, which is not reached, would be another number altogether.
        fixed = errors(np.linalg.inv(M))[0]
        assert abs(fixed - errors(G)[0]) > 0.01


def test_the_response_of_interneurons_is_that_of_the_steps():
    W = np.random.default_rng(1).normal(size=(3, 5))
    dynamics = an.IntegratedDynamics(
        step_size=STEP_SIZE, max_steps=STEPS, tolerance=1e-12, interneuron_time_constant=2.0
    )
    circuit = an.InterneuronCircuit(initial_weights=W, dynamics=dynamics)
    run = an.simulate(circuit, StationaryEnvironment(C), 1, rng=0, record=RECORD)
    G = np.transpose(
        [naive.integrated_interneuron(W, x, STEP_SIZE, 2.0, STEPS)[0] for x in np.eye(3)]
    )
    np.testing.assert_allclose(run["response"][0, 0, 0], G, rtol=1e-12)
    assert run["whitening_error"][0, 0, 0].item() == pytest.approx(errors(G)[0], rel=1e-10)


def test_the_error_is_that_of_simulated_outputs():
    circuit = an.DirectCircuit(initial_weights=0.3, learning_rate=2e-3, dynamics=CUT_SHORT)
    environment = StationaryEnvironment(C)
    run = an.simulate(circuit, environment, 3000, rng=0, record_every=3000, record=RECORD)
    M = run["effective_weights"][0, 0, -1].values
    inputs = environment.sample(200_000, seed=1)
    y = np.zeros_like(inputs)
    for _ in range(STEPS):
        y += STEP_SIZE * (inputs - y @ M)
    excess = y.T @ y / len(y) - np.eye(3)
    # Entries of a covariance of 200,000 samples have standard errors of about 0.003.
    assert run["whitening_error"][0, 0, -1].item() == pytest.approx(
        np.abs(np.linalg.eigvalsh(excess)).max(), abs=0.02
    )


def test_outputs_that_converge_have_the_errors_of_the_fixed_point():
    environment = SwitchingEnvironment([np.eye(3), C], block_length=100)
    converged = an.IntegratedDynamics(step_size=0.1, tolerance=1e-11)
    exact, integrated = (
        an.simulate(
            an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01, dynamics=dynamics),
            environment,
            300,
            rng=0,
        )["whitening_error"]
        for dynamics in ("equilibrium", converged)
    )
    np.testing.assert_allclose(integrated, exact, rtol=0, atol=1e-8)
