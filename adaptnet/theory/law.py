"""What theory knows of a kind of circuit, whichever it is: the functions that all share.

Time is synaptic time t = eta * samples throughout; a mode is a common eigenvector of the effective
weights and of C, with target s, the square root of the variance along it. Derivations, and which
statement is whose: docs/theory.md.
"""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_numbers, threshold_below_one


class Law(ABC):
    """How the effective weights of a kind of circuit move on average.

    A subclass holds the circuit's equations, for arguments that have been checked; the methods that
    are public here check them.
    """

    @abstractmethod
    def drift(self, weights: Floats, covariance: Floats) -> Floats:
        """Return the change of the weights per unit of synaptic time; all (n, n), not checked."""

    @abstractmethod
    def offline_step(self, weights: Floats, covariance: Floats, learning_rate: float) -> Floats:
        """Return the weights after one update with C_yy in place of yy', not checked."""

    @abstractmethod
    def _rate(self, s_i: Floats, s_j: Floats) -> Floats:
        """Return the rate at which the entry i, j of a small deviation decays."""

    @abstractmethod
    def _elapsed(self, target: Floats, start: Floats, end: Floats) -> Floats:
        """Return the time from the deviation `start` to `end`, each m/s - 1, of one sign."""

    @abstractmethod
    def _weight(self, time: Floats, target: Floats, start: Floats) -> Floats:
        """Return the weight of each mode after its time."""

    def mode_time(self, target: npt.ArrayLike, start: npt.ArrayLike, threshold: float) -> Floats:
        """Return the synaptic time until a mode's error |s^2/m^2 - 1| is at most `threshold`.

        Parameters
        ----------
        target : array
            s, square root of the variance of the inputs along the mode.
        start : array
            m0, weight of the mode at time 0; broadcasts against `target`.
        threshold : float
            Between 0 and 1.

        Returns
        -------
        array
            0 where the start is that close already.

        Raises
        ------
        TypeError, ValueError
            If a target or start is not positive, or the threshold not between 0 and 1.

        Examples
        --------
        >>> from adaptnet.theory import law_of
        >>> law_of("direct").mode_time(1.0, [2.0, 10.0, 100.0], 0.1).round(3)
        array([  2.215,  10.664, 100.754])
        >>> law_of("interneuron").mode_time(1.0, [2.0, 10.0, 100.0], 0.1).round(3)
        array([0.824, 1.698, 2.852])
        """
        s, m0 = np.broadcast_arrays(
            positive_numbers("target", target), positive_numbers("start", start)
        )
        error = threshold_below_one(threshold)
        before = (m0 - s) / s
        # From above the output variance s^2/m^2 rises to 1 - error, from below it falls to
        # 1 + error. Deviations, not weights: these keep their digits however small the error.
        after = np.expm1(-np.log1p(np.where(before > 0, -error, error)) / 2)
        far = np.abs(before) > np.abs(after)
        times: Floats = np.zeros(s.shape)
        times[far] = self._elapsed(s[far], before[far], after[far])
        return times

    def mode(self, time: npt.ArrayLike, target: npt.ArrayLike, start: npt.ArrayLike) -> Floats:
        """Return the weight of a mode after a synaptic time.

        Parameters
        ----------
        time, target, start : array
            t, s and m0; they broadcast against each other.

        Raises
        ------
        TypeError, ValueError
            If a target or start is not positive, or a time negative.

        Examples
        --------
        >>> from adaptnet.theory import law_of
        >>> law_of("direct").mode([0.0, 5.0, 50.0], target=1.0, start=10.0).round(3)
        array([10.   ,  5.098,  1.   ])
        >>> law_of("interneuron").mode([0.0, 0.5, 5.0], target=1.0, start=10.0).round(3)
        array([10.   ,  3.794,  1.   ])
        """
        return self._weight(
            *np.broadcast_arrays(
                positive_numbers("time", time, zero=True),
                positive_numbers("target", target),
                positive_numbers("start", start),
            )
        )

    def local_rates(self, covariance: npt.ArrayLike) -> Floats:
        """Return the rates at which small deviations from A = C^(1/2) decay.

        Parameters
        ----------
        covariance : array (n, n)

        Returns
        -------
        array (n, n)
            Row i, column j: the rate of the deviation's entry i, j in the eigenbasis of C, whose
            eigenvalues s_i^2 are in ascending order. Per unit of synaptic time.

        Raises
        ------
        TypeError, ValueError
            If the covariance is not symmetric positive definite.

        Examples
        --------
        >>> from adaptnet.theory import law_of
        >>> law_of("direct").local_rates([[1.0, 0.0], [0.0, 4.0]])
        array([[2. , 1.5],
               [1.5, 1. ]])
        >>> law_of("interneuron").local_rates([[1.0, 0.0], [0.0, 4.0]])
        array([[4. , 4.5],
               [4.5, 4. ]])
        """
        s = np.sqrt(np.linalg.eigvalsh(positive_definite("covariance", covariance)))
        return self._rate(s[:, None], s[None, :])
