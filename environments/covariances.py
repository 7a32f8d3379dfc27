"""Builders of covariance matrices."""

import numpy as np
import numpy.typing as npt

from environments._checks import (
    Floats,
    covariance_matrix,
    non_negative,
    positive,
    whole_number,
)


def random_eigenbasis(n_neurons: int, rng: np.random.Generator) -> Floats:
    """Return an orthogonal matrix drawn from the uniform (Haar) distribution.

    Parameters
    ----------
    n_neurons : int
    rng : Generator

    Returns
    -------
    array (neuron, eigenvector)

    Examples
    --------
    >>> basis = random_eigenbasis(3, np.random.default_rng(0))
    >>> bool(np.allclose(basis @ basis.T, np.eye(3)))
    True
    """
    from scipy.stats import ortho_group

    n_neurons = whole_number("n_neurons", n_neurons)
    if n_neurons == 1:
        return np.ones((1, 1))
    basis: Floats = ortho_group.rvs(n_neurons, random_state=rng)
    return basis


def with_spectrum(spectrum: npt.ArrayLike, eigenbasis: npt.ArrayLike) -> Floats:
    """Return the covariance with the given eigenvalues and eigenvectors.

    Parameters
    ----------
    spectrum : array (n,)
        Variances along the eigenvectors, positive.
    eigenbasis : array (n, n)
        Eigenvectors, one a column.

    Raises
    ------
    ValueError
        If a variance is not positive or the eigenvectors are not orthonormal.

    Examples
    --------
    >>> with_spectrum([1.0, 4.0], np.eye(2))
    array([[1., 0.],
           [0., 4.]])
    """
    values, basis = _spectrum(spectrum), np.asarray(eigenbasis, float)
    if basis.shape != (len(values), len(values)):
        raise ValueError(
            f"eigenbasis must be {len(values)} x {len(values)}, a column for each variance, "
            f"got shape {basis.shape}"
        )
    if np.abs(basis.T @ basis - np.eye(len(values))).max() > 1e-10:
        raise ValueError("eigenbasis must have orthonormal columns; orthogonalise it first")
    return _symmetric((basis * values) @ basis.T)


def spectrum_matched(covariance: npt.ArrayLike, rng: np.random.Generator) -> Floats:
    """Return a covariance with the spectrum of another, in an eigenbasis drawn uniformly.

    The control for a change of context: what differs is where variances are, not how large.

    Raises
    ------
    TypeError, ValueError
        If `covariance` is not a covariance matrix of full rank.

    Examples
    --------
    >>> control = spectrum_matched(np.diag([1.0, 2.0, 5.0]), np.random.default_rng(0))
    >>> np.linalg.eigvalsh(control).round(12)
    array([1., 2., 5.])
    """
    matrix = covariance_matrix("covariance", covariance)
    return with_spectrum(np.linalg.eigvalsh(matrix), random_eigenbasis(len(matrix), rng))


def wishart_covariance(n_neurons: int, degrees_of_freedom: int, rng: np.random.Generator) -> Floats:
    """Return the covariance of a few white samples: Wishart, with the identity as its mean.

    Parameters
    ----------
    n_neurons : int
    degrees_of_freedom : int
        Samples, at least `n_neurons`; the fewer, the more the covariance differs from the identity.
    rng : Generator

    Raises
    ------
    ValueError
        If degrees of freedom are fewer than neurons: the covariance would be singular.

    Examples
    --------
    >>> wishart_covariance(3, 10, np.random.default_rng(0)).shape
    (3, 3)
    """
    from scipy.stats import wishart

    n_neurons = whole_number("n_neurons", n_neurons)
    degrees = whole_number("degrees_of_freedom", degrees_of_freedom, minimum=n_neurons)
    drawn = wishart.rvs(degrees, np.eye(n_neurons) / degrees, random_state=rng)
    return _symmetric(np.reshape(drawn, (n_neurons, n_neurons)))


