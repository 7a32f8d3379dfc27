"""Gain circuits side by side compute to the bit what each computes alone.

These run interpreted too (NUMBA_DISABLE_JIT=1).
"""

import numpy as np
import pytest

from adaptnet.kernels import gain
from adaptnet.kernels.status import Status

# Interpreted, NumPy tells of overflows that compiled code passes over.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

LENGTH = 20


def advanced(
    monkeypatch, together, n, k, n_replicates, *, spoil=lambda inputs, rates: None, least=-np.inf
):
    """Return gains, outcomes and records of replicates; the tenth sample has a rate of zero."""
    monkeypatch.setattr(gain, "side_by_side", lambda *sizes: together)
    rng = np.random.default_rng([n, k])
    frame = rng.standard_normal((n, k))
    frame /= np.linalg.norm(frame, axis=0)
    states = [
        gain.initial_state(n / k * rng.uniform(0.8, 1.2, k), frame, 0.3, least)
        for _ in range(n_replicates)
    ]
    inputs = 1.3 * rng.standard_normal((n_replicates, LENGTH, n))
    rates = np.full((n_replicates, LENGTH), 0.01)
    rates[:, 10] = 0.0
    spoil(inputs, rates)
    recorded = np.arange(LENGTH) % 7 == 0
    shape = n_replicates, np.count_nonzero(recorded)
    records = {"effective_weights": np.empty((*shape, n, n)), "gains": np.empty((*shape, k))}
    outcomes = gain.advance(states, inputs, rates, recorded, records)
    kept = [np.count_nonzero(recorded[: outcome.n_samples]) for outcome in outcomes]
    found = {
        name: [r[:m] for r, m in zip(values, kept, strict=True)] for name, values in records.items()
    }
    return [state.gains for state in states], outcomes, found


def compare(monkeypatch, *sizes, **options):
    """Assert that replicates side by side and alone are equal; return their outcomes."""
    gains, outcomes, records = advanced(monkeypatch, True, *sizes, **options)
    one_by_one = advanced(monkeypatch, False, *sizes, **options)
    np.testing.assert_array_equal(gains, one_by_one[0], strict=True)
    assert outcomes == one_by_one[1]
    for name, found in records.items():
        for ours, alone in zip(found, one_by_one[2][name], strict=True):
            np.testing.assert_array_equal(ours, alone, strict=True)
    return [outcome.status for outcome in outcomes]


@pytest.mark.parametrize("n", [*range(1, 11), 13, 16])
@pytest.mark.parametrize("extra", [0, 1, 6])
def test_bits_do_not_depend_on_company(monkeypatch, n, extra):
    for n_replicates in (1, 3, 4, 5):
        statuses = compare(monkeypatch, n, n + extra, n_replicates)
        assert set(statuses) == {Status.OK}


@pytest.mark.parametrize("least", [-np.inf, 0.0])
def test_gains_are_clipped_alike(monkeypatch, least):
    def spoil(inputs, rates):
        rates[:, -1] = 0.5  # most gains fall below zero

    compare(monkeypatch, 3, 8, 4, least=least, spoil=spoil)
    gains, _, _ = advanced(monkeypatch, True, 3, 8, 4, least=least, spoil=spoil)
    assert (np.min(gains) < 0.0) == (least < 0.0)


@pytest.mark.parametrize(
    ("size", "rate", "sample", "status"),
    [
        (1e160, 0.01, 4, Status.WEIGHTS_NOT_FINITE),
        (1e160, 0.0, 4, Status.OK),
        (0.1, 10.0, 4, Status.GAINS_INDEFINITE),
    ],
)
def test_a_replicate_that_ends_leaves_the_others_alone(monkeypatch, size, rate, sample, status):
    def spoil(inputs, rates):
        inputs[1, sample], rates[1, sample] = size, rate

    statuses = compare(monkeypatch, 5, 15, 4, spoil=spoil)
    assert statuses == [Status.OK, status, Status.OK, Status.OK]


def test_replicates_of_unlike_frames_go_alone(monkeypatch):
    monkeypatch.setattr(gain, "side_by_side", lambda *sizes: True)
    rng = np.random.default_rng(0)
    frames, inputs = rng.standard_normal((2, 3, 6)), rng.standard_normal((2, 50, 3))

    def gains_after(replicates):
        states = [gain.initial_state(np.ones(6), frames[r], 0.5, -np.inf) for r in replicates]
        records = {"effective_weights": np.empty((len(replicates), 0, 3, 3))}
        rates = np.full((len(replicates), 50), 0.01)
        gain.advance(states, inputs[replicates], rates, np.zeros(50, bool), records)
        return [state.gains for state in states]

    apart = [*gains_after([0]), *gains_after([1])]
    np.testing.assert_array_equal(gains_after([0, 1]), apart)
