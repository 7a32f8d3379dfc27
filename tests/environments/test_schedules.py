"""Durations follow their laws, and wrong schedules are refused."""

import numpy as np
import pytest
from scipy import stats

from environments import SwitchingEnvironment
from environments.schedules import (
    Blocks,
    ChangeSamples,
    HazardRate,
    MarkovChain,
    TruncatedExponential,
)
from environments.transitions import Gradual, Incremental
from tests.environments.catalogue import A, B, C

P_VALUE = 1e-3  # at fixed seeds: a right law fails once in a thousand choices of them


def _segments(schedule, n_contexts, n_samples, seed=0):
    timeline = schedule.timeline(n_contexts, np.random.default_rng(seed))
    changes = timeline.change_samples(n_samples)
    durations = np.diff(changes, prepend=0)  # the last, cut off by the run's end, is left out
    return durations, timeline.contexts(np.concatenate([[0], changes]))


def _assert_follows(durations, law):
    """Test by chi squared, on ten classes of nearly equal probability."""
    edges = np.unique(law.ppf(np.linspace(0.1, 0.9, 9)))
    cumulative = np.concatenate([[0], law.cdf(edges), [1]])
    expected = np.diff(cumulative) * len(durations)
    counts = np.bincount(np.searchsorted(edges, durations), minlength=len(expected))
    assert stats.chisquare(counts, expected).pvalue > P_VALUE


def test_poisson_durations_are_geometric():
    durations, contexts = _segments(HazardRate(0.02), 2, 400_000)
    _assert_follows(durations, stats.geom(0.02))
    # Poisson: counts in windows have the variance of a binomial, and gaps do not remember.
    pairs = stats.spearmanr(durations[:-1], durations[1:])
    assert pairs.pvalue > P_VALUE
    assert (np.diff(contexts) != 0).all()


def test_dead_time_shifts_poisson_durations():
    durations, _ = _segments(HazardRate(0.02, shortest=40), 2, 400_000)
    _assert_follows(durations, stats.geom(0.02, loc=39))


def test_truncated_exponential_durations():
    durations, _ = _segments(TruncatedExponential(100, shortest=50, longest=249), 2, 600_000)
    assert durations.min() >= 50
    assert durations.max() <= 249
    law = np.exp(-np.arange(200) / 100)
    _assert_follows(durations, stats.rv_discrete(values=(np.arange(50, 250), law / law.sum())))


def test_hazards():
    """The probability that a segment ends after k samples, if it has lasted as long."""

    def hazard(schedule):
        durations = schedule.durations(np.random.default_rng(0), 200_000)
        ages = np.arange(50, 61)
        return np.array([(durations == k).sum() / (durations >= k).sum() for k in ages])

    ratio = np.exp(-1 / 100)
    rising = hazard(TruncatedExponential(100, shortest=50, longest=60))
    # counts of some 18,000: 5 standard errors of a probability near 0.1, and of up to 1 at the end
    expected = (1 - ratio) / (1 - ratio ** (61.0 - np.arange(50, 61)))
    np.testing.assert_allclose(rising, expected, rtol=0.05)
    assert rising[-1] == 1
    flat = hazard(HazardRate(1 - ratio, shortest=50))
    np.testing.assert_allclose(flat, 1 - ratio, rtol=0.15)  # some 2000 events each


def test_markov_durations_and_jumps():
    matrix = np.array([[0.97, 0.02, 0.01], [0.005, 0.99, 0.005], [0.05, 0.0, 0.95]])
    durations, contexts = _segments(MarkovChain(matrix), 3, 1_000_000)
    for i in range(3):
        _assert_follows(durations[contexts[:-1] == i], stats.geom(1 - matrix[i, i]))
        entered = contexts[1:][contexts[:-1] == i]
        counts = np.bincount(entered, minlength=3)
        expected = matrix[i] * (np.arange(3) != i) / (1 - matrix[i, i])
        possible = expected > 0
        assert counts[~possible].sum() == 0
        if possible.sum() > 1:
            test = stats.chisquare(counts[possible], expected[possible] * counts.sum())
            assert test.pvalue > P_VALUE


def test_initial_distribution_of_a_markov_chain():
    chain = MarkovChain(np.full((2, 2), 0.5), initial=[0.25, 0.75])
    first = [
        chain.timeline(2, np.random.default_rng(s)).contexts(np.zeros(1, int))[0]
        for s in range(800)
    ]
    assert stats.binomtest(int(np.sum(first)), 800, 0.75).pvalue > P_VALUE


def test_absorbing_context_stays():
    chain = MarkovChain([[0.9, 0.1], [0.0, 1.0]])
    durations, contexts = _segments(chain, 2, 10_000)
    assert contexts.tolist() == [0, 1]
    assert len(durations) == 1


def test_independent_contexts_are_uniform_and_may_repeat():
    timeline = Blocks(1, "independent").timeline(3, np.random.default_rng(0))
    contexts = timeline.contexts(np.arange(30_000))
    pairs = np.histogram2d(contexts[:-1:2], contexts[1::2], bins=3)[0]
    assert stats.chisquare(pairs.ravel()).pvalue > P_VALUE


def test_other_contexts_never_repeat_and_are_uniform():
    timeline = Blocks(5, "other").timeline(3, np.random.default_rng(0))
    contexts = timeline.contexts(np.arange(0, 50_000, 5))
    steps = np.diff(contexts) % 3
    assert (steps != 0).all()
    assert stats.binomtest(int((steps == 1).sum()), len(steps)).pvalue > P_VALUE


def test_two_contexts_alternate():
    durations, contexts = _segments(Blocks(10), 2, 95)
    assert durations.tolist() == [10] * 9
    assert contexts.tolist() == [0, 1] * 5


