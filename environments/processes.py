"""Random paths of covariances, in time constants: stationary processes, followed step by step."""

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from environments._checks import Floats, cholesky, covariance_matrix, positive, whole_number
from environments.geometry import distance
from environments.paths import Path


class RandomPath(Path):
    """A stationary Markov process of covariances, followed by a state that is drawn step by step.

    States are arrays of standard normal entries, each an Ornstein-Uhlenbeck process with time
    constant 1 in u; steps follow its exact law, whatever their length.
    """

    unit = "a time constant"

    @property
    def stepwise(self) -> bool:
        """Whether the covariance has to be held for some samples at a time."""
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
        """Return the state so many units later."""
        kept, fresh = np.exp(-units), np.sqrt(-np.expm1(-2 * units))
        return np.asarray(kept * state + fresh * rng.standard_normal(self.state_shape))

    def displacement(self, units: float, metric: str) -> float:
        """Return the root mean square distance between covariances so many units apart.

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


class LogOrnsteinUhlenbeck(RandomPath):
    """The logarithm of the covariance wanders about a mean: Ornstein-Uhlenbeck on log C.

    log C = log(covariance) + spread E, where E is a symmetric matrix of Gaussian processes: of
    variance 1 on the diagonal and 1/2 beside it, so that no direction is preferred. exp keeps every
    covariance positive definite; its law at any time is the lognormal one of matrices (Schwartzman
    2016, Int. Stat. Rev. 84, 456-486).

    Parameters
    ----------
    covariance : array (neuron, neuron)
        Centre of the process, exp of the mean of log C.
    spread : float
        Standard deviation of the logarithm of a variance about it, dimensionless.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not one of full rank, or the spread not positive.

    Examples
    --------
    >>> LogOrnsteinUhlenbeck(np.eye(3), 0.5).state_shape
    (3, 3)
    """

    def __init__(self, covariance: npt.ArrayLike, spread: float) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._spread = positive("spread", spread)
        values, vectors = np.linalg.eigh(self._covariance)
        self._mean = (vectors * np.log(values)) @ vectors.T

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""
        return self._covariance.shape

    def factor(self, state: Floats) -> Floats:
        """Return F with C = F F' for a state."""
        symmetric = (state + state.T) / 2  # variances 1 and 1/2
        values, vectors = np.linalg.eigh(self._mean + self._spread * symmetric)
        return np.asarray(vectors * np.exp(values / 2))

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "LogOrnsteinUhlenbeck",
            "covariance": self._covariance.tolist(),
            "spread": self._spread,
        }


class WishartProcess(RandomPath):
    """The covariance of a few vectors that wander: a stationary Wishart process.

    C = X X' / degrees_of_freedom, the columns of X being independent Ornstein-Uhlenbeck processes
    with the given covariance (Bru 1991, J. Theor. Probab. 4, 725-751). Its mean is that covariance;
    the fewer degrees of freedom, the farther it strays.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        Mean of the process.
    degrees_of_freedom : int
        Columns, more than neurons: with as many or fewer the path would reach or lie on the border
        of the positive definite cone.

    Raises
    ------
    TypeError, ValueError
        If the covariance is not one of full rank, or degrees of freedom are too few.

    Examples
    --------
    >>> WishartProcess(np.eye(3), 12).state_shape
    (3, 12)
    """

    def __init__(self, covariance: npt.ArrayLike, degrees_of_freedom: int) -> None:
        self._covariance = covariance_matrix("covariance", covariance)
        self._degrees = whole_number("degrees_of_freedom", degrees_of_freedom)
        if self._degrees <= self.n_neurons:
            raise ValueError(
                f"degrees_of_freedom must be above the number of neurons, {self.n_neurons}, got "
                f"{degrees_of_freedom}: covariances would leave the positive definite cone, or "
                "come arbitrarily near its border"
            )
        self._root = cholesky(self._covariance)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariance)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""
        return (self.n_neurons, self._degrees)

    def factor(self, state: Floats) -> Floats:
        """Return F with C = F F' for a state."""
        return self._root @ cholesky(state @ state.T / self._degrees)

    def parameters(self) -> dict[str, Any]:
        """Return the path as plain JSON values."""
        return {
            "type": "WishartProcess",
            "covariance": self._covariance.tolist(),
            "degrees_of_freedom": self._degrees,
        }
