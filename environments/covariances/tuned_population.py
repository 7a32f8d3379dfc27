"""Responses of tuned neurons to an ensemble of stimuli."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, positive, whole_number
from environments.checks import probabilities as checked_probabilities
from environments.covariances._parts import symmetric
from environments.threads import one_blas_thread


@one_blas_thread()
def tuned_population(
    n_neurons: int,
    probabilities: npt.ArrayLike,
    *,
    concentration: float = 2.0,
    noise: float = 0.1,
) -> Floats:
    """Return the covariance of orientation-tuned neurons shown an ensemble of orientations.

    Preferred orientations are spaced equally over 180 degrees; tuning is von Mises,
    ``exp(concentration (cos(2 (orientation - preferred)) - 1))``. The covariance is that of the
    mean responses over the ensemble, plus private noise.

    Parameters
    ----------
    n_neurons : int
    probabilities : array (orientation,)
        Probability of each orientation, these too being spaced equally, from 0 degrees.
    concentration : float
        Sharpness of tuning: half height at ``acos(1 - ln 2 / concentration) / 2``.
    noise : float
        Private variance, positive, in units of the peak response squared.

    Raises
    ------
    ValueError
        If probabilities do not sum to one, or a number is out of range.

    Examples
    --------
    >>> tuned_population(4, np.full(12, 1 / 12)).shape
    (4, 4)
    """
    n_neurons = whole_number("n_neurons", n_neurons)
    chances = checked_probabilities("probabilities", probabilities)
    preferred = np.arange(n_neurons) * np.pi / n_neurons
    shown = np.arange(len(chances)) * np.pi / len(chances)
    sharpness = positive("concentration", concentration)
    responses = np.exp(sharpness * (np.cos(2 * (shown[:, None] - preferred)) - 1))
    centred = responses - chances @ responses
    return symmetric((centred.T * chances) @ centred + positive("noise", noise) * np.eye(n_neurons))
