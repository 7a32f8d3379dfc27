"""Seeds that are worked out together are NumPy's, bit for bit."""

import numpy as np
import pytest

from environments import StationaryEnvironment
from environments.seeds import words_of_children

ENTROPIES = [0, 5, 2**32 - 1, 2**32, 2**128 - 1, 2**200 + 7, [1, 2**40, 3], [1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize("entropy", ENTROPIES)
@pytest.mark.parametrize("key", [(), (0,), (3, 0), (2**33, 0, 5)])
def test_words_are_those_of_spawned_seed_sequences(entropy, key):
    parent = np.random.SeedSequence(entropy, spawn_key=key)
    for first, stop in ((0, 5), (1000, 1002), (2**32 - 2, 2**32)):
        expected = [
            np.random.SeedSequence(entropy, spawn_key=(*key, child)).generate_state(3, np.uint64)
            for child in range(first, stop)
        ]
        np.testing.assert_array_equal(words_of_children(parent, first, stop), expected)


def test_generators_are_those_of_the_seed_at_their_key_in_any_order():
    realization = StationaryEnvironment(np.eye(2)).realize(np.random.SeedSequence(9).spawn(2)[1])
    for key in ((0, 0), (0, 63), (0, 64), (0, 1), (3,), (3, 2, 2**32), (3, 2, 1), (0, 64), (0, 64)):
        seed = np.random.SeedSequence(9, spawn_key=(1, *key))
        expected = np.random.Generator(np.random.SFC64(seed)).standard_normal(5)
        np.testing.assert_array_equal(realization.generator(*key).standard_normal(5), expected)
