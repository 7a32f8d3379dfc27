"""From what a user gives as `rng` to one independent seed a replicate."""

from typing import TypeAlias

import numpy as np

Rng: TypeAlias = int | np.random.SeedSequence | np.random.Generator | None


def root_seed(rng: Rng) -> np.random.SeedSequence:
    """Return the SeedSequence at the root of a run.

    Parameters
    ----------
    rng : None, int, SeedSequence or Generator
        None draws fresh entropy. A Generator is drawn from, and so moves on: two runs given the
        same Generator differ, two given the same int or SeedSequence are equal.

    Raises
    ------
    TypeError, ValueError
        If `rng` is of another type, or a negative int.

    Examples
    --------
    >>> root_seed(7).entropy
    7
    """
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(rng.integers(0, 2**32, size=4, dtype=np.uint32).tolist())
    if rng is None:
        return np.random.SeedSequence()
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
        raise TypeError(f"rng must be None, an int, a SeedSequence or a Generator, got {rng!r}")
    if rng < 0:
        raise ValueError(f"rng must not be negative, got {rng}")
    return np.random.SeedSequence(int(rng))


def child_seed(parent: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """Return the child of `parent` at `key`, without counting it as spawned.

    Examples
    --------
    >>> child_seed(np.random.SeedSequence(7), 3).spawn_key
    (3,)
    """
    return np.random.SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, *key))
