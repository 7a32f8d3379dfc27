"""Kaplan-Meier and Aalen-Johansen estimates: many at a time, their bands, what follows from them.

Both are the same estimate here, of the share that has not readapted. A circuit that diverged never
readapts: divergence competes with readaptation (Aalen-Johansen); where no circuit diverged that is
the Kaplan-Meier estimate.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from adaptnet._checks import Flags, Floats, Integers

ROUNDING = 1e-12  # of a product of survival fractions, which may miss 0.5 by rounding


class KaplanMeier(NamedTuple):
    """Estimates along the last axis: times in order, and the share not readapted after each."""

    times: Floats
    survival: Floats

    def quantile(self, share: float) -> Floats:
        """Return the first time at which `share` has readapted, infinite if it never has."""
        done = self.survival <= 1 - share + ROUNDING
        at = np.argmax(done, axis=-1)
        when = np.take_along_axis(self.times, at[..., None], axis=-1)[..., 0]
        return np.where(done.any(axis=-1), when, np.inf)

    def restricted_mean(self, horizon: float) -> Floats:
        """Return the area under the curve from 0 to `horizon`."""
        start = np.zeros((*self.times.shape[:-1], 1))
        stop = np.full_like(start, horizon)
        edges = np.minimum(np.concatenate([start, self.times, stop], axis=-1), horizon)
        before = np.concatenate([start + 1, self.survival], axis=-1)
        mean: Floats = (np.diff(edges, axis=-1) * before).sum(axis=-1)
        return mean


def kaplan_meier(
    times: npt.ArrayLike, observed: npt.ArrayLike, diverged: npt.ArrayLike = False
) -> KaplanMeier:
    """Return the share not readapted, for any number of groups along the last axis.

    A bootstrap needs thousands of them at once.

    Parameters
    ----------
    times : array (..., time)
        Times at which a circuit readapted, diverged or ceased to be followed.
    observed : array (..., time)
        Whether it readapted then.
    diverged : array (..., time), optional
        Whether it diverged then.

    References
    ----------
    .. [1] O. O. Aalen, S. Johansen, "An empirical transition matrix for non-homogeneous Markov
       chains based on censored observations", Scandinavian Journal of Statistics 5, 1978.

    Examples
    --------
    >>> kaplan_meier([3.0, 1.0, 2.0], [True, True, False]).survival.round(3)
    array([0.667, 0.667, 0.   ])
    >>> kaplan_meier([3.0, 1.0, 2.0], [True, True, False], [False, False, True]).survival.round(3)
    array([0.667, 0.667, 0.333])
    """
    t, reached = np.asarray(times, float), np.asarray(observed, bool)
    lost = np.broadcast_to(np.asarray(diverged, bool), t.shape) & ~reached
    # Of equal times those that readapt come first: who is censored then was still at risk.
    order = np.lexsort((~lost, ~reached, t), axis=-1)
    t, reached, lost = (np.take_along_axis(a, order, -1) for a in (t, reached, lost))
    at_risk = np.arange(t.shape[-1], 0, -1)
    kept = np.where(reached | lost, (at_risk - 1) / at_risk, 1.0)
    free = np.cumprod(kept, axis=-1)  # the share that has met neither event
    if not lost.any():
        return KaplanMeier(t, np.asarray(free, dtype=np.float64))
    before = np.concatenate([np.ones((*t.shape[:-1], 1)), free[..., :-1]], axis=-1)
    share = np.cumsum(np.where(reached, before / at_risk, 0.0), axis=-1)
    return KaplanMeier(t, np.asarray(1 - share, dtype=np.float64))


class Events(NamedTuple):
    """The times of one group at which circuits readapted or diverged, in order."""

    times: Floats
    at_risk: Integers  # just before each time
    reached: Integers
    diverged: Integers
    before: Floats  # share that has met neither event just before
    incidence: Floats  # share that has readapted from each time on

    @classmethod
    def of(cls, times: Floats, observed: Flags, diverged: Flags) -> "Events":
        """Return the events of a group."""
        lost = diverged & ~observed
        at = np.unique(times[observed | lost])
        at_risk = (times[:, None] >= at).sum(axis=0)
        reached, gone = ((times[mine][:, None] == at).sum(axis=0) for mine in (observed, lost))
        free = np.cumprod(1 - (reached + gone) / at_risk)
        before = np.concatenate([[1.0], free[:-1]])[: len(at)]
        return cls(at, at_risk, reached, gone, before, np.cumsum(before * reached / at_risk))

    def until(self, horizon: float) -> "Events":
        """Return the events before `horizon`."""
        return Events._make(column[self.times < horizon] for column in self)

    def variance(self, still: Floats, passed: Floats) -> Floats:
        """Return the delta method's variance of what is linear in the incidence.

        With F the incidence, `still` holds for each event (first axis) the functional of
        F(t) - F(event) over the times after it, `passed` that of 1 over those times. Without
        divergence it is Greenwood's variance.
        """
        n, d, both = self.at_risk, self.reached, self.reached + self.diverged
        with np.errstate(divide="ignore", invalid="ignore"):
            # Once nobody is left at risk the incidence rises no more: still is 0.
            first = np.where(n > both, both / (n * (n - both)), 0.0)
        moved = self.before[:, None] * passed
        terms = (
            still**2 * first[:, None]
            + moved**2 * (d * (n - d) / n**3)[:, None]
            - 2 * still * moved * (d / n**2)[:, None]
        )
        variance: Floats = np.maximum(terms.sum(axis=0), 0.0)
        return variance


def curve_and_band(
    times: Floats,
    observed: Flags,
    diverged: Flags,
    grid: Floats,
    confidence: float | None,
) -> tuple[Floats, Floats, Floats]:
    """Return the share not readapted at the times of `grid`, and its pointwise band.

    The band is that of log(-log) of the share [1]_, which has no value at shares of 1 and 0; there
    the limits are exact binomial ones.

    References
    ----------
    .. [1] E. Marubini, M. G. Valsecchi, "Analysing Survival Data from Clinical Trials and
       Observational Studies", Wiley, 1995, chapter 10.
    """
    events = Events.of(times, observed, diverged)
    at = np.searchsorted(events.times, grid, side="right")
    incidence = np.concatenate([[0.0], events.incidence])[at]
    share = 1 - incidence
    share[share <= ROUNDING] = 0.0
    if confidence is None:
        return share, share, share
    passed = (events.times[:, None] <= grid).astype(np.float64)
    error = np.sqrt(events.variance((incidence - events.incidence[:, None]) * passed, passed))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.exp(
            scipy.special.ndtri((1 + confidence) / 2) * error / (share * np.abs(np.log(share)))
        )
        lower, upper = share**spread, share ** (1 / spread)
    outside = (1 - confidence) / 2
    everyone, nobody = incidence <= 0, share == 0
    if everyone.any():
        # Of r that are followed, or diverged, 0 have readapted: a binomial count.
        followed = (times[:, None] >= grid[everyone]) | (diverged & ~observed)[:, None]
        lower[everyone] = outside ** (1 / np.maximum(followed.sum(axis=0), 1))
        upper[everyone] = 1.0
    if nobody.any():
        at_risk = events.at_risk[-1]
        last = upper[~nobody][-1] if (~nobody).any() else 1.0
        lower[nobody], upper[nobody] = 0.0, last * (1 - outside ** (1 / at_risk))
    return share, lower, upper
