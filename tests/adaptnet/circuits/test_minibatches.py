"""Learning from batches: what a mean of updates is, and how fast and noisy it is."""

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet import theory
from adaptnet.circuits import frames
from environments import StationaryEnvironment
from tests.adaptnet.circuits.catalogue import default, kinds

BATCH = 6
CIRCUITS = [name for name, kind in kinds().items() if getattr(kind, "takes_batches", False)]
INPUTS = np.random.default_rng(0).normal(size=(BATCH, 3)) @ np.diag([1.0, 2.0, 0.5])


def test_all_circuits_that_learn_take_batches():
    assert set(CIRCUITS) == {
        name for name, kind in kinds().items() if hasattr(kind, "takes_batches")
    }


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_batch_is_a_step_of_offline_learning_from_its_own_covariance(name):
    circuit = default(name, 3, batch_size=BATCH, learning_rate=0.05)
    record = {"record": ["effective_weights"], "record_every": BATCH}
    ours = an.simulate(circuit, np.tile(INPUTS, (20, 1)), **record)
    covariance = INPUTS.T @ INPUTS / BATCH
    offline = an.offline(circuit, covariance, 20 * BATCH, **record)
    # Rounding of 20 updates.
    np.testing.assert_allclose(
        ours["effective_weights"], offline["effective_weights"], rtol=0, atol=1e-12
    )
    between = an.simulate(circuit, INPUTS, record=["effective_weights"])["effective_weights"][0, 0]
    assert (between[:BATCH] == between[0]).all()
    assert (between[BATCH] != between[0]).any()


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_difference_of_decoupled_synapses_fades_batch_by_batch(batch_size):
    rng, eta = np.random.default_rng(1), 0.01
    outward, inward = np.eye(3, 5) + 0.1 * rng.normal(size=(2, 3, 5))
    circuit = an.DecoupledInterneuronCircuit(
        initial_outward_weights=outward,
        initial_inward_weights=inward.T,
        leak=0.3,
        learning_rate=eta,
        batch_size=batch_size,
    )
    run = an.simulate(
        circuit,
        rng.normal(size=(501, 3)),
        record_every=50,
        record=["outward_synapses", "inward_synapses"],
    )
    W_yz, W_zy = run["outward_synapses"][0, 0].values, run["inward_synapses"][0, 0].values
    n_updates = run["sample"].values[:, None, None] // batch_size
    expected = (1 - eta) ** n_updates * (outward - inward)
    np.testing.assert_allclose(W_yz - np.swapaxes(W_zy, 1, 2), expected, rtol=0, atol=1e-12)


def test_the_noise_floor_is_that_of_a_rate_shared_out_over_the_batch():
    C = np.diag([0.5, 1.0, 2.0])
    circuits = {
        "direct": an.DirectCircuit(initial_weights=np.sqrt(C), learning_rate=0.01, batch_size=8),
        "interneuron": an.InterneuronCircuit(
            initial_effective_weights=np.sqrt(C), learning_rate=0.01, batch_size=8
        ),
        "gain": an.GainCircuit(frame=frames.equiangular(3), learning_rate=0.005, batch_size=8),
    }
    run = an.simulate(
        circuits, StationaryEnvironment(C), 40_000, n_replicates=8, rng=0, record_every=40
    )
    settled = run["frobenius_error"].isel(sample=slice(300, None))
    for name, circuit in circuits.items():
        floor = theory.noise_floor(circuit, C)
        measured = float(np.sqrt((settled.sel(circuit=name) ** 2).mean()))
        # 8 x 700 records, of which some hundred are independent, and terms of the next order.
        assert measured == pytest.approx(floor.frobenius_error, rel=0.06)


def test_flows_and_synaptic_times_go_at_the_pace_of_a_batch():
    many = an.DirectCircuit(initial_weights=3.0, learning_rate=0.08, batch_size=8)
    one = an.DirectCircuit(initial_weights=3.0, learning_rate=0.01)
    by_batch, by_sample = (an.flow(c, np.eye(2), 200, record_every=20) for c in (many, one))
    np.testing.assert_allclose(by_batch["whitening_error"], by_sample["whitening_error"])
    np.testing.assert_allclose(by_batch["synaptic_time"], by_sample["synaptic_time"])


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_batch_goes_on_in_a_longer_run_and_begins_anew_in_another(name):
    circuit = default(name, 3, batch_size=BATCH, learning_rate=0.02)
    environment = StationaryEnvironment(np.eye(3))
    record = {"record": ["effective_weights"], "rng": 3}
    short, long = (an.simulate(circuit, environment, n, **record) for n in (20, 50))
    longer = an.extend(short, environment, 30)
    xr.testing.assert_identical(longer.drop_attrs(deep=False), long.drop_attrs(deep=False))
    again = an.simulate(circuit, environment, BATCH, start=short, **record)
    weights = again["effective_weights"][0, 0]
    assert (weights[BATCH - 1] == weights[0]).all()
    assert (weights[BATCH] != weights[0]).any()


def test_what_cannot_be_done_in_batches_is_refused():
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
        an.DirectCircuit(batch_size=0)
    with pytest.raises(ValueError, match="restart_every must be a multiple of batch_size, 4"):
        an.GainPlasticCircuit(frame=frames.equiangular(3), restart_every=6, batch_size=4)
    with pytest.raises(ValueError, match="batch_size must be 1 for a RuleCircuit"):
        an.RuleCircuit(step=len, weights=len, state=len, batch_size=2)
