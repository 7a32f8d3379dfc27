"""What runs say of their changes, against the environment asked one sample at a time."""

from collections import Counter

import numpy as np
import pytest

import adaptnet as an
from adaptnet.seeding import child_seed, root_seed
from adaptnet.simulation.changes import described_changes
from environments import SwitchingEnvironment
from environments.schedules import MarkovChain
from environments.transitions import Incremental

CONTEXTS = [np.diag([1.0, 2.0]), np.diag([1.0, 8.0]), np.array([[2.0, 1.0], [1.0, 1.0]])]
CHAIN = np.full((3, 3), 0.002) + np.diag([0.994] * 3)
CIRCUITS = {
    "direct": an.DirectCircuit(learning_rate=1e-3),
    "interneuron": an.InterneuronCircuit(learning_rate=1e-3),
    "static": an.StaticCircuit(),
}


class Counting(SwitchingEnvironment):
    """Counts how often each replicate's truth about changes is asked for."""

    def __init__(self):
        super().__init__(CONTEXTS, schedule=MarkovChain(CHAIN))
        self.asked = Counter()

    def realize(self, seed):
        realization = super().realize(seed)
        ask = realization.change_samples

        def change_samples(n_samples):
            self.asked[seed.spawn_key] += 1
            return ask(n_samples)

        realization.change_samples = change_samples
        return realization


@pytest.fixture(scope="module")
def environment():
    return Counting()


@pytest.fixture(scope="module")
def run(environment):
    return an.simulate(CIRCUITS, environment, 2000, n_replicates=4, rng=0, record_every=100)


def test_each_change_is_that_of_its_replicate(environment, run):
    counts = []
    for r in range(4):
        realization = environment.realize(child_seed(root_seed(0), r))
        contexts = realization.contexts(np.arange(2000))
        at = np.flatnonzero(np.diff(contexts)) + 1
        counts.append(len(at))
        one = run.sel(replicate=r)
        padded = np.full(run.sizes["change"] - len(at), -1)
        for name, values in [
            ("change_sample", at),
            ("change_end", at),
            ("context_left", contexts[at - 1]),
            ("context_entered", contexts[at]),
        ]:
            np.testing.assert_array_equal(one[name], [*values, *padded])
        for i, sample in enumerate(at):
            left, entered = (CONTEXTS[contexts[sample - back]] for back in (1, 0))
            distance = an.metrics.affine_invariant_distance(left, entered)
            assert float(one["change_distance"][i]) == pytest.approx(float(distance), rel=1e-12)
            growth = np.trace(entered) - np.trace(left)
            assert int(one["change_direction"][i]) == (1 if growth > 0 else 2 if growth < 0 else 0)
            for kind in ("direct", "interneuron"):
                floors = an.theory.noise_floor(kind, entered, 1e-3)
                for name, floor in zip(floors._fields, floors, strict=True):
                    stored = one[f"{name}_floor"].sel(circuit=kind)[i]
                    assert float(stored) == pytest.approx(floor, rel=1e-12)
        assert np.isnan(one["change_distance"][len(at) :]).all()
        assert np.isnan(one["frobenius_error_floor"][:, len(at) :]).all()
        assert np.isnan(one["frobenius_error_floor"].sel(circuit="static")).all()
    assert len(set(counts)) > 1  # or nothing was padded


def test_changes_are_asked_for_once(environment, run):
    assert set(environment.asked.values()) == {1}


class Taking(SwitchingEnvironment):
    """A switching environment that says how long its changes take."""

    def __init__(self, *arguments, width, **options):
        transition = Incremental(width)
        super().__init__(*arguments, transition=transition, **options)
        self.width = width

    def realize(self, seed):
        realization = super().realize(seed)
        realization.change_ends = lambda n: realization.change_samples(n) + self.width
        return realization


def changes_of(environment, n_samples, circuits=()):
    seed = np.random.SeedSequence(0)
    described = described_changes(environment, list(circuits), seed, [0], n_samples)
    return {name: values[..., 0, :] for name, values in described.items()}


def test_a_change_that_takes_time_is_as_far_as_from_its_beginning_to_its_end():
    environment = Taking([np.eye(3), 0.01 * np.eye(3)], 20_000, order=[0, 1], width=1000)
    changes = changes_of(environment, 40_000, [an.DirectCircuit(learning_rate=1e-4)])
    assert changes["change_sample"].tolist() == [20_000]
    assert changes["change_end"].tolist() == [21_000]
    assert changes["change_distance"][0] == pytest.approx(np.sqrt(3) * np.log(100), rel=1e-12)
    assert changes["change_direction"].tolist() == [2]
    entered = an.theory.noise_floor("direct", 0.01 * np.eye(3), 1e-4)
    assert changes["whitening_error_floor"].item() == pytest.approx(entered.whitening_error)
    assert entered.frobenius_error == pytest.approx(np.sqrt(1e-4 * 4 * 30), rel=1e-12)
    assert entered.whitening_error == pytest.approx(0.092, abs=5e-4)


def test_a_change_is_described_up_to_the_next_one_or_beyond_the_run():
    contexts = [np.eye(2), 4 * np.eye(2), 16 * np.eye(2)]
    overtaken = changes_of(Taking(contexts, 100, width=100), 250)
    # At the last sample before the next change, 100 of 101 steps along a straight line are done.
    first, second = 1 + 3 * 100 / 101, 4 + 12 * 100 / 101
    assert overtaken["change_end"].tolist() == [200, 300]  # the run ends at 250
    np.testing.assert_allclose(
        overtaken["change_distance"],
        np.sqrt(2) * np.log([first, second / first]),
        rtol=1e-12,
    )
    assert overtaken["change_direction"].tolist() == [1, 1]


def test_many_changes_are_described_like_few(monkeypatch):
    environment = SwitchingEnvironment(CONTEXTS, 10)
    whole = changes_of(environment, 1000)
    monkeypatch.setattr("adaptnet.simulation.changes._BLOCK_BYTES", 3 * 2 * 8 * 2 * 2)
    for name, values in changes_of(environment, 1000).items():
        np.testing.assert_array_equal(values, whole[name])
