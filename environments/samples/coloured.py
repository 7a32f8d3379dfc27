"""White sources that are given the covariance in force."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from environments.checks import Floats
from environments.samples.readers import Piece
from environments.samples.realization import SequentialRealization
from environments.samples.sources import Sources


class ColouredRealization(SequentialRealization):
    """A replicate whose inputs are white sources that are given the covariance in force.

    Parameters
    ----------
    n_neurons : int
    sources : Sources
    seed : SeedSequence
    """

    def __init__(self, n_neurons: int, sources: Sources, seed: np.random.SeedSequence) -> None:
        super().__init__(n_neurons, seed)
        self._sources = sources

    def pieces(self, first: int) -> Iterator[Piece]:
        """Yield pieces from the beginning of chunk `first` on."""
        for start, white in self._sources.pieces(self.generator, self.n_neurons, first):
            yield functools.partial(self.colour, start, white)

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        """Return what tails and memory of the sources add to variances of products."""
        columns = np.empty((self.n_neurons, self.n_neurons))
        for row, unit in enumerate(np.eye(self.n_neurons)):  # colouring is linear
            self.colour(sample, unit[None], columns[row : row + 1])
        return self._sources.excess_variances(whitening @ columns.T, rates)

    @abstractmethod
    def colour(self, start: int, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples that are given the covariance in force for each.

        They are the samples from `start` on, all of one chunk.
        """
