"""Covariances that are held for some samples at a time because each needs a decomposition."""

import math
from abc import ABC, abstractmethod

import numpy as np

from environments.checks import Floats, Integers
from environments.paths import Geodesic, RandomPath
from environments.samples import ColouredRealization, Sources
from environments.samples.streams import path_generator
from environments.samples.stretches import stretches

_CHECKPOINT = 64  # steps between states that are kept, so that going back is fast


class Stepped(ABC):
    """A path whose covariance is held for a number of samples at a time.

    Parameters
    ----------
    n_neurons : int
    """

    def __init__(self, n_neurons: int) -> None:
        self.n_neurons = n_neurons
        self._known = -1, np.empty(0)

    @property
    def last(self) -> int | None:
        """The first step after which the covariance stays as it is, or None if it never does."""
        return None

    def factor(self, step: int) -> Floats:
        """Return F with C = F F' in force during a step."""
        if self._known[0] != step:
            self._known = step, self._factor(step)
        return self._known[1]

    @abstractmethod
    def _factor(self, step: int) -> Floats:
        """Compute F."""


class GeodesicSteps(Stepped):
    """The steps of a geodesic, of `units` each."""

    def __init__(self, path: Geodesic, units: float) -> None:
        super().__init__(path.n_neurons)
        self._path = path
        self._units = units

    @property
    def last(self) -> int:
        """The step in which the path arrives."""
        return math.ceil(self._path.end / self._units * (1 - 1e-12))  # 7 / (1 / 7) is 49.00...01

    def _factor(self, step: int) -> Floats:
        return self._path.factor(step * self._units)


class RandomSteps(Stepped):
    """The steps of a random path, each drawn from the one before; some are stored.

    The steps between two stored ones have a generator of their own.
    """

    def __init__(
        self, path: RandomPath, units: float, path_seed: int | None, seed: np.random.SeedSequence
    ) -> None:
        super().__init__(path.n_neurons)
        self._path = path
        self._units = units
        self._seeds = path_seed, seed
        self._rng = path_generator(*self._seeds, 0)
        self._now = path.start(self._rng)
        self._at = 0
        self._kept = [self._now]

    def _factor(self, step: int) -> Floats:
        return self._path.factor(self._state(step))

    def _state(self, step: int) -> Floats:
        stretch = min(step // _CHECKPOINT, len(self._kept) - 1)
        if not stretch * _CHECKPOINT <= self._at <= step:
            self._at, self._now = stretch * _CHECKPOINT, self._kept[stretch]
        while self._at < step:
            stretch, since = divmod(self._at, _CHECKPOINT)
            if since == 0:
                self._rng = path_generator(*self._seeds, 1 + stretch)
            self._now = self._path.advance(self._now, self._units, self._rng)
            self._at += 1
            if self._at == len(self._kept) * _CHECKPOINT:
                self._kept.append(self._now)
        return self._now


class SteppedRealization(ColouredRealization):
    """A replicate in which each step of a path is in force for a number of samples.

    Parameters
    ----------
    steps : Stepped
    held : int
        Samples per step.
    sources : Sources
    seed : SeedSequence
    """

    def __init__(
        self, steps: Stepped, held: int, sources: Sources, seed: np.random.SeedSequence
    ) -> None:
        super().__init__(steps.n_neurons, sources, seed)
        self._steps = steps
        self._held = held

    def settled(self) -> int | None:
        """Return the first sample from which the covariance stays as it is, None if never."""
        last = self._steps.last
        return None if last is None else last * self._held

    def covariances(self, samples: Integers) -> Floats:
        """Return the covariance in force for each of `samples`, (len(samples), n, n)."""
        path = np.empty((len(samples), self.n_neurons, self.n_neurons))
        for step, rows in stretches(np.asarray(samples) // self._held):
            factor = self._steps.factor(step)
            path[rows] = factor @ factor.T
        return path

    def colour(self, start: int, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples from `start` on, given the covariance of their step."""
        stop = start + len(white)
        for step in range(start // self._held, (stop - 1) // self._held + 1):
            first = max(step * self._held, start) - start
            rows = slice(first, min((step + 1) * self._held, stop) - start)
            np.matmul(white[rows], self._steps.factor(step).T, out=inputs[rows])
