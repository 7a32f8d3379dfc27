"""Sentences of the report are printed if they are true, and only then."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.reports import run_warnings
from adaptnet.reports.settling import State, endings
from environments import SwitchingEnvironment
from tests.adaptnet.synthetic import run_of

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")

N, CHANGE = 401, 100  # records, and the record of the change
AGE = np.maximum(np.arange(N) - CHANGE, 0)


def noise(n_replicates=8, seed=0):
    """Return factors (replicate, record) that are correlated over ten records, as at a floor."""
    rng = np.random.default_rng(seed)
    white = rng.normal(size=(n_replicates, N))
    log = np.zeros_like(white)
    for i in range(1, N):
        log[:, i] = 0.9 * log[:, i - 1] + 0.1 * white[:, i]
    return np.exp(log)


def run(*curves, **options):
    """Return a run of a circuit per curve, each (replicate, record) or what broadcasts to it."""
    n = max(np.atleast_2d(curve).shape[0] for curve in curves)
    return run_of([np.broadcast_to(curve, (n, N)) for curve in curves], [CHANGE], **options)


JUMP = np.where(np.arange(N) == CHANGE, 100, 1)  # at the change the error is above the threshold
FLAT = 0.02 * noise() * JUMP  # settled far below the threshold 0.1
HIGH = 0.3 * noise()  # settled above it
FALLING = (0.5 * np.exp(-AGE / 150)) * noise()  # to 0.08 at the end
STILL_HIGH = (3 * np.exp(-AGE / 150)) * noise()  # falling, above the threshold
SLOW = 0.3 - 1e-4 * AGE + 0 * noise()  # by a few percent within the quarter, without noise
SOME_HIGH = np.concatenate([0.02 * noise(7) * JUMP, 0.3 * noise(1)])
UNMOVED = np.full((8, N), 0.3)
AT_ONE_FLOOR = run_of([0.02 * noise()[:, :300]], [75, 150], entered=[1, 0], left=[0, 1])
FALLS_ONCE = AT_ONE_FLOOR.copy(deep=True)
FALLS_ONCE["whitening_error"].values[0, :, 150:] *= 9 * np.exp(-np.arange(150) / 40)

SENTENCES = {
    "diverged": ("2 of 8 replicates diverged", run(FLAT, diverged=[[9, 9, *[-1] * 6]]), run(FLAT)),
    "no error": ("has no whitening_error", run(FLAT).drop_vars("whitening_error"), run(FLAT)),
    "no change": (
        "has no change of context",
        run_of(np.ones((1, 3, 9)), np.empty(0, np.int64)),
        run(FLAT),
    ),
    "single": ("There is a single replicate", run(FLAT[:1]), run(FLAT[:2])),
    "floor": ("direct: the noise floor (there 0.", run(HIGH), run(FLAT)),
    "floor that falls": ("direct: the noise floor", run(HIGH), run(STILL_HIGH)),
    "floor that falls slowly": ("direct: the noise floor", run(HIGH), run(SLOW)),
    "rate": ("lower the learning rate", run(HIGH), run(STILL_HIGH)),
    "rate, slowly": ("lower the learning rate", run(HIGH), run(SLOW)),
    "rate, one replicate": ("lower the learning rate", run(HIGH), run(SLOW[:1])),
    "rate of a circuit without": (
        "lower the learning rate",
        run(HIGH),
        run(UNMOVED, rates={"direct": None}),
    ),
    "without a rate": (
        "direct: the error that remains (there 0.3 in the median)",
        run(UNMOVED, rates={"direct": None}),
        run(HIGH),
    ),
    "share": ("in 12% of segments", run(SOME_HIGH), run(HIGH)),
    "unsure": ("it may still be falling", run(SLOW), run(HIGH)),
    "falling": ("the error is still falling when the segment after the change", run(FALLING), None),
    "flat": ("still falling", run(FALLING), run(FLAT)),
    "flat above": ("still falling", run(STILL_HIGH), run(HIGH)),
    "once": ("still falling when the segment after b -> a ends", FALLS_ONCE, AT_ONE_FLOOR),
    "each": ("after every change", None, FALLS_ONCE),
    "censored": ("100% of times are censored", run(STILL_HIGH), run(FALLING)),
    "diverged, not censored": (
        "100% of times are censored",
        run(HIGH),
        run(np.where(AGE > 200, np.nan, HIGH), diverged=[[300] * 8]),
    ),
    "no time for divergence": (
        "in 100% of segments it diverged before the threshold was reached",
        run(np.where(AGE > 200, np.nan, HIGH), diverged=[[300] * 8]),
        run(np.where(AGE > 200, np.nan, FLAT), diverged=[[300] * 8]),
    ),
    "never above": (
        "in 100% of segments the error was never above the threshold",
        run(0.02 * noise()),
        run(FLAT),
    ),
    "some censored": ("12% of times are censored", run(SOME_HIGH), run(FLAT)),
}


@pytest.mark.parametrize(("words", "true", "false"), SENTENCES.values(), ids=SENTENCES)
def test_sentences_are_printed_if_they_are_true(words, true, false):
    if true is not None:
        assert any(words in sentence for sentence in run_warnings(true, 0.1))
    if false is not None:
        assert not any(words in sentence for sentence in run_warnings(false, 0.1))


def test_nothing_is_said_of_a_run_without_faults():
    assert run_warnings(run(FLAT, 0.5 * FLAT), 0.1) == []


def test_the_error_stated_is_that_of_the_segments_concerned():
    (sentence, _) = run_warnings(run(SOME_HIGH), 0.1)
    (stated,) = (
        float(word) for word in sentence.split() if word.startswith("0.") and word != "0.1"
    )
    assert stated > 0.1


def test_floors_are_told_from_falls_in_simulations():
    """The error of one circuit has settled; the other learns too slowly for that."""
    contexts = [np.diag([1.0, 2.0]), np.diag([2.0, 1.0])]
    simulated = an.simulate(
        {
            "fast": an.DirectCircuit(learning_rate=5e-3),
            "slow": an.DirectCircuit(learning_rate=1e-4),
        },
        SwitchingEnvironment(contexts, block_length=4000),
        16_000,
        n_replicates=8,
        rng=0,
        record_every=10,
    )
    states = {
        name: {end.state for end in ends}
        for name, ends in endings(simulated, "whitening_error").items()
    }
    assert states["fast"] == {State.SETTLED}
    assert State.FALLING in states["slow"]
    assert State.SETTLED not in states["slow"]


@pytest.mark.slow
def test_false_alarms_are_rare():
    """Of 200 runs at a floor at most some percent are taken for falling: 0.5 % are expected."""
    states = [
        endings(run(noise(seed=seed)), "whitening_error")["direct"][0].state for seed in range(200)
    ]
    assert states.count(State.FALLING) <= 5


def test_warnings_tell_of_thresholds_below_the_floor():
    noisy = 0.2 + 0.01 * np.random.default_rng(0).random((1, 4, 200))
    noisy[..., 50] = 0.4
    (below, censored) = run_warnings(run_of(noisy, [50]), 0.1)
    assert "noise floor" in below
    assert "100% of segments" in below
    assert "censored" in censored
    assert run_warnings(run_of(noisy, [50]), 0.3) == []
