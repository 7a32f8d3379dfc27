"""Environments one after another, and their transitions."""

import numpy as np
import pytest

from environments import (
    Concatenate,
    DriftingEnvironment,
    NoisyEnvironment,
    RecordedEnvironment,
    StationaryEnvironment,
    SwitchingEnvironment,
    from_parameters,
)
from environments.paths import Geodesic, Rotation
from environments.schedules import ChangeSamples
from environments.transitions import Gradual, Incremental
from tests.environments.catalogue import A, B, C

RECORDING = np.random.default_rng(0).normal(size=(400, 3))
FIRST, SECOND = StationaryEnvironment(A), SwitchingEnvironment([B, C], 300)


def _realized(environment):
    return environment.realize(np.random.SeedSequence(0))


def test_parts_come_one_after_another():
    realization = _realized(Concatenate([FIRST, SECOND], [500]))
    covariances = realization.covariances(np.array([0, 499, 500, 799, 800, 1100]))
    np.testing.assert_array_equal(covariances, [A, A, B, B, C, B])
    assert realization.contexts(np.array([499, 500, 800])).tolist() == [0, 1, 2]
    assert realization.change_samples(1000).tolist() == [500, 800]


@pytest.mark.parametrize("transition", [Gradual(200, "sigmoid"), Incremental(200, "sigmoid")])
def test_transition_is_the_line_between_the_covariances(transition):
    realization = _realized(Concatenate([FIRST, SECOND], [500], transition=transition))
    weights = transition.weights(np.array([0, 100, 199]))
    covariances = realization.covariances(np.array([499, 500, 600, 699, 700]))
    expected = [A, *(w * B + (1 - w) * A for w in weights), B]
    np.testing.assert_allclose(covariances, expected, rtol=1e-14)
    assert realization.change_samples(700).tolist() == [500]


@pytest.mark.parametrize("kind", [Gradual, Incremental])
@pytest.mark.parametrize("joined", [True, False])
def test_samples_of_a_transition_have_the_covariance_in_force(kind, joined):
    """Over 400 replicates, in quarters of a transition of 80 samples, within 5 standard errors."""
    if joined:
        parts = [StationaryEnvironment(A), StationaryEnvironment(4 * B)]
        environment = Concatenate(parts, [90], transition=kind(80))
    else:
        environment = SwitchingEnvironment([A, 4 * B], 90, transition=kind(80))
    samples = np.arange(90, 170)
    truth = _realized(environment).covariances(samples)
    factors = np.linalg.cholesky(truth)
    products = []
    for seed in range(400):
        realization = environment.realize(np.random.SeedSequence(seed))
        inputs = next(realization.blocks(170, 80, 90))
        white = np.linalg.solve(factors, inputs[..., None])[..., 0]
        products.append((white[:, :, None] * white[:, None, :]).reshape(4, 20, 3, 3).mean(axis=1))
    error = np.std(products, axis=0, ddof=1) / np.sqrt(len(products))
    assert (np.abs(np.mean(products, axis=0) - np.eye(3)) < 5 * error).all()
    assert error.max() < 0.05  # a weight that is wrong by a tenth would show


def test_gradual_takes_samples_of_either_incremental_mixes_them():
    """A thousandfold contrast tells one from the other: no gradual sample lies between."""
    parts = [StationaryEnvironment(1e-6 * np.eye(50)), StationaryEnvironment(np.eye(50))]
    power = {}
    for transition in (Gradual(900), Incremental(900)):
        realization = _realized(Concatenate(parts, [1000], transition=transition))
        inputs = next(realization.blocks(2000, 2000))
        power[type(transition)] = (inputs[1100:1800] ** 2).mean(axis=1)
    between = {kind: ((p > 1e-4) & (p < 0.2)).mean() for kind, p in power.items()}
    assert between[Gradual] == 0
    assert between[Incremental] > 0.03  # weights 0.11 to 0.2 are a tenth of these samples


def test_names_that_repeat_are_numbered():
    assert Concatenate([FIRST, SECOND], [9]).context_names == ("only", "context_0", "context_1")
    assert Concatenate([FIRST, FIRST], [9]).context_names == ("0.only", "1.only")


def test_nested_parameters_come_back_as_they_were():
    inner = Concatenate([FIRST, NoisyEnvironment(SECOND, 0.5)], [300], transition=Gradual(20))
    outer = Concatenate([inner, FIRST], [800], transition=Incremental(100))
    again = from_parameters(outer.parameters())
    assert repr(again) == repr(outer)
    np.testing.assert_array_equal(again.sample(1500), outer.sample(1500))


