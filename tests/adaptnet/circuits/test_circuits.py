"""Both circuits against their twins, their invariances, and the limits of the theory."""

import numpy as np
import pytest

import adaptnet as an
from environments import StationaryEnvironment
from tests import naive

ETA, GAMMA = 1e-3, 1e-3


def gaussian(rng, n, n_samples):
    return rng.multivariate_normal(np.zeros(n), naive.random_covariance(rng, n), size=n_samples)


def final_weights(circuit, inputs, **kwargs):
    run = an.simulate(circuit, inputs, record_every=len(inputs), **kwargs)
    return run["effective_weights"].isel(circuit=0, replicate=0, sample=-1).values


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize("n", [2, 5, 10, 33])
def test_direct_weights_equal_the_twins(n):
    rng = np.random.default_rng(n)
    inputs = gaussian(rng, n, 5000)
    start = naive.random_covariance(rng, n)
    ours = final_weights(
        an.DirectCircuit(initial_weights=start, learning_rate=ETA, learning_rate_decay=GAMMA),
        inputs,
    )
    # Rounding of 5,000 updates; the flow contracts, so errors do not pile up.
    assert relative(ours, naive.direct(start, inputs, ETA, GAMMA)[-1]) < 1e-11


@pytest.mark.parametrize("n", [2, 5, 10, 33])
@pytest.mark.parametrize("factor", [1, 2])
def test_interneuron_weights_equal_the_twins(n, factor):
    rng = np.random.default_rng(n)
    inputs = gaussian(rng, n, 5000)
    start = rng.normal(size=(n, factor * n)) + 3 * np.eye(n, factor * n)
    ours = final_weights(
        an.InterneuronCircuit(initial_weights=start, learning_rate=ETA, learning_rate_decay=GAMMA),
        inputs,
    )
    assert relative(ours, naive.interneuron(start, inputs, ETA, GAMMA)[-1]) < 1e-11


