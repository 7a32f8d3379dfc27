"""Laws of leaky, decoupled and gain-modulating circuits: fixed points, rates, floors, flows.

Rules are written here in plain NumPy from their equations and simulated for the floors.
"""

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

import adaptnet as an
from adaptnet import theory
from adaptnet.theory.laws.decoupled import DecoupledInterneuronLaw
from adaptnet.theory.laws.gain import GainLaw
from adaptnet.theory.laws.leaky import LeakyInterneuronLaw
from adaptnet.theory.laws.two_timescales import TwoTimescalesLaw
from adaptnet.theory.noise import floor_of_law
from environments.covariances import random_eigenbasis, with_spectrum

S = np.array([0.4, 0.8, 1.5, 3.0])
ANGLES = np.pi / 2 + 2 * np.pi / 3 * np.arange(3)
MERCEDES_BENZ = np.array([np.cos(ANGLES), np.sin(ANGLES)])


def frame(n, k, seed=0):
    columns = np.random.default_rng(seed).normal(size=(n, k))
    return columns / np.linalg.norm(columns, axis=0)


def rotated(s, seed=0):
    return with_spectrum(np.square(s), random_eigenbasis(len(s), np.random.default_rng(seed)))


def output_variances(law, C):
    inverse = np.linalg.inv(law.effective_weights(law.fixed_point(C)))
    return np.linalg.eigvalsh(inverse @ C @ inverse.T)


@pytest.mark.parametrize(
    ("leak", "k", "expected"),
    [
        (0.5, 6, [0.64, 1, 1, 1]),
        (0.5, 2, [0.64, 1, 1, 2.56]),
        (1.0, 4, [0.16, 0.64, 1, 1]),
        (0.0, 4, [1, 1, 1, 1]),
    ],
)
def test_a_leak_and_few_interneurons_leave_outputs_partly_white(leak, k, expected):
    law, C = LeakyInterneuronLaw(leak, k), rotated(S)
    np.testing.assert_allclose(output_variances(law, C), expected, rtol=1e-12)
    np.testing.assert_allclose(law.drift(law.fixed_point(C), C), 0, atol=1e-13)
    assert law.local_rates(C).min() >= 0  # nothing grows: the fixed point is the stable one
    white = np.array(expected) - 1
    target = theory.target_error(law, C)
    assert target.whitening_error == pytest.approx(np.abs(white).max(), abs=1e-12)
    assert target.frobenius_error == pytest.approx(np.linalg.norm(white), abs=1e-12)


def test_a_partial_fixed_point_that_leaves_out_a_larger_direction_is_not_stable():
    class Worse(LeakyInterneuronLaw):
        def fixed_point(self, covariance):
            return np.sqrt(np.diag(np.array([0, 0.3, 1.0, 0])))[:, 1:3]

    law = Worse(0.5, 2)
    np.testing.assert_allclose(law.drift(law.fixed_point(None), np.diag(S**2)), 0, atol=1e-13)
    # The synapses of the direction left out, of output variance (3 / 0.5)^2 = 36, onto an
    # interneuron of direction s_j grow at 36 - 1 - (s_j - alpha) (1 / alpha + 36 / s_j).
    fastest = 35 - (0.8 - 0.5) * (1 / 0.5 + 36 / 0.8)
    assert law.local_rates(np.diag(S**2)).min() == pytest.approx(-fastest)


@pytest.mark.parametrize("law", [LeakyInterneuronLaw(0.0, 4), DecoupledInterneuronLaw(4)])
def test_without_leak_floors_and_rates_are_those_of_interneurons(law):
    C = rotated(S)
    expected = theory.noise_floor("interneuron", C, 1e-3)
    floor = floor_of_law(law, C, 1e-3)
    assert floor.frobenius_error == pytest.approx(expected.frobenius_error, rel=1e-8)
    # Draws of two kinds, of 1 % each.
    assert floor.whitening_error == pytest.approx(expected.whitening_error, rel=0.03)
    rates = theory.law_of("interneuron").local_rates(C)[np.triu_indices(4)]
    slow = law.local_rates(C)
    slow = slow[slow > 1.5]
    np.testing.assert_allclose(slow, np.sort(rates), rtol=1e-8)


