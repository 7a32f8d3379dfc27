"""Streams, pieces and chunks: what samples are drawn from."""

import numpy as np
import pytest

from environments import StationaryEnvironment
from environments.samples import CHUNK, piece_size


def test_generators_are_those_of_the_seed_at_their_key_in_any_order():
    realization = StationaryEnvironment(np.eye(2)).realize(np.random.SeedSequence(9).spawn(2)[1])
    for key in ((0, 0), (0, 63), (0, 64), (0, 1), (3,), (3, 2, 2**32), (3, 2, 1), (0, 64), (0, 64)):
        seed = np.random.SeedSequence(9, spawn_key=(1, *key))
        expected = np.random.Generator(np.random.SFC64(seed)).standard_normal(5)
        np.testing.assert_array_equal(realization.generator(*key).standard_normal(5), expected)


def test_gaussian_samples_are_the_normals_of_each_chunks_stream():
    """What the page on environments promises, written down with NumPy alone."""
    factor = np.array([[2.0, 0.0], [0.5, 1.0]])
    environment = StationaryEnvironment(factor @ factor.T)
    streams = [
        np.random.Generator(np.random.SFC64(np.random.SeedSequence(4, spawn_key=(0, chunk))))
        for chunk in range(2)
    ]
    white = np.concatenate([stream.standard_normal((CHUNK, 2)) for stream in streams])
    # one product of matrices or several: equal to rounding
    np.testing.assert_allclose(
        environment.sample(2 * CHUNK, seed=4), white @ factor.T, rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("n_neurons", [1, 2, 10, 64, 1000, 10_000])
def test_pieces_divide_chunks_and_stay_in_the_cache(n_neurons):
    size = piece_size(n_neurons)
    assert CHUNK % size == 0
    assert size == 64 or size * n_neurons <= 2**15