@pytest.mark.parametrize("circuit", [an.DirectCircuit, an.InterneuronCircuit])
def test_every_record_equals_the_twin_at_that_sample(circuit):
    inputs = gaussian(np.random.default_rng(0), 3, 50)
    run = an.simulate(circuit(initial_weights=2.0, learning_rate=0.01), inputs, record_every=7)
    twin = naive.direct if circuit is an.DirectCircuit else naive.interneuron
    start = 2.0 * np.eye(3) if circuit is an.DirectCircuit else np.sqrt(2.0) * np.eye(3)
    expected = np.concatenate([[2.0 * np.eye(3)], twin(start, inputs, 0.01)[6::7]])
    np.testing.assert_array_equal(run["sample"], np.arange(0, 51, 7))
    np.testing.assert_allclose(run["effective_weights"][0, 0], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("circuit", [an.DirectCircuit, an.InterneuronCircuit])
def test_tightly_integrated_dynamics_equal_the_fixed_point(circuit):
    inputs = gaussian(np.random.default_rng(1), 4, 100)
    fast = an.IntegratedDynamics(step_size=0.1, tolerance=1e-12, max_steps=100_000)
    settings = {"initial_weights": 3.0, "learning_rate": 0.005}
    exact = final_weights(circuit(**settings), inputs)
    # A residual of 1e-12 leaves errors of its size times the conditioning, a few units.
    assert relative(final_weights(circuit(dynamics=fast, **settings), inputs), exact) < 1e-10


def test_integrated_direct_activity_takes_the_steps_the_equation_says():
    rng = np.random.default_rng(2)
    M, x = naive.random_covariance(rng, 3, 5.0), rng.normal(size=(3, 3))
    fast = an.IntegratedDynamics(step_size=0.05, tolerance=1e-300, max_steps=12)
    circuit = an.DirectCircuit(initial_weights=M, learning_rate=0.01, dynamics=fast)
    run = an.simulate(circuit, x, 1, record=("effective_weights", "fast_steps"))
    y = naive.integrated_direct(M, x[0], 0.05, 12)
    expected = M + 0.01 * (np.outer(y, y) - np.eye(3))
    np.testing.assert_allclose(run["effective_weights"][0, 0, -1], expected, rtol=1e-14)
    assert run["fast_steps"].values.tolist() == [[[0, 12]]]


def test_integrated_interneuron_activity_takes_the_steps_the_equation_says():
    rng = np.random.default_rng(3)
    W, x = rng.normal(size=(3, 5)), rng.normal(size=(3, 3))
    fast = an.IntegratedDynamics(
        step_size=0.05, tolerance=1e-300, max_steps=12, interneuron_time_constant=2.0
    )
    circuit = an.InterneuronCircuit(initial_weights=W, learning_rate=0.01, dynamics=fast)
    run = an.simulate(circuit, x, 1, record=("effective_weights",))
    y, z = naive.integrated_interneuron(W, x[0], 0.05, 2.0, 12)
    after = W + 0.01 * (np.outer(y, z) - W)
    np.testing.assert_allclose(run["effective_weights"][0, 0, -1], after @ after.T, rtol=1e-13)


def test_fast_steps_are_the_most_since_the_previous_record():
    inputs = gaussian(np.random.default_rng(4), 3, 20)
    fast = an.IntegratedDynamics(step_size=0.1, tolerance=1e-3)
    circuit = an.DirectCircuit(initial_weights=2.0, learning_rate=0.01, dynamics=fast)
    each = an.simulate(circuit, inputs, record=("fast_steps",))["fast_steps"].values.ravel()
    decimated = an.simulate(circuit, inputs, record=("fast_steps",), record_every=5, block_size=3)
    assert decimated["fast_steps"].values.ravel()[1:].tolist() == (
        each[1:].reshape(4, 5).max(axis=1).tolist()
    )
    assert len(set(each[1:])) > 1


def test_outputs_do_not_depend_on_a_rotation_of_the_interneurons():
    rng = np.random.default_rng(5)
    inputs = gaussian(rng, 4, 500)
    W = rng.normal(size=(4, 6))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    one, other = (
        final_weights(an.InterneuronCircuit(initial_weights=w, learning_rate=ETA), inputs)
        for w in (W, W @ rotation)
    )
    assert relative(one, other) < 1e-12


def test_outputs_do_not_depend_on_the_number_of_interneurons():
    inputs = gaussian(np.random.default_rng(6), 4, 500)
    fewest, more = (
        final_weights(an.InterneuronCircuit(n_interneurons=k, initial_weights=2.0), inputs)
        for k in (4, 11)
    )
    assert relative(more, fewest) < 1e-12


def test_a_number_stands_for_a_multiple_of_the_identity():
    for circuit in (
        an.DirectCircuit(initial_weights=2.5),
        an.InterneuronCircuit(initial_weights=2.5),
        an.InterneuronCircuit(initial_weights=2.5, n_interneurons=7),
    ):
        weights = circuit.effective_weights(circuit.initial_state(5))
        np.testing.assert_allclose(weights, 2.5 * np.eye(5), atol=1e-15)


def test_every_interneuron_takes_part_from_the_start():
    for k in range(5, 14):
        circuit = an.InterneuronCircuit(n_interneurons=k, dynamics="cholesky")
        state = circuit.initial_state(5)
        assert (np.abs(state.synapses[:k]).max(axis=1) > 0.01).all()


@pytest.mark.parametrize("circuit", [an.DirectCircuit, an.InterneuronCircuit])
def test_a_vanishing_learning_rate_changes_nothing(circuit):
    inputs = gaussian(np.random.default_rng(7), 3, 200)
    weights = final_weights(circuit(initial_weights=2.0, learning_rate=1e-300), inputs)
    np.testing.assert_allclose(weights, 2.0 * np.eye(3), atol=1e-15)


@pytest.mark.parametrize(
    ("circuit", "floor"),
    [
        (an.DirectCircuit, lambda n, S: (n + 1) * np.trace(np.linalg.inv(S))),
        (
            an.InterneuronCircuit,
            lambda n, S: n**2 + 2 * n + np.trace(S) * np.trace(np.linalg.inv(S)),
        ),
    ],
)
def test_converged_outputs_are_white_to_the_noise_floor(circuit, floor):
    n, eta = 3, 2e-3
    C = naive.random_covariance(np.random.default_rng(8), n, 9.0)
    S = np.linalg.cholesky(C)  # only to get its symmetric root below
    values, vectors = np.linalg.eigh(C)
    S = (vectors * np.sqrt(values)) @ vectors.T
    run = an.simulate(
        circuit(initial_weights=2.0, learning_rate=eta),
        StationaryEnvironment(C),
        n_samples=40_000,
        n_replicates=16,
        rng=0,
        record_every=50,
    )
    steady = run["frobenius_error"].sel(sample=slice(10_000, None)) ** 2
    # 16 replicates of about 15 correlation times each know the mean to 2-3 %; terms of higher
    # order in eta add about 1 %.
    assert float(steady.mean()) == pytest.approx(eta * floor(n, S), rel=0.1)


def test_a_large_learning_rate_is_reported_with_its_sample():
    rng = np.random.default_rng(9)
    inputs = gaussian(rng, 3, 400)
    twin = naive.direct(np.eye(3), inputs, 0.6)
    indefinite = int(np.flatnonzero(np.linalg.eigvalsh(twin)[:, 0] <= 0)[0])
    with pytest.warns(an.DivergenceWarning, match=f"sample {indefinite + 1}: .*lower learning"):
        run = an.simulate(
            {"bad": an.DirectCircuit(learning_rate=0.6), "good": an.InterneuronCircuit()}, inputs
        )
    # The weights after sample `indefinite` are no longer usable for the one that follows.
    assert run["diverged_sample"].values.tolist() == [[indefinite + 1], [-1]]
    kept = run["effective_weights"].sel(circuit="bad")[0]
    np.testing.assert_allclose(kept[1 : indefinite + 2], twin[: indefinite + 1], rtol=1e-9)
    assert kept[indefinite + 2 :].isnull().all()
    assert run["effective_weights"].sel(circuit="good").notnull().all()


def test_unstable_euler_steps_are_reported():
    fast = an.IntegratedDynamics(step_size=2.0, tolerance=1e-6, max_steps=10_000)
    circuit = an.DirectCircuit(initial_weights=5.0, dynamics=fast)
    with pytest.warns(an.DivergenceWarning, match="lower the step_size"):
        run = an.simulate(circuit, np.ones((3, 2)))
    assert run["diverged_sample"].values.tolist() == [[0]]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: an.DirectCircuit(learning_rate=0.0), "learning_rate must be a finite positive"),
        (lambda: an.DirectCircuit(learning_rate=float("nan")), "learning_rate .* got nan"),
        (lambda: an.DirectCircuit(learning_rate_decay=-1), "learning_rate_decay .* non-negative"),
        (lambda: an.InterneuronCircuit(learning_rate=1.0), "learning_rate .* below 1"),
        (
            lambda: an.DirectCircuit(initial_weights=0.0),
            "initial_weights must be a finite positive",
        ),
        (lambda: an.DirectCircuit(initial_weights=[[1, 2], [0, 1]]), "must be symmetric"),
        (
            lambda: an.DirectCircuit(initial_weights=-np.eye(2)),
            "positive definite.*eigenvalue is -1",
        ),
        (lambda: an.DirectCircuit(initial_weights=np.ones((2, 3))), "must be square"),
        (lambda: an.DirectCircuit(initial_weights=[[1, np.nan], [np.nan, 1]]), "row 0, column 1"),
        (
            lambda: an.InterneuronCircuit(initial_weights=np.ones((3, 2))),
            "at least the number.*got 2",
        ),
        (
            lambda: an.InterneuronCircuit(initial_weights=np.ones((2, 3))),
            "full row rank.*got rank 1",
        ),
        (
            lambda: an.InterneuronCircuit(n_interneurons=4, initial_weights=np.eye(3)),
            "column for each of n_interneurons = 4",
        ),
        (lambda: an.InterneuronCircuit(n_interneurons=2).initial_state(3), "at least .* 3, got 2"),
        (lambda: an.DirectCircuit(initial_weights=np.eye(2)).initial_state(3), "must be 3 x 3"),
        (lambda: an.InterneuronCircuit(initial_weights=np.eye(2)).initial_state(3), "row for each"),
        (lambda: an.DirectCircuit(dynamics="euler"), "dynamics must be"),
        (lambda: an.IntegratedDynamics(step_size=-0.1), "step_size must be a finite positive"),
        (lambda: an.IntegratedDynamics(max_steps=0), "max_steps must be a whole number"),
    ],
)
def test_bad_parameters_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: an.DirectCircuit(learning_rate="fast"),
        lambda: an.DirectCircuit(learning_rate=True),
        lambda: an.DirectCircuit(initial_weights=[["a"]]),
        lambda: an.InterneuronCircuit(n_interneurons=2.5),
        lambda: an.IntegratedDynamics(max_steps=1.5),
    ],
)
def test_parameters_of_the_wrong_type_are_refused(build):
    with pytest.raises(TypeError, match="must be"):
        build()


def test_circuits_cannot_be_changed():
    weights = np.eye(2)
    circuit = an.DirectCircuit(initial_weights=weights)
    weights[0, 0] = 5.0
    assert circuit.initial_weights[0, 0] == 1.0
    with pytest.raises(AttributeError):
        circuit.learning_rate = 1.0
    with pytest.raises(ValueError, match="read-only"):
        circuit.initial_weights[0, 0] = 5.0
