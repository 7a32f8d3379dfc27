import numpy as np
import pytest

from environments import StationaryEnvironment, SwitchingEnvironment, from_parameters

A, B, C = np.eye(2), np.diag([1.0, 4.0]), np.array([[2.0, 1.0], [1.0, 2.0]])


def realized(environment, seed=0):
    return environment.realize(np.random.SeedSequence(seed))


def test_contexts_cycle_without_end():
    replicate = realized(SwitchingEnvironment([A, B, C], block_length=10))
    samples = np.array([0, 9, 10, 29, 30, 10**9])
    assert replicate.contexts(samples).tolist() == [0, 0, 1, 2, 0, (10**8) % 3]
    assert replicate.change_samples(41).tolist() == [10, 20, 30, 40]
    assert replicate.change_samples(40).tolist() == [10, 20, 30]


def test_a_single_context_never_changes():
    replicate = realized(SwitchingEnvironment([A], block_length=10))
    assert replicate.contexts(np.array([0, 10, 10**12])).tolist() == [0, 0, 0]
    assert replicate.change_samples(10**12).tolist() == []


def test_an_order_is_followed_and_its_last_context_stays():
    replicate = realized(SwitchingEnvironment([A, B], block_length=10, order=[1, 1, 0]))
    assert replicate.contexts(np.arange(0, 100, 10)).tolist() == [1, 1] + [0] * 8
    assert replicate.change_samples(1000).tolist() == [20]


def test_truth_is_the_covariance_of_the_context():
    replicate = realized(SwitchingEnvironment([A, C], block_length=10))
    np.testing.assert_array_equal(replicate.covariances(np.array([9, 10, 25])), [A, C, A])


def test_samples_have_the_covariance_in_force():
    replicate = realized(SwitchingEnvironment([B, C], block_length=50_000))
    inputs = np.concatenate(list(replicate.blocks(100_000, 7777)))
    for half, truth in ((inputs[:50_000], B), (inputs[50_000:], C)):
        # An element's standard error is at most sqrt(2) C_ii / sqrt(N) = 0.025; allow five.
        np.testing.assert_allclose(half.T @ half / 50_000, truth, atol=0.125)


@pytest.mark.parametrize("start", [0, 1, 1023, 1024, 3000])
@pytest.mark.parametrize("block_size", [1, 100, 1024, 5000])
def test_neither_block_size_nor_start_changes_a_sample(start, block_size):
    replicate = realized(SwitchingEnvironment([A, C], block_length=700))
    whole = np.concatenate(list(replicate.blocks(3100, 3100)))
    parts = list(replicate.blocks(3100, block_size, start))
    np.testing.assert_array_equal(np.concatenate(parts), whole[start:])
    assert all(len(part) == block_size for part in parts[:-1])


def test_a_given_matrix_may_change_without_harm():
    mine = np.eye(2)
    environment = StationaryEnvironment(mine)
    mine[0, 0] = -1.0
    np.testing.assert_array_equal(realized(environment).covariances(np.zeros(1, int)), [np.eye(2)])


def test_stored_parameters_give_the_same_environment():
    for environment in (
        StationaryEnvironment(C),
        SwitchingEnvironment([A, C], 30, order=[0, 1, 0], context_names=["x", "y"]),
    ):
        again = from_parameters(environment.parameters())
        np.testing.assert_array_equal(again.sample(100), environment.sample(100))
        assert again.context_names == environment.context_names
        assert repr(again) == repr(environment)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 10), "at least one matrix"),
        (([A, np.eye(3)], 10), r"the same size, got matrices of sizes \[2, 3\]"),
        (([A, np.ones((2, 3))], 10), r"covariances\[1\] must be a square matrix"),
        (([A, [[1, 2], [0, 1]]], 10), r"covariances\[1\] must be symmetric.*up to 2"),
        (([A, [[1, 2], [2, 1]]], 10), r"covariances\[1\] .* positive definite.*eigenvalue is -1"),
        (([np.ones((2, 2))], 10), "positive definite.*ridge"),
        (([A, [[1, np.nan], [np.nan, 1]]], 10), "must be finite"),
        (([A, B], 0), "block_length must be at least 1, got 0"),
        (([A, B], 10, [0, 2]), "order must name contexts 0 to 1, got 2"),
        (([A, B], 10, []), "order must name at least one"),
        (([A, B], 10, [0, -1]), "order must be at least 0"),
        (([A, B], 10, None, ["x"]), "a name for each of 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    covariances, length, *rest = arguments
    names = dict(zip(("order", "context_names"), rest, strict=False))
    with pytest.raises(ValueError, match=message):
        SwitchingEnvironment(covariances, length, **names)


@pytest.mark.parametrize("arguments", [("ab", 10), ([A, B], 2.5), (5, 10)])
def test_arguments_of_the_wrong_type_are_refused(arguments):
    with pytest.raises(TypeError, match="must be"):
        SwitchingEnvironment(*arguments)


def test_seeds_and_blocks_are_checked():
    environment = StationaryEnvironment(A)
    np.testing.assert_array_equal(
        environment.sample(5, seed=3), environment.sample(5, seed=np.random.SeedSequence(3))
    )
    for seed, error in (("x", TypeError), (1.5, TypeError), (-1, ValueError)):
        with pytest.raises(error, match="seed must be"):
            environment.sample(5, seed=seed)
        with pytest.raises(error, match="seed must be"):
            environment.describe(5, seed=seed)
    with pytest.raises(ValueError, match="block_size must be at least 1, got 0"):
        next(realized(environment).blocks(10, 0))


def test_unknown_stored_types_are_refused():
    with pytest.raises(ValueError, match=r"type must be one of .*SwitchingEnvironment"):
        from_parameters({"type": "os.system"})
