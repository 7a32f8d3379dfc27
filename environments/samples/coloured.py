"""White sources that are given the covariance in force."""

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

    @abstractmethod
    def colour(self, start: int, white: Floats, inputs: Floats) -> None:
        """Write to `inputs` white samples that are given the covariance in force for each.

        They are the samples from `start` on, all of one chunk.
        """
