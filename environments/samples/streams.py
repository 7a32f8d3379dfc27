"""Streams of random numbers: one per purpose and replicate, found by its key."""

import numpy as np

from environments.checks import seed_sequence, whole_number

# First numbers of keys. Keys that begin with 0 are the chunks of samples.
CHUNKS, PATH, START, CHOICE, PART = range(5)


def child(seed: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """Return the seed at `key` below `seed`, the same one at every call.

    ``SeedSequence.spawn`` counts its calls; this one depends on the key alone.
    """
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))


def stream(seed: np.random.SeedSequence) -> np.random.Generator:
    """Return a fresh generator. SFC64 is NumPy's fastest: normals in 0.85 of PCG64's time."""
    return np.random.Generator(np.random.SFC64(seed))


def checked_path_seed(path_seed: int | None, *, random: bool) -> int | None:
    """Return `path_seed` if it is a seed and there is a random path that it can fix."""
    if path_seed is None:
        return None
    if not random:
        raise ValueError(
            f"path_seed fixes a random path, but this one is not random, got {path_seed!r}; "
            "leave it out: all replicates have the same path as it is"
        )
    return whole_number("path_seed", path_seed, minimum=0)


def path_generator(
    path_seed: int | None, realization_seed: np.random.SeedSequence, *key: int
) -> np.random.Generator:
    """Return the generator of a replicate's path, or of the path that all replicates share."""
    seed = seed_sequence("seed", realization_seed if path_seed is None else path_seed)
    return stream(child(seed, PATH, *key))
