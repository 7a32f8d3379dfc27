"""Switching environments of experiments on adaptation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import covariance_matrix, items, positive, whole_number
from environments.covariances import random_eigenbasis, tuned_population, with_spectrum
from environments.switching import SwitchingEnvironment

__all__ = [
    "contrast_steps",
    "orientation_ensembles",
    "rotations",
]


def __dir__() -> list[str]:
    return __all__


def contrast_steps(
    covariance: npt.ArrayLike, contrasts: Sequence[float] = (1.0, 0.1), **arguments: Any
) -> SwitchingEnvironment:
    """Return inputs whose contrast steps up and down.

    As in the fly's motion pathway (Fairhall, Lewen, Bialek & de Ruyter van Steveninck 2001,
    Nature 412, 787-792) and in the salamander's retina (Kim & Rieke 2001, J. Neurosci. 21,
    287-299), only the variance switches.

    Parameters
    ----------
    covariance : array (neuron, neuron)
        At contrast 1.
    contrasts : sequence of float
        Factor of the inputs in each context; their covariance has its square.
    **arguments
        Of :class:`SwitchingEnvironment`: block_length or schedule, and so on.

    Raises
    ------
    TypeError, ValueError
        If a contrast is not positive, or as :class:`SwitchingEnvironment` says.

    Examples
    --------
    >>> contrast_steps(np.eye(2), [1.0, 0.25], block_length=500).context_names
    ('contrast_1', 'contrast_0.25')
    """
    matrix = covariance_matrix("covariance", covariance)
    factors = [positive(f"contrasts[{i}]", c) for i, c in enumerate(items("contrasts", contrasts))]
    names = [f"contrast_{c:g}" for c in factors]
    return SwitchingEnvironment(
        [c**2 * matrix for c in factors], **{"context_names": names, **arguments}
    )


def rotations(
    spectrum: npt.ArrayLike, n_contexts: int = 2, *, eigenbasis_seed: int = 0, **arguments: Any
) -> SwitchingEnvironment:
    """Return contexts of one spectrum, each in an eigenbasis drawn uniformly.

    Parameters
    ----------
    spectrum : array (n,)
        Variances, positive.
    n_contexts : int
    eigenbasis_seed : int
        Of the eigenbases; replicates share them.
    **arguments
        Of :class:`SwitchingEnvironment`: block_length or schedule, and so on.

    Raises
    ------
    TypeError, ValueError
        If a variance is not positive, or as :class:`SwitchingEnvironment` says.

    Examples
    --------
    >>> rotations([1.0, 4.0], block_length=500).context_names
    ('basis_0', 'basis_1')
    """
    n_contexts = whole_number("n_contexts", n_contexts)
    rng = np.random.default_rng(whole_number("eigenbasis_seed", eigenbasis_seed, minimum=0))
    covariances = [
        with_spectrum(spectrum, random_eigenbasis(np.size(spectrum), rng))
        for _ in range(n_contexts)
    ]
    names = [f"basis_{i}" for i in range(n_contexts)]
    return SwitchingEnvironment(covariances, **{"context_names": names, **arguments})


def orientation_ensembles(
    n_neurons: int = 12,
    *,
    adapter_probability: float = 0.35,
    n_orientations: int = 12,
    concentration: float = 2.0,
    noise: float = 0.1,
    **arguments: Any,
) -> SwitchingEnvironment:
    """Return a tuned population that is shown all orientations equally often, then one more often.

    After the uniform and biased ensembles of Benucci, Saleem & Carandini 2013 (Nat. Neurosci. 16,
    724-729), in which neurons adapt until the population responds to the biased ensemble as it did
    to the uniform one. Inputs have the covariance of the population's mean responses.

    Parameters
    ----------
    n_neurons : int
        Preferred orientations, equally spaced.
    adapter_probability : float
        Of the orientation shown more often, 0 degrees; the others share the rest.
    n_orientations : int
        Orientations shown, equally spaced.
    concentration, noise : float
        Tuning and private noise, see :func:`environments.covariances.tuned_population`.
    **arguments
        Of :class:`SwitchingEnvironment`: block_length or schedule, and so on.

    Raises
    ------
    TypeError, ValueError
        If the adapter is no more probable than the others, or as :class:`SwitchingEnvironment`
        says.

    Examples
    --------
    >>> orientation_ensembles(8, block_length=500).context_names
    ('uniform', 'biased')
    """
    n_orientations = whole_number("n_orientations", n_orientations, minimum=2)
    if not 1 / n_orientations < positive("adapter_probability", adapter_probability) < 1:
        raise ValueError(
            f"adapter_probability must lie between 1/{n_orientations}, that of a uniform "
            f"ensemble, and 1, got {adapter_probability!r}"
        )
    uniform = np.full(n_orientations, 1 / n_orientations)
    biased = np.full(n_orientations, (1 - adapter_probability) / (n_orientations - 1))
    biased[0] = adapter_probability
    covariances = [
        tuned_population(n_neurons, shown, concentration=concentration, noise=noise)
        for shown in (uniform, biased)
    ]
    return SwitchingEnvironment(
        covariances, **{"context_names": ("uniform", "biased"), **arguments}
    )
