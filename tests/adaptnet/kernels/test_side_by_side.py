"""Replicates that kernels advance together: each is what it would be alone."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.kernels.status import Outcome, Status

KINDS = [an.DirectCircuit, an.InterneuronCircuit]
LENGTH, EVERY = 60, 4


def advanced(circuit, inputs, sizes=(LENGTH,)):
    """Return records (replicate, record, n, n) and how the last block of `sizes` ended."""
    n_replicates, _, n = inputs.shape
    states = [circuit.initial_state(n) for _ in range(n_replicates)]
    recorded, start = [], 0
    for size in sizes:
        marks = (np.arange(start, start + size) + 1) % EVERY == 0
        weights = np.zeros((n_replicates, marks.sum(), n, n))
        block = np.ascontiguousarray(inputs[:, start : start + size])
        outcomes = circuit.advance(states, block, start, marks, {"effective_weights": weights})
        recorded.append(weights)
        start += size
    return np.concatenate(recorded, axis=1), outcomes


def inputs_of(n_replicates, n, seed=0):
    return np.random.default_rng(seed).normal(size=(n_replicates, LENGTH, n))


@pytest.mark.parametrize(
    ("kind", "n"),
    [(kind, n) for kind in KINDS for n in (1, 2, kind.few_neurons)],
)
def test_each_replicate_is_bit_for_bit_what_it_is_alone(kind, n):
    circuit, inputs = kind(initial_weights=2.0, learning_rate=0.02), inputs_of(6, n)
    assert circuit.group_size(n) > 1
    together, outcomes = advanced(circuit, inputs)
    assert outcomes == [Outcome(0, LENGTH)] * 6
    for r in range(6):
        alone, _ = advanced(circuit, inputs[r : r + 1], (1, 2, 30, 7, 20))
        np.testing.assert_array_equal(together[r], alone[0])


@pytest.mark.parametrize("kind", KINDS)
def test_more_neurons_go_one_replicate_after_the_other(kind):
    circuit, inputs = kind(learning_rate=0.02), inputs_of(2, 13)
    assert circuit.group_size(13) == 1
    together, _ = advanced(circuit, inputs)
    np.testing.assert_array_equal(together[1], advanced(circuit, inputs[1:])[0][0])


def test_a_replicate_unfit_to_be_carried_goes_on_alone():
    inputs = inputs_of(5, 4)
    circuit = an.InterneuronCircuit(learning_rate=0.01)
    assert circuit.group_size(4) > 1
    before, _ = advanced(circuit, inputs)
    inputs[2, 20] *= 1e3  # eigenvalues of A grow by about 1e8 at once
    together, outcomes = advanced(circuit, inputs)
    assert outcomes == [Outcome(0, LENGTH)] * 5
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(together[others], before[others])
    plain, _ = advanced(an.InterneuronCircuit(learning_rate=0.01, dynamics="cholesky"), inputs)
    scale = np.abs(plain[2]).max(axis=(1, 2), keepdims=True)
    assert (np.abs(together[2] - plain[2]) <= 1e-11 * scale).all()
    in_pieces, _ = advanced(circuit, inputs, (10, 11, 1, 38))  # the jump ends a block
    np.testing.assert_array_equal(in_pieces, together)


@pytest.mark.parametrize(
    "start",
    [np.diag([1.0, 1.0, 1e-6]), 1.0 + np.diag([0.0, 0.0, 1e-9]) + np.diag([0.0, 1.0, 0.0])],
    ids=["diagonal", "W W' singular by rounding"],
)
def test_ill_conditioned_starts_are_not_taken_together(start):
    turned = start * [-1.0, 1.0, 1.0]  # not to be taken for W W'
    state = an.InterneuronCircuit(initial_weights=turned).initial_state(3)
    assert not state.together


def test_a_replicate_that_is_never_taken_together_is_what_factorising_makes_it():
    start = np.diag([-1.0, 1.0, 1e-6])
    together, _ = advanced(an.InterneuronCircuit(initial_weights=start), inputs_of(4, 3))
    plain, _ = advanced(
        an.InterneuronCircuit(initial_weights=start, dynamics="cholesky"), inputs_of(4, 3)
    )
    scale = np.abs(plain).max(axis=(2, 3), keepdims=True)
    assert (np.abs(together - plain) <= 1e-10 * scale).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_its_own_replicates(kind):
    inputs = inputs_of(3, 4)
    circuit = kind(learning_rate=0.01)
    before, _ = advanced(circuit, inputs)
    inputs[1, 17] = 1e200  # y y' overflows
    with np.errstate(all="ignore"):  # interpreted, NumPy would warn of the overflow
        together, outcomes = advanced(circuit, inputs)
    assert outcomes == [
        Outcome(0, LENGTH),
        Outcome(Status.WEIGHTS_NOT_FINITE, 17),
        Outcome(0, LENGTH),
    ]
    np.testing.assert_array_equal(together[[0, 2]], before[[0, 2]])
    np.testing.assert_array_equal(together[1, : 17 // EVERY], before[1, : 17 // EVERY])
