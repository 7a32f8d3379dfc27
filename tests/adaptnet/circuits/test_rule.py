"""A rule of one's own: the same bits as a built-in one, and what is said of bad ones."""

from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.kernels.rule import solve
from adaptnet.simulation.verify import verify
from environments import SwitchingEnvironment
from tests import naive

ENVIRONMENT = SwitchingEnvironment([np.eye(3), np.diag([4.0, 1.0, 0.5])], block_length=40)


class Weights(NamedTuple):
    M: np.ndarray


def step(state, x, eta):
    y = solve(state.M, x)
    state.M[:] += eta * (np.outer(y, y) - np.eye(len(x)))
    return y


def weights(state):
    return state.M


def start(n):
    return Weights(2.0 * np.eye(n))


def rule(step=step, state=start, weights=weights, **settings):
    return an.RuleCircuit(step=step, state=state, weights=weights, **settings)


def test_a_rule_runs_as_a_built_in_circuit():
    inputs = np.random.default_rng(0).normal(size=(200, 3))
    circuits = {
        "own": rule(learning_rate=0.01, learning_rate_decay=0.1),
        "direct": an.DirectCircuit(
            initial_weights=2.0, learning_rate=0.01, learning_rate_decay=0.1
        ),
    }
    run = an.simulate(circuits, inputs, record=["effective_weights", "outputs"])
    expected = naive.direct(2.0 * np.eye(3), inputs, 0.01, 0.1)
    np.testing.assert_allclose(run["effective_weights"][0, 0, 1:], expected, atol=1e-12)
    np.testing.assert_allclose(run["outputs"][0], run["outputs"][1], atol=1e-11)
    np.testing.assert_array_equal(run["synaptic_time"][0], run["synaptic_time"][1])


def sinking(state, x, eta):
    state.M[0, 0] -= eta  # whether or not there is a stable fixed point
    return x


def test_unstable_weights_of_a_rule_have_no_outputs_whatever_else_is_recorded():
    circuit = rule(step=sinking, learning_rate=0.75)
    both = {"n_samples": 6, "rng": 0}
    alone = an.simulate(circuit, ENVIRONMENT, record=["outputs"], **both)["outputs"]
    errors = an.simulate(circuit, ENVIRONMENT, record=["outputs", "whitening_error"], **both)
    xr.testing.assert_equal(alone, errors["outputs"])
    finite = np.isfinite(alone.values[0, 0]).all(axis=-1)
    assert finite.tolist() == [True] * 3 + [False] * 4  # 2, 1.25, 0.5, and then negative
    assert np.isfinite(errors["whitening_error"].values[0, 0]).tolist() == finite.tolist()


def test_a_rule_is_compiled_once_and_anew_if_what_it_refers_to_changes(monkeypatch):
    slow, fast = rule(learning_rate=0.01), rule(learning_rate=0.02)
    assert slow._compiled() == fast._compiled()

    def scaled():
        return an.RuleCircuit(step=step, state=start, weights=scaled_weights)

    monkeypatch.setitem(globals(), "SCALE", 1.0)
    before = scaled()
    assert scaled()._compiled() == before._compiled()
    np.testing.assert_array_equal(before.effective_weights(start(2)), 2.0 * np.eye(2))
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    np.testing.assert_array_equal(scaled().effective_weights(start(2)), 6.0 * np.eye(2))


SCALE = 1.0


def scaled_weights(state):
    return SCALE * state.M


