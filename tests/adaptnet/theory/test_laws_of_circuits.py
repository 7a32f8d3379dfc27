"""Every circuit that has a law, against it: one sample's update, the flow, and simulated floors."""

import dataclasses

import numpy as np
import pytest

import adaptnet as an
from adaptnet import theory
from adaptnet.circuits import frames
from environments import StationaryEnvironment, SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from tests.adaptnet.circuits import catalogue

pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.PartialWhiteningWarning")

COVERED = {
    name: circuit for name, circuit in catalogue.examples().items() if circuit.theory is not None
}
C = with_spectrum([0.3, 1.0, 2.5], random_eigenbasis(3, np.random.default_rng(5)))


def followed(circuit):
    """Return the circuit without what flows leave out: restarts, clipped gains, batches."""
    left_out = {"restart_every": None, "clip": False, "batch_size": 1}
    present = {name: value for name, value in left_out.items() if hasattr(circuit, name)}
    return dataclasses.replace(circuit, **present)


def with_rate(circuit, rate):
    """Return the circuit at another constant learning rate, all else in proportion."""
    others = {}
    if hasattr(circuit, "synaptic_rate"):
        others["synaptic_rate"] = circuit.synaptic_rate * rate / circuit.learning_rate
    return dataclasses.replace(circuit, learning_rate=rate, learning_rate_decay=0.0, **others)


@pytest.mark.parametrize("circuit", COVERED.values(), ids=COVERED)
def test_a_law_is_the_rule_of_its_circuit(circuit):
    circuit = followed(circuit)
    x = np.tile([0.8, -1.1, 0.4], (3, 1))  # of which one is used
    law = theory.law_of(circuit)
    start = law.start(circuit, 3)
    before = law.effective_weights(start)
    np.testing.assert_allclose(
        before, circuit.effective_weights(circuit.initial_state(3)), atol=1e-12
    )
    y = np.linalg.solve(before, x[0])
    errors = []
    for rate in (1e-3, 5e-4):
        run = an.simulate(with_rate(circuit, rate), x, 1, record=["effective_weights"])
        after = law.effective_weights(start + rate * law.change(start, np.outer(y, y)))
        errors.append(np.abs(run["effective_weights"].values[0, 0, -1] - after).max())
    # Equal but for terms of the second order in the rate, which has been halved.
    assert errors[0] < 2e-3
    assert errors[1] < 0.3 * errors[0] + 1e-13


@pytest.mark.parametrize("circuit", COVERED.values(), ids=COVERED)
def test_offline_learning_approaches_the_flow(circuit):
    circuit, gaps = followed(circuit), []
    for rate in (1e-2, 5e-3):
        n_samples = round(1 / rate)
        options = {"record_every": n_samples // 10, "record": ["effective_weights"]}
        flow, offline = (
            follow(with_rate(circuit, rate), C, n_samples, **options)["effective_weights"].values
            for follow in (an.flow, an.offline)
        )
        gaps.append(np.abs(flow - offline).max())
    assert gaps[1] / gaps[0] == pytest.approx(0.5, abs=0.05)
    assert gaps[1] < 0.05


def test_flows_do_not_restart_gains():
    circuit = COVERED["GainPlasticCircuit-1"]
    with pytest.raises(ValueError, match="restart_every must be None to follow the flow"):
        an.flow(circuit, C, 10)


FURTHER = {
    "leaky": an.LeakyInterneuronCircuit(leak=0.2, n_interneurons=3, learning_rate=1e-3),
    "partial": an.LeakyInterneuronCircuit(leak=0.7, n_interneurons=3, learning_rate=1e-3),
    "decoupled": an.DecoupledInterneuronCircuit(learning_rate=1e-3),
    "gain": an.GainCircuit(frame=frames.equiangular(3), learning_rate=1e-3),
}


@pytest.mark.parametrize("name", FURTHER)
def test_stated_floors_are_those_of_simulated_runs(name):
    environment = StationaryEnvironment(C)
    circuit = FURTHER[name]
    run = an.simulate(circuit, environment, 60_000, n_replicates=6, rng=0, record_every=20)
    settled = run.sel(sample=slice(10_000, None))
    stated = theory.noise_floor(circuit, C)
    for variable in stated._fields:
        found = float(np.sqrt((settled[variable] ** 2).mean()))
        assert found == pytest.approx(getattr(stated, variable), rel=0.1)


def test_clipped_gains_come_to_rest_at_zero():
    W = frames.equiangular(3)
    law = theory.law_of(an.GainCircuit(frame=W, leak=0.9, clip=True))
    gains = law.fixed_point(C)
    assert gains.min() == 0 < gains.max()
    np.testing.assert_allclose(law.drift(gains, C), 0, atol=1e-10)
    inverse = np.linalg.inv(law.effective_weights(gains))
    seen = np.einsum("ik,ij,jk->k", W, inverse @ C @ inverse, W)
    np.testing.assert_allclose(seen[gains > 0], 1, atol=1e-10)
    assert (seen[gains == 0] <= 1 + 1e-10).all()  # they would rather be negative
    linear = law.linearisation(C)
    assert len(linear.rates) == (gains > 0).sum()
    assert linear.rates.min() > 0
    unclipped = theory.law_of(an.GainCircuit(frame=W, leak=0.9))
    assert unclipped.fixed_point(C).min() < 0
    circuit = an.GainCircuit(frame=W, leak=0.9, clip=True, learning_rate=0.05)
    run = an.offline(circuit, C, 4000, record_every=4000, record=["effective_weights"])
    np.testing.assert_allclose(
        run["effective_weights"].values[0, 0, -1], law.effective_weights(gains), atol=1e-6
    )
    flow = an.flow(circuit, C, 4000, record_every=4000, record=["effective_weights"])
    np.testing.assert_allclose(
        flow["effective_weights"].values[0, 0, -1], law.effective_weights(gains), atol=1e-8
    )


@pytest.mark.parametrize("kind", [an.GainCircuit, an.GainPlasticCircuit])
def test_flows_of_clipped_gains_are_the_limit_of_offline_learning(kind):
    """Gains fall to 0 in one context, are held there, and rise again in the next."""
    contexts = [with_spectrum([0.1, 0.5, 6.0], random_eigenbasis(3, np.random.default_rng(s)))
                for s in (1, 2, 3)]  # fmt: skip
    gaps = []
    for rate in (4e-3, 2e-3):
        n_samples = round(3 / rate)
        environment = SwitchingEnvironment(contexts, block_length=n_samples)
        slow = {"synaptic_rate": rate / 4} if kind is an.GainPlasticCircuit else {}
        circuit = kind(
            frame=frames.random_tight(3), leak=0.4, clip=True, learning_rate=rate, **slow
        )
        options = {"record_every": n_samples // 50, "record": ["effective_weights"], "rng": 0}
        flow, offline = (
            follow(circuit, environment, 3 * n_samples, **options)["effective_weights"].values
            for follow in (an.flow, an.offline)
        )
        gaps.append(np.abs(flow - offline).max())
    assert gaps[1] < 0.05
    assert gaps[1] / gaps[0] == pytest.approx(0.5, abs=0.1)