def random_correlation(spectrum: npt.ArrayLike, rng: np.random.Generator) -> Floats:
    """Return a random correlation matrix, all variances one, with the given eigenvalues.

    Parameters
    ----------
    spectrum : array (n,)
        Eigenvalues, positive, with the sum n.
    rng : Generator

    Raises
    ------
    ValueError
        If an eigenvalue is not positive or their sum is not n.

    Examples
    --------
    >>> np.diag(random_correlation([0.5, 1.0, 1.5], np.random.default_rng(0))).round(12)
    array([1., 1., 1.])
    """
    from scipy.stats import random_correlation as drawn

    values = _spectrum(spectrum)
    if abs(values.sum() - len(values)) > 1e-9 * len(values):
        raise ValueError(
            f"spectrum must have the sum {len(values)}, that of a correlation matrix's, "
            f"got {values.sum():g}; multiply it by {len(values) / values.sum():.6g}"
        )
    values *= len(values) / values.sum()
    return _symmetric(drawn.rvs(values, random_state=rng, tol=1e-10))


def toeplitz_covariance(first_row: npt.ArrayLike) -> Floats:
    """Return the covariance that depends on the distance between neurons alone.

    Parameters
    ----------
    first_row : array (n,)
        Covariance at distance 0, 1, ...; for example ``0.8 ** np.arange(n)``.

    Raises
    ------
    ValueError
        If the matrix is not positive definite: not every row is one of a covariance.

    Examples
    --------
    >>> toeplitz_covariance([1.0, 0.5, 0.25])
    array([[1.  , 0.5 , 0.25],
           [0.5 , 1.  , 0.5 ],
           [0.25, 0.5 , 1.  ]])
    """
    from scipy.linalg import toeplitz

    row = np.asarray(first_row, float)
    if row.ndim != 1:
        raise ValueError(f"first_row must be a list of covariances, got shape {row.shape}")
    return covariance_matrix("the Toeplitz matrix of first_row", toeplitz(row)).copy()


def power_law_covariance(n_neurons: int, exponent: float = 2.0) -> Floats:
    """Return the covariance of a ring of neurons whose power spectrum is a power law.

    Neurons see a signal at equal spacing on a ring; at k cycles around it the power is
    ``(1 + k) ** -exponent``, scaled so that each neuron has variance one. Natural images have an
    exponent near 2 (Field 1987, J. Opt. Soc. Am. A 4, 2379-2394).

    Examples
    --------
    >>> covariance = power_law_covariance(8)
    >>> bool(np.allclose(np.diag(covariance), 1.0))
    True
    """
    from scipy.linalg import circulant

    n_neurons = whole_number("n_neurons", n_neurons)
    cycles = np.abs(np.fft.fftfreq(n_neurons, 1 / n_neurons))
    power = (1 + cycles) ** -non_negative("exponent", exponent)
    return _symmetric(circulant(np.fft.ifft(power / power.mean()).real))


def gaussian_neighbours(n_neurons: int, width: float, noise: float = 0.1) -> Floats:
    """Return the covariance of a row of neurons that share signal with their neighbours.

    The covariance at distance d is ``(1 - noise) exp(-d^2 / (2 width^2))``, and each neuron has
    noise of its own with variance `noise`, so that the variance is one.

    Parameters
    ----------
    n_neurons : int
    width : float
        Distance, in neurons, over which covariance falls.
    noise : float
        Private variance, above 0 and at most 1.

    Raises
    ------
    ValueError
        If width or noise is out of range.

    Examples
    --------
    >>> gaussian_neighbours(3, 1.0, noise=0.5).round(2)
    array([[1.  , 0.3 , 0.07],
           [0.3 , 1.  , 0.3 ],
           [0.07, 0.3 , 1.  ]])
    """
    place = np.arange(whole_number("n_neurons", n_neurons))
    noise = positive("noise", noise)
    if noise > 1:
        raise ValueError(f"noise must be at most 1, the whole variance, got {noise:g}")
    shared = np.exp(-(((place[:, None] - place) / positive("width", width)) ** 2) / 2)
    return np.asarray((1 - noise) * shared + noise * np.eye(len(place)))


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
    from environments._checks import probabilities as checked

    n_neurons = whole_number("n_neurons", n_neurons)
    chances = checked("probabilities", probabilities, np.size(probabilities))
    preferred = np.arange(n_neurons) * np.pi / n_neurons
    shown = np.arange(len(chances)) * np.pi / len(chances)
    sharpness = positive("concentration", concentration)
    responses = np.exp(sharpness * (np.cos(2 * (shown[:, None] - preferred)) - 1))
    centred = responses - chances @ responses
    return _symmetric(
        (centred.T * chances) @ centred + positive("noise", noise) * np.eye(n_neurons)
    )