def test_decoupled_synapses_draw_together_at_rate_one():
    law, rng = DecoupledInterneuronLaw(3), np.random.default_rng(0)
    state, moments = rng.normal(size=(2, 3, 5)), np.eye(3) + 0.1
    change = law.change(state, moments)
    np.testing.assert_allclose(change[0] - change[1], -(state[0] - state[1]), atol=1e-15)
    rates = law.local_rates(rotated(S[:3]))
    assert np.isclose(rates, 1).sum() == 9


@pytest.mark.parametrize("leak", [0.0, 0.3])
@pytest.mark.parametrize(("n", "k"), [(2, 3), (4, 10), (4, 14)])
def test_gains_at_rest_are_the_closed_form_and_whiten(n, k, leak):
    law, C = GainLaw(frame(n, k), leak), rotated(S[:n])
    assert law.whitens
    gains = law.fixed_point(C)
    values, vectors = np.linalg.eigh(C)
    root = (vectors * np.sqrt(values)) @ vectors.T
    np.testing.assert_allclose(law.effective_weights(gains), root, atol=1e-11)
    np.testing.assert_allclose(law.drift(gains, C), 0, atol=1e-11)


def test_frames_that_cannot_whiten_equalise_their_own_directions():
    law, C = GainLaw(frame(4, 6), 0.1), rotated(S)
    assert not law.whitens
    inverse = np.linalg.inv(law.effective_weights(law.fixed_point(C)))
    along = np.einsum("ik,ij,jk->k", law.frame, inverse @ C @ inverse, law.frame)
    np.testing.assert_allclose(along, 1, atol=1e-11)
    assert theory.target_error(law, C).whitening_error > 0.1


@pytest.mark.parametrize("frame", [MERCEDES_BENZ, frame(4, 10)])
def test_rates_and_floor_of_gains_are_the_closed_forms(frame):
    n, k = frame.shape
    C, law = rotated(S[:n]), GainLaw(frame)
    values, vectors = np.linalg.eigh(C)
    L = (vectors / np.sqrt(values)) @ vectors.T
    H = 2 * (frame.T @ L @ frame) * (frame.T @ frame)
    linear = law.linearisation(C)
    np.testing.assert_allclose(linear.decay, H, atol=1e-9 * np.abs(H).max())
    eta = 1e-3
    V = solve_continuous_lyapunov(H, 2 * eta * law.gram)
    B = [-(L @ np.outer(w, w) + np.outer(w, w) @ L) for w in frame.T]
    expected = sum(V[i, j] * (B[i] * B[j]).sum() for i in range(k) for j in range(k))
    assert floor_of_law(law, C, eta).frobenius_error ** 2 == pytest.approx(expected, rel=1e-8)


def simulated_floor(law, C, eta, rule, relaxations, n_replicates=100):
    """Return mean squares of both errors of many replicates side by side, from the fixed point."""
    rng = np.random.default_rng(0)
    factor, n = np.linalg.cholesky(C), len(C)
    state = np.array([law.fixed_point(C)] * n_replicates)
    rates = law.local_rates(C)
    relaxation = 1 / (eta * rates[rates > 1e-6].min())
    squares = []
    for step in range(int((3 + relaxations) * relaxation)):
        x = rng.standard_normal((n_replicates, n)) @ factor.T
        A = np.array([law.effective_weights(one) for one in state]) if step % 50 == 0 else None
        if A is not None and step > 3 * relaxation:
            inverse = np.linalg.inv(A)
            E = inverse @ C @ np.swapaxes(inverse, 1, 2) - np.eye(n)
            squares.append([np.linalg.norm(E, 2, (1, 2)) ** 2, (E**2).sum((1, 2))])
        state = rule(state, x, eta)
    return np.mean(squares, axis=(0, 2))


def leaky_rule(leak):
    def rule(W, x, eta):
        A = W @ np.swapaxes(W, 1, 2) + leak * np.eye(x.shape[1])
        y = np.linalg.solve(A, x[:, :, None])
        return W + eta * (y @ (np.swapaxes(y, 1, 2) @ W) - W)

    return rule


def gain_rule(frame):
    def rule(g, x, eta):
        A = np.einsum("ik,rk,jk->rij", frame, g, frame)
        z = np.linalg.solve(A, x[:, :, None])[:, :, 0] @ frame
        return g + eta * (z * z - 1)

    return rule