def test_noise_is_private_and_of_the_variance_given():
    noise = (
        NoisyEnvironment(FIRST, 0.25).sample(4000)
        - FIRST.realize(np.random.SeedSequence(0, spawn_key=(4, 0))).blocks(4000, 4000).__next__()
    )
    # 5 standard errors of variances and covariances of 4000 samples
    assert np.abs(noise.T @ noise / 4000 - 0.25 * np.eye(3)).max() < 5 * 0.25 * np.sqrt(2 / 4000)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Concatenate([FIRST], []), ValueError, "at least two"),
        (lambda: Concatenate([FIRST, A], [5]), TypeError, "must be environments"),
        (lambda: Concatenate(FIRST, [5]), TypeError, "environments must be a sequence"),
        (lambda: Concatenate([FIRST, FIRST], 5), TypeError, "lengths must be a sequence"),
        (lambda: Concatenate([FIRST, SECOND], []), ValueError, "lengths must be 1"),
        (lambda: Concatenate([FIRST, SECOND], [0]), ValueError, "lengths must be at least 1"),
        (
            lambda: Concatenate([FIRST, StationaryEnvironment(np.eye(2))], [5]),
            ValueError,
            r"the same number of inputs, got \[3, 2\]",
        ),
        (
            lambda: Concatenate([FIRST, SECOND], [50], transition=Gradual(51)),
            ValueError,
            "transition takes 51 samples, but the shortest part has only 50",
        ),
        (
            lambda: Concatenate(
                [FIRST, SECOND], [50], transition=Incremental(5, metric="affine_invariant")
            ),
            ValueError,
            "must be Euclidean",
        ),
        (
            lambda: Concatenate(
                [FIRST, RecordedEnvironment(RECORDING, centred=False)],
                [50],
                transition=Incremental(5),
            ),
            ValueError,
            "parts that are not centred, got .* with environment 1",
        ),
        (lambda: Concatenate([FIRST, SECOND], [5], transition=3), TypeError, "must be Gradual"),
        (lambda: NoisyEnvironment(A, 1), TypeError, "environment must be an environment"),
        (lambda: NoisyEnvironment(FIRST, 0), ValueError, "variance must be greater than 0"),
        (
            lambda: from_parameters({"type": "Blocks", "block_length": 3}),
            ValueError,
            "environment's",
        ),
        (lambda: from_parameters({"type": "None"}), ValueError, "type must be one of"),
    ],
)
def test_bad_values_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_run_that_does_not_reach_the_last_part_is_refused():
    realization = _realized(Concatenate([FIRST, SECOND], [500]))
    with pytest.raises(ValueError, match="begins at sample 500, beyond the run of 500 samples"):
        realization.change_samples(500)
    late = SwitchingEnvironment([A, B], schedule=ChangeSamples([600]))
    with pytest.raises(ValueError, match="scheduled at sample 600, beyond the run of 500"):
        _realized(Concatenate([late, SECOND], [500])).change_samples(2000)


def test_a_change_is_complete_where_its_transition_has_ended():
    """A drift, what it arrives at, and a switch that overtakes a transition."""
    drift = DriftingEnvironment(Geodesic([A, B]), duration=49)  # 49 * (1 / 49) is below 1
    held = DriftingEnvironment(Geodesic([A, B], "log_euclidean"), duration=70, resolution=20)
    endless = DriftingEnvironment(Rotation(A), duration=70)
    cases = [
        (SwitchingEnvironment([A, B], 100), [100, 200], [100, 200]),
        (SwitchingEnvironment([A, B], 100, transition=Incremental(40)), [100, 200], [140, 240]),
        (SwitchingEnvironment([A, B], 100, transition=Gradual(90)), [100, 200], [190, 290]),
        (Concatenate([FIRST, drift], [100]), [100], [149]),
        (Concatenate([FIRST, drift], [100], transition=Gradual(60)), [100], [160]),
        (Concatenate([FIRST, held], [100]), [100], [180]),  # four steps of 20 samples
        (Concatenate([FIRST, drift, SECOND], [100, 30]), [100, 130], [130, 130]),
        (Concatenate([FIRST, endless, FIRST], [100, 80]), [100, 180], [180, 180]),
        (Concatenate([FIRST, endless], [100]), [100], [250]),  # it never stops
        (Concatenate([FIRST, NoisyEnvironment(drift, 0.1)], [100]), [100], [149]),
        (Concatenate([FIRST, Concatenate([drift, FIRST], [80])], [100]), [100, 180], [149, 180]),
        (
            Concatenate(
                [FIRST, SwitchingEnvironment([A, B], 20)], [150], transition=Incremental(50)
            ),
            [150, 170, 190, 210, 230],
            [170, 190, 200, 210, 230],
        ),
    ]
    for environment, changes, ends in cases:
        realization = _realized(environment)
        assert realization.change_samples(250).tolist() == changes, environment
        assert realization.change_ends(250).tolist() == ends, environment