def test_blocks_resuming_and_starts_work_as_for_built_in_circuits(tmp_path, monkeypatch):
    circuit, alike = rule(learning_rate=0.01), {"rng": 0, "n_replicates": 3, "record_every": 7}
    whole = an.simulate(circuit, ENVIRONMENT, 150, **alike)
    original, calls = an.RuleCircuit.advance, []

    def interrupted(*args, **kwargs):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    path = {"path": tmp_path / "run.nc", "block_size": 20, "checkpoint_seconds": 0}
    with monkeypatch.context() as patch:
        patch.setattr(an.RuleCircuit, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            an.simulate(circuit, ENVIRONMENT, 150, **alike, **path, n_threads=1)
    resumed = an.simulate(circuit, ENVIRONMENT, 150, **alike, **path)
    xr.testing.assert_equal(resumed.load(), whole)
    assert an.readaptation_times(whole, 0.5).sizes["circuit"] == 1
    branch = an.simulate(circuit, ENVIRONMENT, 5, rng=0, start=whole.isel(replicate=[1]))
    assert np.isfinite(branch["whitening_error"]).all()
    with pytest.raises(
        ValueError, match=r"rule of one's own, '.*step', which the run's file names"
    ):
        verify(whole, ENVIRONMENT)


def test_a_rule_that_overflows_diverges_at_its_sample():
    inputs = np.random.default_rng(2).normal(size=(30, 3))
    inputs[20] *= 1e200
    with pytest.warns(an.DivergenceWarning, match="sample 21"):
        run = an.simulate(rule(), inputs, record_every=50)
    assert run["diverged_sample"].item() == 21  # its weights are infinite, and so is what follows


def wrong_shape(state, x, eta):
    return np.zeros(len(x) + 1)


def wrong_type(state, x, eta):
    return np.zeros(len(x), np.float32)


def raises(state, x, eta):
    if x[0] > 100:
        raise ValueError("an input above 100")
    return x.copy()


def does_not_compile(state, x, eta):
    return state.missing


def flat(state):
    return state.M[0]


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"step": wrong_shape}, ValueError, r"step must return outputs, float64 \(3,\), got.*\(4,"),
        ({"step": wrong_type}, ValueError, "step must return outputs, float64.*got float32"),
        ({"step": does_not_compile}, TypeError, "step must take a state.*missing"),
        ({"weights": flat}, ValueError, r"weights must return effective weights, float64 \(3, 3\)"),
        ({"state": Weights(np.eye(3, dtype=np.float32))}, TypeError, "state.M must be an array of"),
        ({"state": np.eye(3)}, TypeError, "state must be a NamedTuple of arrays"),
        ({"step": 3}, TypeError, "step must be a function"),
        ({"dynamics": "cholesky"}, ValueError, "dynamics must be left to the rule"),
    ],
)
def test_bad_rules_are_refused(settings, kind, message):
    with pytest.raises(kind, match=message):
        an.simulate(rule(**settings), np.ones((5, 3)))


def test_a_rule_that_raises_is_shown_with_its_sample_and_traceback():
    inputs = np.ones((50, 3))
    inputs[33, 0] = 200
    with pytest.raises(ValueError, match=r"ValueError: an input above 100, at sample 33") as caught:
        an.simulate(rule(step=raises), inputs, block_size=20)
    names = [frame.name for frame in caught.traceback] + [
        entry.tb_frame.f_code.co_name for entry in _entries(caught.value.__cause__.__traceback__)
    ]
    assert "raises" in names


def fewer_outputs_later(state, x, eta):
    return x[:2] if x[0] > 100 else x


def larger_weights_later(state):
    return np.eye(4) if state.M[0, 0] > 2.004 else state.M


def grows(state, x, eta):
    state.M[:] += eta * np.eye(len(x))
    return x


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": fewer_outputs_later}, "as many outputs as there are neurons.*at sample 33"),
        (
            {"step": grows, "weights": larger_weights_later},
            "a row and a column per neuron.*at sample 4",
        ),
    ],
)
def test_shapes_that_change_in_a_run_are_refused_with_the_sample(settings, message):
    inputs = np.ones((50, 3))
    inputs[33, 0] = 200
    with pytest.raises(ValueError, match=message):
        an.simulate(rule(**settings, learning_rate=1e-3), inputs, block_size=20)


def zeroes(state, x, eta):
    x[:] = 0.0
    return x


def test_a_rule_that_changes_its_sample_changes_no_other_circuit():
    inputs = np.random.default_rng(3).normal(size=(20, 3))
    circuits = {"own": rule(step=zeroes), "direct": an.DirectCircuit()}
    run = an.simulate(circuits, inputs, record=["effective_weights", "inputs"])
    alone = an.simulate(circuits["direct"], inputs, record=["effective_weights"])
    np.testing.assert_array_equal(run["effective_weights"][1], alone["effective_weights"][0])
    np.testing.assert_array_equal(run["inputs"][0, :-1], inputs)


def turned(state):
    return state.M + np.triu(np.ones((3, 3)), 1)


def test_errors_of_weights_that_are_not_symmetric_follow_from_their_own_inverse():
    circuit = rule(weights=turned, step=grows)
    record = ["whitening_error", "effective_weights", "covariance"]
    run = an.simulate(circuit, ENVIRONMENT, 10, rng=0, record=record)
    inverse = np.linalg.inv(run["effective_weights"].values[0])
    outputs = inverse @ run["covariance"].values @ np.swapaxes(inverse, -1, -2)
    worst = np.abs(np.linalg.eigvalsh(outputs - np.eye(3))).max(axis=-1)
    np.testing.assert_allclose(run["whitening_error"].values[0], worst, rtol=1e-12)


def _entries(traceback):
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next