def low_rank_plus_noise(
    n_neurons: int, rank: int, noise: float, rng: np.random.Generator
) -> Floats:
    """Return the covariance of a few latent signals of variance one, plus private noise.

    Latent signals reach the neurons along orthonormal directions, drawn uniformly.

    Parameters
    ----------
    n_neurons : int
    rank : int
        Latent signals, at most `n_neurons`.
    noise : float
        Private variance, positive.
    rng : Generator

    Raises
    ------
    ValueError
        If there are more signals than neurons, or no noise.

    Examples
    --------
    >>> low = low_rank_plus_noise(4, 1, 0.1, np.random.default_rng(0))
    >>> np.linalg.eigvalsh(low).round(12)
    array([0.1, 0.1, 0.1, 1.1])
    """
    n_neurons = whole_number("n_neurons", n_neurons)
    if whole_number("rank", rank) > n_neurons:
        raise ValueError(f"rank must be at most n_neurons, {n_neurons}, got {rank}")
    variances = np.full(n_neurons, positive("noise", noise))
    variances[:rank] += 1
    return with_spectrum(variances, random_eigenbasis(n_neurons, rng))


def sparse_mixing(frame: npt.ArrayLike, gains: npt.ArrayLike) -> Floats:
    """Return the covariance (I + V diag(gains) V')^2.

    Contexts that share the columns of V and differ in which few gains are not zero have whitening
    matrices that gain modulation can learn to switch between (Duong et al. 2023, NeurIPS,
    arXiv 2308.13633).

    Parameters
    ----------
    frame : array (n, k)
        V, its columns of unit length.
    gains : array (k,)
        Non-negative.

    Raises
    ------
    ValueError
        If shapes do not fit, a column is not of unit length, or a gain is negative.

    Examples
    --------
    >>> sparse_mixing(np.eye(2), [0.0, 1.0])
    array([[1., 0.],
           [0., 4.]])
    """
    v, g = np.asarray(frame, float), np.asarray(gains, float)
    if v.ndim != 2 or g.shape != v.shape[1:]:
        raise ValueError(
            f"gains must be one for each column of frame, got shapes {g.shape} and {v.shape}"
        )
    if not np.allclose((v**2).sum(axis=0), 1.0):
        raise ValueError("frame must have columns of unit length; divide each by its norm")
    if not (np.isfinite(g).all() and (g >= 0).all()):
        raise ValueError(f"gains must be finite and at least 0, got {gains!r}")
    root = np.eye(len(v)) + (v * g) @ v.T
    return _symmetric(root @ root)


def _spectrum(spectrum: npt.ArrayLike) -> Floats:
    values = np.array(spectrum, dtype=np.float64)
    if values.ndim != 1 or not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError(f"spectrum must be a list of finite positive variances, got {spectrum!r}")
    return values


def _symmetric(matrix: Floats) -> Floats:
    """Return `matrix` without the asymmetry of rounding."""
    return np.asarray((matrix + matrix.T) / 2)