def test_far_sample_first_gives_the_same_path():
    near, far = (HazardRate(0.1).timeline(2, np.random.default_rng(5)) for _ in range(2))
    far.contexts(np.array([200_000]))
    np.testing.assert_array_equal(near.change_samples(3000), far.change_samples(3000))


def test_change_samples_of_a_transition_are_its_beginning():
    environment = SwitchingEnvironment([A, B], 100, transition=Incremental(40))
    realization = environment.realize(np.random.SeedSequence(0))
    assert realization.change_samples(250).tolist() == [100, 200]
    covariances = realization.covariances(np.array([99, 100, 139, 140]))
    np.testing.assert_array_equal(covariances[[0, 3]], [A, B])
    np.testing.assert_allclose(covariances[1], A + (B - A) / 41, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(covariances[2], A + (B - A) * 40 / 41, rtol=1e-12, atol=1e-12)


def test_gradual_samples_are_of_one_context_or_the_other():
    """A hundredfold contrast: a sample's size tells its context, and no size lies between."""
    environment = SwitchingEnvironment(
        [1e-4 * np.eye(40), np.eye(40)], 1000, transition=Gradual(1000)
    )
    realization = environment.realize(np.random.SeedSequence(0))
    power = (next(realization.blocks(2000, 2000))[1000:] ** 2).mean(axis=1)
    new = power > 0.01
    assert ((power < 0.001) | (power > 0.2)).all()
    weights = np.arange(1, 1001) / 1001
    # a sum of independent Bernoulli draws, 4 standard deviations either way
    assert abs(new.sum() - weights.sum()) < 4 * np.sqrt((weights * (1 - weights)).sum())
    assert new[:200].mean() < 0.2 < 0.8 < new[-200:].mean()


def test_sigmoid_runs_from_old_to_new_symmetrically():
    weights = Gradual(99, "sigmoid").weights(np.arange(100))
    assert weights[-1] == 1
    assert weights[49] == pytest.approx(0.5, abs=1e-15)
    np.testing.assert_allclose(weights[:99] + weights[98::-1], 1, atol=1e-14)
    assert (np.diff(weights) > 0).all()
    assert 0 < weights[0] < 0.01


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Blocks(0), "block_length must be at least 1"),
        (lambda: Blocks(10, []), "order must name at least one"),
        (lambda: Blocks(10, "random"), "order must be one of independent, other"),
        (lambda: ChangeSamples([100, 100]), "neither overlap"),
        (lambda: ChangeSamples([200, 100]), "samples must increase"),
        (lambda: ChangeSamples([0]), "samples must be at least 1"),
        (lambda: ChangeSamples([100], [0]), "order must name 2 contexts"),
        (lambda: HazardRate(0), "rate must be greater than 0"),
        (lambda: HazardRate(1.5), "rate must be at most 1"),
        (lambda: TruncatedExponential(9, shortest=9, longest=8), "longest must be at least"),
        (lambda: MarkovChain([[0.5, 0.4], [0.5, 0.5]]), r"transition_matrix\[0\] must sum to one"),
        (lambda: MarkovChain([[1.5, -0.5], [0.5, 0.5]]), r"transition_matrix\[0\] must be prob"),
        (lambda: MarkovChain([[0.5, 0.5]]), "transition_matrix must be square"),
        (lambda: MarkovChain(np.eye(2), initial=2), "initial must be one of the contexts"),
        (lambda: MarkovChain(np.eye(2), initial=[0.5, 0.6]), "initial must sum to one"),
        (lambda: SwitchingEnvironment([A, B], 10, order=[0, 2]), "order must name contexts 0 to 1"),
        (lambda: SwitchingEnvironment([A], 10, order="other"), "at least two contexts"),
        (
            lambda: SwitchingEnvironment([A, B, C], schedule=MarkovChain(np.eye(2))),
            "transition_matrix must be 3 x 3",
        ),
        (
            lambda: SwitchingEnvironment([A, B], 10, transition=Gradual(11)),
            "transition takes 11 samples.*narrow the transition",
        ),
        (
            lambda: SwitchingEnvironment(
                [A, B], schedule=HazardRate(0.1), transition=Incremental(20)
            ),
            "allows segments of 1",
        ),
        (lambda: SwitchingEnvironment([A, B], 10, path_seed=1), "path_seed fixes a random path"),
        (lambda: SwitchingEnvironment([A, B], 10, context_names=["a", "a"]), "names must differ"),
        (lambda: Gradual(10, "cubic"), "shape must be one of linear, sigmoid"),
        (lambda: Incremental(10, metric="log_euclidean"), "metric must be one of"),
    ],
)
def test_bad_values_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"block_length": 5, "schedule": Blocks(5)},
        {"schedule": 5},
        {"schedule": Blocks(5), "order": [0, 1]},
        {"block_length": 5, "transition": 3},
        {"block_length": 5, "sources": "laplace"},
        {"block_length": 5, "order": 5},
        {"block_length": 5, "context_names": 5},
        {"block_length": 5, "context_names": "ab"},
    ],
)
def test_bad_types_are_refused(arguments):
    with pytest.raises(TypeError, match="must be"):
        SwitchingEnvironment([A, B], **arguments)


def test_a_change_beyond_the_run_is_refused():
    environment = SwitchingEnvironment([A, B], schedule=ChangeSamples([500]))
    realization = environment.realize(np.random.SeedSequence(0))
    with pytest.raises(
        ValueError, match="at sample 500, beyond the run of 500 samples; run longer"
    ):
        realization.change_samples(500)
    assert realization.change_samples(501).tolist() == [500]
