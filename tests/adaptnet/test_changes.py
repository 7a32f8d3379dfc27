"""What runs say of their changes, against the environment asked one sample at a time."""

from collections import Counter

import numpy as np
import pytest

import adaptnet as an
from adaptnet.seeding import child_seed, root_seed
from environments import SwitchingEnvironment
from environments.schedules import MarkovChain

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