# Mean squares of a hundred replicates over 10 relaxation times have a standard error of 3 % or so.
@pytest.mark.parametrize(
    ("law", "rule"),
    [
        (LeakyInterneuronLaw(0.2, 2), leaky_rule(0.2)),
        (GainLaw(MERCEDES_BENZ), gain_rule(MERCEDES_BENZ)),
    ],
    ids=["leaky", "gain"],
)
def test_floors_of_further_laws_are_those_of_simulations(law, rule):
    C, eta = rotated([0.7, 1.2]), 2e-3
    stated = floor_of_law(law, C, eta)
    found = np.sqrt(simulated_floor(law, C, eta, rule, relaxations=10))
    assert found == pytest.approx(np.array(stated), rel=0.1)


def test_a_partial_floor_is_what_the_fixed_point_leaves_and_the_noise_about_it():
    law, C, eta = LeakyInterneuronLaw(0.5, 3), rotated([0.4, 0.8, 1.5]), 1e-3
    stated, target = floor_of_law(law, C, eta), theory.target_error(law, C)
    assert stated.frobenius_error > target.frobenius_error
    found = np.sqrt(simulated_floor(law, C, eta, leaky_rule(0.5), relaxations=3))
    assert found == pytest.approx(np.array(stated), rel=0.1)


def test_two_timescales_with_slow_synapses_are_gains():
    W, C = frame(3, 6), rotated(S[:3])
    law = TwoTimescalesLaw(np.vstack([np.ones(6), W]), ratio=0.0)
    gains = GainLaw(W)
    state = law.fixed_point(C)
    np.testing.assert_allclose(state[0], gains.fixed_point(C), atol=1e-12)
    np.testing.assert_allclose(law.drift(state, C), 0, atol=1e-10)
    np.testing.assert_allclose(
        law.drift(np.vstack([np.ones(6), W]), C)[0], gains.drift(np.ones(6), C), atol=1e-13
    )
    rates = law.local_rates(C)
    np.testing.assert_allclose(rates[rates > 0], gains.local_rates(C), rtol=1e-6)


def test_gains_fixed_at_one_make_two_timescales_the_interneuron_rule():
    rng = np.random.default_rng(1)
    W, C = rng.normal(size=(3, 4)), rotated(S[:3])
    law = TwoTimescalesLaw(np.vstack([np.ones(4), W]), ratio=1.0)
    leaky = LeakyInterneuronLaw(0.0, 4)
    np.testing.assert_allclose(
        law.drift(np.vstack([np.ones(4), W]), C)[1:], leaky.drift(W, C), rtol=1e-12
    )


@pytest.fixture
def leaky_circuit(monkeypatch):
    monkeypatch.setattr(an.InterneuronCircuit, "theory", "leaky_interneuron")
    monkeypatch.setattr(an.InterneuronCircuit, "leak", 0.5, raising=False)
    return an.InterneuronCircuit(n_interneurons=4)


@pytest.mark.parametrize("variable", theory.NoiseFloor._fields)
def test_floors_of_partial_whitening_are_matched_above_what_is_left(leaky_circuit, variable):
    C, circuits = rotated([0.4, 0.8, 1.5]), {"leaky": leaky_circuit}
    rest = getattr(theory.target_error(leaky_circuit, C), variable)
    assert rest == pytest.approx(0.36)
    rates = theory.matched_learning_rates(C, 0.4, circuits=circuits, variable=variable)
    floor = theory.noise_floor(leaky_circuit, C, rates["leaky"])
    assert getattr(floor, variable) == pytest.approx(0.4, rel=1e-9)
    with pytest.raises(ValueError, match=r"floor must be above 0\.36"):
        theory.matched_learning_rates(C, 0.3, circuits=circuits, variable=variable)


def test_a_circuit_with_parameters_brings_them_to_its_law(leaky_circuit):
    law = theory.law_of(leaky_circuit)
    assert (law.leak, law.n_interneurons) == (0.5, 4)
    with pytest.raises(ValueError, match="this law has parameters: pass the circuit itself"):
        theory.law_of("leaky_interneuron")
    np.testing.assert_allclose(
        law.effective_weights(law.start(leaky_circuit, 3)), np.eye(3), atol=1e-12
    )
