"""Laws whose eigenmodes go their own ways where start and covariance commute.

A mode is a common eigenvector of the effective weights and of C, with target s, the square root of
the variance along it.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_numbers, threshold_below_one
from adaptnet.metrics import square_root
from adaptnet.theory.law import Law


class ModeLaw(Law):
    """A law of symmetric effective weights, with closed forms for its modes.

    A subclass holds the equations of a mode, for arguments that have been checked; the methods that
    are public here check them. Its fixed point is C^(1/2).
    """

    def fixed_point(self, covariance: Floats) -> Floats:
        """Return C^(1/2)."""
        return square_root(covariance)

    @abstractmethod
    def _rate(self, s_i: Floats, s_j: Floats) -> Floats:
        """Return the rate at which the entry i, j of a small deviation decays."""

    @abstractmethod
    def _elapsed(self, target: Floats, start: Floats, end: Floats) -> Floats:
        """Return the time from the deviation `start` to `end`, each m/s - 1, of one sign."""

    @abstractmethod
    def _weight(self, time: Floats, target: Floats, start: Floats) -> Floats:
        """Return the weight of each mode after its time."""

    @abstractmethod
    def sampled_deviation(self, deviation: Floats, outputs: Floats, target: Floats) -> list[Floats]:
        """Return what one sample makes of a small deviation from C^(1/2), to first order.

        Parameters
        ----------
        deviation : array (n, n)
            D, in the eigenbasis of C.
        outputs : array (sample, n)
            y = C^(-1/2) x of each sample, which is white.
        target : array (n,)
            s.

        Returns
        -------
        list of array (sample, n, n)
            The coefficients of 1, eta, eta^2, ...; noise that does not depend on D is left out.
        """

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
            0 if the start is that close already.

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


def symmetric_products(first: Floats, second: Floats) -> Floats:
    """Return p q' + q p' for each pair of vectors p and q (sample, n)."""
    products = first[:, :, None] * second[:, None, :]
    return products + np.swapaxes(products, 1, 2)
