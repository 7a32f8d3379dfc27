"""Which samples are recorded: multiples of record_every, and every change of the covariance."""

import numpy as np

import adaptnet as an
from adaptnet.simulation.plan import Plan
from environments import SwitchingEnvironment
from environments.schedules import ChangeSamples, MarkovChain
from environments.transitions import Incremental

CONTEXTS = [np.eye(2), 0.1 * np.eye(2)]


def run(environment, **settings):
    defaults = {"n_samples": 9000, "record_every": 200, "rng": 0}
    return an.simulate(an.DirectCircuit(learning_rate=1e-3), environment, **(defaults | settings))


def changing_at(*samples, **settings):
    return SwitchingEnvironment(CONTEXTS, schedule=ChangeSamples(samples), **settings)


def test_the_error_at_a_change_is_recorded_however_far_records_are_apart():
    environment = changing_at(5001)
    coarse, fine = run(environment), run(environment, record_every=1)
    assert 5001 in coarse["sample"]
    peak = fine["whitening_error"].sel(sample=5001)
    np.testing.assert_array_equal(coarse["whitening_error"].sel(sample=5001), peak)
    assert coarse["sample"].size == 9000 // 200 + 2


def test_the_end_of_a_transition_is_recorded_too():
    coarse = run(changing_at(5001, transition=Incremental(333)))
    assert {5001, 5334} <= set(coarse["sample"].values.tolist())


def test_changes_of_every_replicate_are_recorded_of_all():
    environment = SwitchingEnvironment(
        CONTEXTS, schedule=MarkovChain([[0.999, 0.001], [0.001, 0.999]])
    )
    result = run(environment, n_replicates=3)
    changes = result["change_sample"].values
    assert len(np.unique(changes[changes >= 0])) > 3
    assert np.isin(changes[changes >= 0], result["sample"]).all()
    assert result["whitening_error"].notnull().all()


def test_changes_need_not_be_recorded():
    result = run(changing_at(5001), record_changes=False)
    np.testing.assert_array_equal(result["sample"], np.arange(0, 9001, 200))


def test_a_plan_counts_its_records_as_it_lists_them():
    rng = np.random.default_rng(0)
    for _ in range(50):
        every, n_samples = int(rng.integers(1, 30)), int(rng.integers(1, 500))
        between = np.unique(rng.integers(0, n_samples, size=rng.integers(0, 20)))
        between = between[between % every != 0]
        plan = Plan(n_samples, every, (), between)
        expected = np.union1d(np.arange(0, n_samples + 1, every), between)
        np.testing.assert_array_equal(plan.all_samples, expected)
        assert plan.n_records == len(expected)
        pieces = list(plan.pieces(7))
        np.testing.assert_array_equal(np.concatenate([p for _, p in pieces]), expected)
        assert [first for first, _ in pieces] == np.cumsum(
            [0, *(len(p) for _, p in pieces[:-1])]
        ).tolist()
        for start in rng.integers(0, n_samples, size=5):
            inside = expected[(expected > start) & (expected <= n_samples)]
            np.testing.assert_array_equal(plan.samples(start, n_samples), inside)
            assert plan.n_records_until(int(start)) == (expected <= start).sum()
