"""The Kaplan-Meier estimate: many at a time, its band, and what follows from it."""

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Flags, Floats

if TYPE_CHECKING:
    from scipy.stats import CensoredData

ROUNDING = 1e-12  # of a product of survival fractions, which may miss 0.5 by rounding


class KaplanMeier(NamedTuple):
    """Kaplan-Meier estimates along the last axis: times in order, and the survival after each."""

    times: Floats
    survival: Floats

    def quantile(self, share: float) -> Floats:
        """Return the first time at which `share` has readapted, infinite if it never is."""
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


def kaplan_meier(times: npt.ArrayLike, observed: npt.ArrayLike) -> KaplanMeier:
    """Return Kaplan-Meier estimates of any number of groups, along the last axis.

    scipy.stats.ecdf does one group a call; a bootstrap needs thousands at once.

    Examples
    --------
    >>> estimate = kaplan_meier([3.0, 1.0, 2.0], [True, True, False])
    >>> estimate.survival.round(3)
    array([0.667, 0.667, 0.   ])
    """
    t, seen = np.asarray(times, float), np.asarray(observed, bool)
    # Of equal times the observed come first: who is censored then was still at risk.
    order = np.lexsort((~seen, t), axis=-1)
    t, seen = np.take_along_axis(t, order, -1), np.take_along_axis(seen, order, -1)
    at_risk = np.arange(t.shape[-1], 0, -1)
    kept = np.where(seen, (at_risk - 1) / at_risk, 1.0)
    return KaplanMeier(t, np.asarray(np.cumprod(kept, axis=-1), dtype=np.float64))


def censored(times: Floats, observed: Flags) -> "CensoredData":
    """Return times as SciPy takes them."""
    from scipy.stats import CensoredData

    return CensoredData(uncensored=times[observed], right=times[~observed])


def curve_and_band(
    times: Floats,
    observed: Flags,
    grid: Floats,
    confidence: float | None,
) -> tuple[Floats, Floats, Floats]:
    """Return survival and its band at the times of `grid`."""
    from scipy.stats import ecdf

    estimate = ecdf(censored(times, observed)).sf
    survival = np.asarray(estimate.evaluate(grid), dtype=np.float64)
    if confidence is None:
        return survival, survival, survival
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where S is 1 or 0: mended below
        band = estimate.confidence_interval(confidence, method="log-log")
    lower, upper = (np.asarray(edge.evaluate(grid), dtype=np.float64) for edge in band)
    everyone, nobody = survival >= 1 - ROUNDING, survival <= ROUNDING
    lower, upper = np.where(everyone, 1.0, lower), np.where(everyone, 1.0, upper)
    lower[nobody] = 0.0
    if nobody.any():
        # Log(-log 0) has no value; of r at risk at the last event, 0 kept on is a binomial count.
        at_risk = (times >= times[observed].max()).sum()
        before = upper[~nobody][-1] if (~nobody).any() else 1.0
        upper[nobody] = before * (1 - ((1 - confidence) / 2) ** (1 / at_risk))
    return survival, lower, upper
