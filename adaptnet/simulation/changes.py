"""The changes of context in a run: when, from what to what, how far, and to which noise floors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptnet.circuits.base import Circuit
from adaptnet.files.schema import ALWAYS, CHANGES, DIRECTIONS, FLOORS, VARIABLES
from adaptnet.metrics import affine_invariant_distance
from adaptnet.protocols import Environment
from adaptnet.seeding import child_seed
from adaptnet.theory.noise import noise_floor_or_none

_PATH = tuple(name for name in ALWAYS if "change" in ALWAYS[name].dims)
_LEVEL = 1e-9  # relative growth in total variance: rounding in a rotated covariance is far below


def described_changes(
    environment: Environment,
    noisy: Sequence[Circuit],
    seed: np.random.SeedSequence,
    replicates: Sequence[int],
    n_samples: int,
) -> dict[str, npt.NDArray[Any]]:
    """Return the schema's variables of changes, from one pass over the realizations.

    Parameters
    ----------
    environment : Environment
        Its realizations are pure functions of their seeds, so that they can be asked anew.
    noisy : sequence of Circuit
        Circuits whose noise floors after each change are wanted; none for a run without noise.
    seed : SeedSequence
        Of the run.
    replicates : sequence of int
    n_samples : int

    Returns
    -------
    dict
        Arrays (replicate, change), floors (circuit, replicate, change); -1 or NaN where a replicate
        has fewer changes than others. Without truth neither distances, directions nor floors.

    Examples
    --------
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> changes = described_changes(environment, [], np.random.SeedSequence(0), [0], 250)
    >>> changes["change_sample"], changes["context_entered"], changes["change_distance"].round(3)
    (array([[100, 200]]), array([[1, 0]]), array([[1.961, 1.961]]))
    """
    realizations = [environment.realize(child_seed(seed, r)) for r in replicates]
    paths = [realization.change_samples(n_samples) for realization in realizations]
    known = environment.truth != "absent"
    floors = FLOORS if known and noisy else ()
    shape = (len(paths), max(map(len, paths)))
    described = {
        name: np.full(
            (len(noisy), *shape) if name in floors else shape,
            np.nan if VARIABLES[name].dtype == "f8" else -1,
            VARIABLES[name].dtype,
        )
        for name in (*_PATH, *(CHANGES if known else ()), *floors)
    }
    of_covariance: dict[bytes, list[tuple[float, ...]]] = {}
    for r, (realization, path) in enumerate(zip(realizations, paths, strict=True)):
        for i, at in enumerate(path):
            around = np.array([at - 1, at])
            for name, value in zip(_PATH, (at, *realization.contexts(around)), strict=True):
                described[name][r, i] = value
            if not known:
                continue
            left, entered = realization.covariances(around)
            growth = np.trace(entered) / np.trace(left) - 1
            direction = "level" if abs(growth) < _LEVEL else "up" if growth > 0 else "down"
            described["change_distance"][r, i] = affine_invariant_distance(left, entered)
            described["change_direction"][r, i] = DIRECTIONS.index(direction)
            if floors:
                key = entered.tobytes()  # contexts recur, and floors take a while
                if key not in of_covariance:
                    of_covariance[key] = [_floors(circuit, entered) for circuit in noisy]
                for name, values in zip(floors, zip(*of_covariance[key], strict=True), strict=True):
                    described[name][:, r, i] = values
    return described


def _floors(circuit: Circuit, covariance: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return noise_floor_or_none(circuit, covariance) or (np.nan,) * len(FLOORS)
