"""White sources: uncorrelated samples of unit variance, to which environments give a covariance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy

from environments.checks import Floats, non_negative, one_of, positive
from environments.configuration import Configuration
from environments.samples.products import gaussian_variances, memory_factor
from environments.samples.readers import CHUNK, piece_size
from environments.samples.streams import CHUNKS, START

MARGINALS = ("gaussian", "laplace", "student_t")


class Sources(Configuration):
    """White sources: the distribution of inputs beyond their covariance.

    Parameters
    ----------
    marginal : str
        ``"gaussian"``; ``"laplace"``, independent Laplace sources that are mixed linearly, as in
        independent component analysis; or ``"student_t"``, the multivariate t distribution, whose
        samples have a common random scale, as responses to natural inputs do (Wainwright &
        Simoncelli 2000, Adv. Neural Inf. Process. Syst. 12, 855-861). All have unit variance, so
        that the covariance of the inputs is the one stated.
    degrees_of_freedom : float, optional
        Of the t distribution, above 4, so that empirical covariances have a sampling error.
    time_constant : float
        Samples in which the autocorrelation of each source falls by e: an AR(1) process that
        starts in its stationary law. The covariance at each sample is unchanged. With 0 samples are
        independent. Gaussian sources only: a filter would change other marginals.

    Raises
    ------
    TypeError, ValueError
        If the marginal is unknown, degrees of freedom are missing, too few or superfluous, or a
        time constant is given with a marginal that a filter would change.

    Examples
    --------
    >>> Sources("student_t", degrees_of_freedom=6)
    Sources(marginal='student_t', degrees_of_freedom=6.0, time_constant=0.0)
    """

    def __init__(
        self,
        marginal: str = "gaussian",
        *,
        degrees_of_freedom: float | None = None,
        time_constant: float = 0.0,
    ) -> None:
        self._marginal = one_of("marginal", marginal, MARGINALS)
        self._degrees = None
        if (degrees_of_freedom is not None) != (marginal == "student_t"):
            raise ValueError(
                'degrees_of_freedom must be given with marginal="student_t" and only then, '
                f"got {degrees_of_freedom!r} with {marginal!r}"
            )
        if degrees_of_freedom is not None:
            self._degrees = positive("degrees_of_freedom", degrees_of_freedom)
            if self._degrees <= 4:
                raise ValueError(
                    "degrees_of_freedom must be above 4, so that fourth moments exist, "
                    f"got {degrees_of_freedom!r}"
                )
        self._time_constant = non_negative("time_constant", time_constant)
        if self._time_constant and marginal != "gaussian":
            raise ValueError(
                f"time_constant must be 0 with marginal={marginal!r}, whose shape a filter would "
                f"change, got {time_constant!r}; use Gaussian sources"
            )

    def pieces(
        self, generator: Callable[..., np.random.Generator], n_neurons: int, first: int
    ) -> Iterator[tuple[int, Floats]]:
        """Yield white samples from the beginning of chunk `first` on, in pieces.

        Each with the number of its first sample. A piece may be overwritten by the next.
        """
        if self._time_constant:
            yield from self._correlated(generator, n_neurons, first)
        size = piece_size(n_neurons)
        white = np.empty((size, n_neurons))
        for index in itertools.count(first):
            rng = generator(CHUNKS, index)
            for start in range(index * CHUNK, (index + 1) * CHUNK, size):
                self._draw(rng, white)
                yield start, white

    def _draw(self, rng: np.random.Generator, white: Floats) -> None:
        if self._marginal == "laplace":
            # A difference of exponentials: faster than rng.laplace, which takes logarithms.
            rng.standard_exponential(out=white)
            white -= rng.standard_exponential(white.shape)
            white *= np.sqrt(0.5)
            return
        rng.standard_normal(out=white)
        if self._degrees is not None:
            white *= np.sqrt((self._degrees - 2) / rng.chisquare(self._degrees, (len(white), 1)))

    def _correlated(
        self, generator: Callable[..., np.random.Generator], n_neurons: int, first: int
    ) -> Iterator[tuple[int, Floats]]:
        memory = np.exp(-1 / self._time_constant)
        fresh = np.sqrt(-np.expm1(-2 / self._time_constant))
        state = memory * generator(START).standard_normal((1, n_neurons))
        size = piece_size(n_neurons)
        noise = np.empty((size, n_neurons))
        for index in itertools.count():  # from 0, because each sample depends on those before it
            rng = generator(CHUNKS, index)
            for start in range(index * CHUNK, (index + 1) * CHUNK, size):
                rng.standard_normal(out=noise)
                white, state = scipy.signal.lfilter(
                    [fresh], [1.0, -memory], noise, axis=0, zi=state
                )
                if index >= first:
                    yield start, white

    def excess_variances(self, mixing: Floats, rates: Floats) -> Floats:
        """Return by how much variances of products y_i y_j exceed those of white Gaussian sources.

        Parameters
        ----------
        mixing : array (n, n)
            y = mixing @ sources.
        rates : array (n, n)
            As for :meth:`environments.Realization.product_variances`.

        Examples
        --------
        >>> Sources("laplace").excess_variances(np.eye(2), np.zeros((2, 2)))
        array([[3., 0.],
               [0., 3.]])
        """
        if self._marginal == "laplace":
            squares = mixing**2
            return np.asarray(3 * squares @ squares.T)  # 3: the excess kurtosis of each source
        covariance = mixing @ mixing.T
        gaussian = gaussian_variances(covariance)
        if self._degrees is not None:
            growth = (self._degrees - 2) / (self._degrees - 4)  # E s^4 / (E s^2)^2 of the scale s
            return np.asarray((growth - 1) * (gaussian + covariance**2))
        if self._time_constant:
            # Autocovariances of products fall twice as fast as those of the sources.
            return (memory_factor(np.exp(-2 / self._time_constant), rates) - 1) * gaussian
        return np.zeros_like(gaussian)

    def parameters(self) -> dict[str, Any]:
        """Return the sources as plain JSON values."""
        return {
            "type": "Sources",
            "marginal": self._marginal,
            "degrees_of_freedom": self._degrees,
            "time_constant": self._time_constant,
        }


def checked_sources(sources: Sources | None) -> Sources:
    """Return `sources`, or Gaussian ones without memory."""
    if sources is not None and not isinstance(sources, Sources):
        raise TypeError(f"sources must be a Sources, got {sources!r}")
    return sources or Sources()
