"""The changes of context in a run: when, from what to what, how far, and to which noise floors."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import Circuit
from adaptnet.files.schema import ALWAYS, CHANGES, DIRECTIONS, FLOORS, VARIABLES
from adaptnet.metrics import affine_invariant_distance
from adaptnet.protocols import Environment, Realization
from adaptnet.seeding import child_seed
from adaptnet.simulation.progress import Lines
from adaptnet.theory.noise import ProductVariances, noise_floor_or_none

_PATH = tuple(name for name in ALWAYS if "change" in ALWAYS[name].dims)
_LEVEL = 1e-9  # relative growth in total variance: rounding in a rotated covariance is far below
_BLOCK_BYTES = 2**24  # of covariances held at a time: a path may have a million changes


class Path(NamedTuple):
    """The changes of one replicate: the sample at which each begins, and at which it is over."""

    begin: Integers
    end: Integers


def paths_of(
    environment: Environment,
    seed: np.random.SeedSequence,
    replicates: Sequence[int],
    n_samples: int,
) -> list[Path]:
    """Return the changes of each of `replicates`; abrupt ones are over where they begin."""
    paths = []
    for replicate in replicates:
        realization = environment.realize(child_seed(seed, replicate))
        begin = realization.change_samples(n_samples)
        change_ends = getattr(realization, "change_ends", None)
        end = begin if change_ends is None else np.asarray(change_ends(n_samples), np.int64)
        paths.append(Path(begin, end))
    return paths


def described_changes(
    environment: Environment,
    noisy: Sequence[Circuit],
    seed: np.random.SeedSequence,
    replicates: Sequence[int],
    n_samples: int,
    paths: Sequence[Path] | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """Return the schema's variables of changes, from one pass over the realizations.

    A change that takes time is described by the covariances before it begins and after it has
    ended: distance, direction and noise floors are those of the whole change.

    Parameters
    ----------
    environment : Environment
        Its realizations are pure functions of their seeds, so that they can be asked again.
    noisy : sequence of Circuit
        Circuits whose noise floors after each change are wanted; empty for a run without noise.
    seed : SeedSequence
        Of the run.
    replicates : sequence of int
    n_samples : int
    paths : sequence of Path, optional
        The changes of `replicates`, if they are known.

    Returns
    -------
    dict
        Arrays (replicate, change), floors (circuit, replicate, change); -1 or NaN if a replicate
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
    paths = paths_of(environment, seed, replicates, n_samples) if paths is None else paths
    known = environment.truth != "absent"
    floors = tuple(FLOORS) if known and noisy else ()
    shape = (len(paths), max(len(path.begin) for path in paths))
    described = {
        name: np.full(
            (len(noisy), *shape) if name in floors else shape,
            np.nan if VARIABLES[name].dtype == "f8" else -1,
            VARIABLES[name].dtype,
        )
        for name in (*_PATH, *(CHANGES if known else ()), *floors)
    }
    floors_in = _Floors(noisy)
    progress = Lines(len(paths) * shape[1], unit="changes described")  # floors may take minutes
    for r, (realization, (path, ends)) in enumerate(zip(realizations, paths, strict=True)):
        row = slice(0, len(path))
        entered = realization.contexts(path)
        described["change_sample"][r, row] = path
        described["change_end"][r, row] = ends
        described["context_left"][r, row] = realization.contexts(path - 1)
        described["context_entered"][r, row] = entered
        if not known:
            continue
        for i, after_sample, before, after in _covariances(realization, path, ends):
            progress(1)
            described["change_distance"][r, i] = affine_invariant_distance(before, after)
            described["change_direction"][r, i] = DIRECTIONS.index(_direction(before, after))
            if floors:
                variances = product_variances(realization, after_sample)
                values = floors_in(int(entered[i]), after, variances)
                for name, of_circuits in zip(floors, values, strict=True):
                    described[name][:, r, i] = of_circuits
    return described


def _covariances(
    realization: Realization, path: Integers, ends: Integers
) -> Iterator[tuple[int, int, Floats, Floats]]:
    """Yield each change's number, a sample at which it is over, and the covariances on both sides.

    A change that the next one overtakes ends with the sample before that.
    """
    if not len(path):
        return
    begin = path
    if ends[-1] > path[-1]:  # the run may end before this change, and before the next one begins
        begin = realization.change_samples(int(ends[-1]) + 1)
    following = begin[1 : len(path) + 1] - 1
    after = ends.copy()
    after[: len(following)] = np.minimum(ends[: len(following)], following)
    n = realization.covariances(path[:1]).shape[-1]
    size = max(1, _BLOCK_BYTES // (2 * 8 * n * n))
    for first in range(0, len(path), size):
        block = slice(first, first + size)
        matrices = realization.covariances(np.concatenate([path[block] - 1, after[block]]))
        left, entered = np.split(matrices, 2)
        for i, both in enumerate(zip(left, entered, strict=True), start=first):
            yield i, int(after[i]), *both


def _direction(before: Floats, after: Floats) -> str:
    growth = np.trace(after) / np.trace(before) - 1
    return "level" if abs(growth) < _LEVEL else "up" if growth > 0 else "down"


def product_variances(realization: Realization, sample: int) -> ProductVariances:
    """Return what a realization knows of the products of its outputs: nothing by default."""
    known = getattr(realization, "product_variances", None)
    return (lambda rates: None) if known is None else functools.partial(known, sample)


class _Floors:
    """Noise floors of some circuits; contexts recur, and floors take a while, so they are kept."""

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        self._circuits = circuits
        self._known: dict[tuple[int, bytes], list[tuple[float, ...]]] = {}

    def __call__(
        self, context: int, covariance: Floats, variances: ProductVariances
    ) -> list[tuple[float, ...]]:
        """Return for each floor of the schema its values (circuit,) in a context."""
        key = context, covariance.tobytes()
        if key not in self._known:
            floors = [noise_floor_or_none(c, covariance, variances) for c in self._circuits]
            missing = (np.nan,) * len(FLOORS)
            by_circuit = [missing if floor is None else tuple(floor) for floor in floors]
            self._known[key] = list(zip(*by_circuit, strict=True))
        return self._known[key]
