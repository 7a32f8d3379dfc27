"""Leaky, decoupled and gain-modulating circuits: what they come to, and what they refuse."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.circuits import frames
from environments import StationaryEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from tests import naive

S = np.array([0.4, 0.8, 1.5, 3.0])
C = with_spectrum(S**2, random_eigenbasis(4, np.random.default_rng(0)))


def settled(circuit, covariance, eta_samples=40):
    """Return the output variances after offline learning to the fixed point."""
    n_samples = int(eta_samples / circuit.learning_rate)
    run = an.offline(
        circuit, covariance, n_samples, record_every=n_samples, record=["effective_weights"]
    )
    inverse = np.linalg.inv(run["effective_weights"][0, 0, -1].values)
    return np.linalg.eigvalsh(inverse @ covariance @ inverse.T)


@pytest.mark.parametrize(
    ("leak", "k", "expected"),
    [
        (0.5, 6, [0.64, 1, 1, 1]),
        (0.5, 2, [0.64, 1, 1, 2.56]),
        (1.0, 4, [0.16, 0.64, 1, 1]),
    ],
)
def test_a_leak_and_few_interneurons_whiten_in_part(leak, k, expected):
    circuit = an.LeakyInterneuronCircuit(leak=leak, n_interneurons=k, learning_rate=0.02)
    assert settled(circuit, C) == pytest.approx(expected, rel=1e-3)


def test_learning_from_samples_comes_to_partial_whitening():
    circuit = an.LeakyInterneuronCircuit(leak=0.5, n_interneurons=2, learning_rate=5e-4)
    run = an.simulate(
        circuit,
        StationaryEnvironment(C),
        60_000,
        rng=0,
        record_every=100,
        record=["effective_weights"],
    )
    A = run["effective_weights"][0, 0, -200:].values
    inverse = np.linalg.inv(A)
    variances = np.linalg.eigvalsh(inverse @ C @ inverse)
    # Noise of learning: rates of about 5 times 5e-4 leave a few percent, of which 200 records
    # average most.
    assert variances.mean(axis=0) == pytest.approx([0.64, 1, 1, 2.56], rel=0.05)


def test_the_difference_of_decoupled_synapses_fades_whatever_the_inputs():
    rng, eta = np.random.default_rng(1), 0.01
    outward, inward = np.eye(3, 5) + 0.1 * rng.normal(size=(2, 3, 5))
    circuit = an.DecoupledInterneuronCircuit(
        initial_outward_weights=outward,
        initial_inward_weights=inward.T,
        leak=0.3,
        learning_rate=eta,
    )
    inputs = rng.normal(size=(500, 3))
    run = an.simulate(
        circuit, inputs, record_every=50, record=["outward_synapses", "inward_synapses"]
    )
    W_yz, W_zy = run["outward_synapses"][0, 0].values, run["inward_synapses"][0, 0].values
    difference = W_yz - np.swapaxes(W_zy, 1, 2)
    expected = (1 - eta) ** run["sample"].values[:, None, None] * (outward - inward)
    np.testing.assert_allclose(difference, expected, rtol=0, atol=1e-12)


def test_decoupled_synapses_that_lose_stability_are_reported():
    # A = -I at the start: its eigenvalues have negative real parts.
    circuit = an.DecoupledInterneuronCircuit(
        initial_outward_weights=1.0, initial_inward_weights=-np.eye(2)
    )
    with pytest.warns(an.DivergenceWarning, match=r"sample 0: the fast dynamics lost their stab"):
        run = an.simulate(circuit, np.ones((5, 2)), record=["effective_weights"])
    assert run["diverged_sample"].item() == 0


def test_decoupled_synapses_lose_stability_at_the_sample_at_which_an_eigenvalue_does():
    rng = np.random.default_rng(126)
    outward, inward = rng.normal(size=(2, 2, 2))
    inputs = rng.normal(size=(100, 2))
    circuit = an.DecoupledInterneuronCircuit(
        initial_outward_weights=outward,
        initial_inward_weights=inward,
        leak=0.3,
        learning_rate=0.1,
    )
    with pytest.warns(an.DivergenceWarning, match="sample 2: the fast dynamics lost their stab"):
        run = an.simulate(circuit, inputs, record=["effective_weights"])
    assert run["diverged_sample"].item() == 2
    twin = naive.decoupled(outward, inward, inputs[:2], 0.1, alpha=0.3)
    real = np.linalg.eigvals(twin).real.min(axis=1)
    assert real[0] > 0 > real[1]


def test_a_rotating_but_stable_circuit_goes_on():
    # Eigenvalues 0.1 +- 2i settle, though the symmetric part is that of 0.1 I and barely positive.
    turning = np.array([[0.1, 2.0], [-2.0, 0.1]])
    uneven = np.array([[1.0, 4.0], [-0.5, 0.2]])  # symmetric part indefinite, eigenvalues stable
    assert np.linalg.eigvalsh((uneven + uneven.T) / 2)[0] < 0 < np.linalg.eigvals(uneven).real.min()
    for A in (turning, uneven):
        circuit = an.DecoupledInterneuronCircuit(
            initial_outward_weights=A, initial_inward_weights=np.eye(2), learning_rate=1e-3
        )
        run = an.simulate(circuit, 0.1 * np.ones((3, 2)), record=["outputs"])
        np.testing.assert_allclose(
            run["outputs"][0, 0, 0], np.linalg.solve(A, [0.1, 0.1]), rtol=1e-12
        )


@pytest.mark.parametrize("frame", [frames.equiangular(3), frames.random(3, 8)])
def test_gains_of_a_spanning_frame_whiten(frame):
    covariance = with_spectrum([0.5, 1.0, 2.0], random_eigenbasis(3, np.random.default_rng(3)))
    circuit = an.GainCircuit(frame=frame, learning_rate=0.05, leak=0.1)
    slowest = an.theory.law_of(circuit).local_rates(covariance)
    slowest = slowest[slowest > 1e-9].min()
    assert settled(circuit, covariance, 25 / slowest) == pytest.approx([1, 1, 1], abs=1e-5)


def test_a_frame_that_cannot_whiten_says_what_it_can_do():
    with pytest.warns(an.PartialWhiteningWarning, match=r"rank 3 of 6.*along each of the 3 col"):
        an.GainCircuit(frame=np.eye(3))


def test_gains_that_make_the_weights_indefinite_are_reported_with_their_sample():
    circuit = an.GainCircuit(frame=frames.mercedes_benz(), learning_rate=0.3)
    inputs = np.zeros((10, 2))  # without activity, gains fall by 0.3 per sample from 1
    with pytest.warns(an.DivergenceWarning, match=r"sample 4: the gains made.*raise leak, or keep"):
        an.simulate(circuit, inputs, record=["gains"])
    clipped = an.GainCircuit(frame=frames.mercedes_benz(), learning_rate=0.3, clip=True, leak=0.1)
    run = an.simulate(clipped, inputs, record=["gains"])
    np.testing.assert_allclose(run["gains"][0, 0, :, 0], np.maximum(1 - 0.3 * np.arange(11), 0))


def test_what_is_recorded_of_circuits_of_different_sizes_stands_side_by_side():
    circuits = {
        "few": an.GainCircuit(frame=frames.mercedes_benz()),
        "many": an.GainCircuit(frame=frames.random(2, 5)),
    }
    run = an.simulate(circuits, np.ones((4, 2)), record=["gains", "interneuron_activity"])
    assert run.sizes["interneuron"] == 5
    assert run["gains"].sel(circuit="few").isnull().sum("interneuron").values.tolist() == [[2] * 5]
    assert run["interneuron_activity"].sel(circuit="many")[0, :-1].notnull().all()


def test_two_timescales_without_plastic_synapses_are_the_gain_circuit():
    settings = {"frame": frames.equiangular(3), "learning_rate": 0.01, "leak": 0.2}
    inputs = np.random.default_rng(5).normal(size=(200, 3))
    one, other = (
        an.simulate(circuit, inputs, record=["effective_weights"])["effective_weights"].values
        for circuit in (
            an.GainCircuit(**settings),
            an.GainPlasticCircuit(**settings, synaptic_rate=0.0),
        )
    )
    # The same equations, summed in another order.
    np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_record_where_gains_restart_is_of_the_gains_that_the_next_sample_meets(batch_size):
    circuit = an.GainPlasticCircuit(
        frame=frames.equiangular(3),
        learning_rate=0.05,
        synaptic_rate=0.01,
        restart_every=10,
        batch_size=batch_size,
    )
    inputs = np.random.default_rng(0).normal(size=(35, 3))
    run = an.simulate(circuit, inputs, record=["gains", "synapses", "outputs"])
    gains, W = run["gains"].values[0, 0], run["synapses"].values[0, 0]
    restarted = np.isin(np.arange(36), [0, 10, 20, 30])
    assert (gains[restarted] == 1).all()
    assert (gains[6:10] != 1).all()
    for s in (10, 20):
        y = np.linalg.solve(W[s] @ W[s].T, inputs[s])
        np.testing.assert_allclose(run["outputs"].values[0, 0, s], y, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: an.LeakyInterneuronCircuit(leak=-1.0), "leak must be a finite non-negative"),
        (lambda: an.GainCircuit(frame=[[1.0, 0.0], [0.0, 0.0]]), "column 1 is zero"),
        (lambda: an.GainCircuit(frame=[[1.0], [0.0]]), "smallest eigenvalue is 0.*raise leak"),
        (
            lambda: an.GainCircuit(frame=frames.mercedes_benz(), initial_gains=[1.0, 2.0]),
            "one per column of the frame, 3, got shape",
        ),
        (
            lambda: an.GainCircuit(frame=frames.mercedes_benz(), initial_gains=-1.0, clip=True),
            "must not be negative if gains are clipped",
        ),
        (lambda: frames.equiangular(4), "must be 2, 3 or 7"),
        (lambda: frames.random_tight(4, 3), "at least n_neurons, 4"),
        (lambda: frames.convolutional((3, 3), (4, 1)), "window must fit into the image"),
    ],
)
def test_bad_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_too_few_interneurons_without_leak_are_refused_with_the_remedy():
    for kind in (an.LeakyInterneuronCircuit, an.DecoupledInterneuronCircuit):
        with pytest.raises(ValueError, match="raise leak"):
            an.simulate(kind(leak=0.0, n_interneurons=2), np.ones((5, 3)))
    with pytest.raises(ValueError, match="a LeakyInterneuronCircuit with a leak takes any number"):
        an.simulate(an.InterneuronCircuit(n_interneurons=2), np.ones((5, 3)))


@pytest.mark.parametrize("frame", [frames.equiangular(n) for n in (2, 3, 7)])
def test_equiangular_frames_are_tight_and_at_the_welch_bound(frame):
    n, k = frame.shape
    gram = np.abs(frame.T @ frame) + np.eye(k)
    np.testing.assert_allclose(gram[~np.eye(k, dtype=bool)], np.sqrt((k - n) / n / (k - 1)))
    np.testing.assert_allclose(frame @ frame.T, k / n * np.eye(n), atol=1e-12)
    assert frames.rank(frame) == n * (n + 1) // 2


def test_a_random_tight_frame_is_tight_and_of_unit_columns():
    frame = frames.random_tight(4, 11)
    np.testing.assert_allclose(np.linalg.norm(frame, axis=0), 1, rtol=1e-14)
    np.testing.assert_allclose(frame @ frame.T, 11 / 4 * np.eye(4), atol=1e-11)


def test_a_convolutional_frame_whitens_if_its_window_is_the_image():
    assert frames.rank(frames.convolutional((2, 3), (2, 3))) == 21
    assert frames.rank(frames.convolutional((2, 3), (2, 2))) < 21
