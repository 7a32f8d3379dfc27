"""The base of random paths: stationary processes, followed step by step."""

from abc import abstractmethod

import numpy as np

from environments.checks import Floats
from environments.paths.base import Path
from environments.paths.geometry import distance


class RandomPath(Path):
    """A stationary Markov process of covariances, followed by a state that is drawn step by step.

    States are arrays of standard normal entries, each an Ornstein-Uhlenbeck process with time
    constant 1 in u; steps follow its exact law, whatever the length of a step.
    """

    unit = "a time constant"

    @property
    def stepwise(self) -> bool:
        """Whether the covariance is held for some samples at a time."""
        return True

    @property
    @abstractmethod
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""

    @abstractmethod
    def factor(self, state: Floats) -> Floats:
        """Return F with C = F F' for a state."""

    def start(self, rng: np.random.Generator) -> Floats:
        """Return a state of the stationary law."""
        return rng.standard_normal(self.state_shape)

    def advance(self, state: Floats, units: float, rng: np.random.Generator) -> Floats:
        """Return the state a number of units later."""
        kept, fresh = np.exp(-units), np.sqrt(-np.expm1(-2 * units))
        return np.asarray(kept * state + fresh * rng.standard_normal(self.state_shape))

    def displacement(self, units: float, metric: str) -> float:
        """Return the root mean square distance between covariances a number of units apart.

        It is estimated from some hundreds of pairs at a fixed seed (from fewer where there are many
        neurons, for distances then vary less), within some percent.
        """
        rng = np.random.Generator(np.random.SFC64(0))
        ends = []
        for _ in range(max(16, 1024 // self.n_neurons)):
            state = self.start(rng)
            ends.append([self.factor(state), self.factor(self.advance(state, units, rng))])
        factors = np.array(ends)
        covariances = factors @ np.swapaxes(factors, -1, -2)
        apart = distance(covariances[:, 0], covariances[:, 1], metric)
        return float(np.sqrt((apart**2).mean()))
