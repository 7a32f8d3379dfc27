"""Frames: the fixed synapses W (n, k) of interneurons whose gains adapt.

Gains g can make A = alpha I + W diag(g) W' any symmetric matrix if the products w_i w_i' span the
symmetric matrices, for which k >= n (n + 1) / 2 columns are needed. How fast they get there depends
on the frame: near the optimum rates can be orders of magnitude apart for random columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, real_matrix, whole_number
from adaptnet.seeding import Rng, root_seed

__all__ = [
    "convolutional",
    "equiangular",
    "mercedes_benz",
    "random",
    "random_tight",
    "rank",
]


def __dir__() -> list[str]:
    return __all__


_GOLDEN = (1 + 5**0.5) / 2
_TIGHTENINGS = 100_000  # tens are usual, a thousand for 33 neurons and 34 interneurons
_TIGHT = 1e-13  # what lengths of columns may miss 1 by: rounding of a decomposition


def mercedes_benz() -> Floats:
    """Return three unit vectors at equal angles: the smallest frame that whitens n = 2.

    Returns
    -------
    array (2, 3)

    Examples
    --------
    >>> mercedes_benz().round(3)
    array([[ 0.   , -0.866,  0.866],
           [ 1.   , -0.5  , -0.5  ]])
    """
    angles = np.pi / 2 + 2 * np.pi / 3 * np.arange(3)
    frame: Floats = np.stack([np.cos(angles), np.sin(angles)])
    frame[0, 0] = 0.0
    return frame


def random(n_neurons: int, n_interneurons: int | None = None, *, rng: Rng = 0) -> Floats:
    """Return unit vectors drawn uniformly from the sphere.

    Parameters
    ----------
    n_neurons : int
    n_interneurons : int, optional
        By default n (n + 1) / 2, the fewest that can whiten.
    rng : None, int, SeedSequence or Generator

    Returns
    -------
    array (n_neurons, n_interneurons)

    Examples
    --------
    >>> np.linalg.norm(random(3), axis=0)
    array([1., 1., 1., 1., 1., 1.])
    """
    n = whole_number("n_neurons", n_neurons)
    k = whole_number("n_interneurons", n_interneurons or n * (n + 1) // 2)
    columns = np.random.default_rng(root_seed(rng)).standard_normal((n, k))
    frame: Floats = columns / np.linalg.norm(columns, axis=0)
    return frame


def random_tight(n_neurons: int, n_interneurons: int | None = None, *, rng: Rng = 0) -> Floats:
    """Return random unit vectors with W W' = (k / n) I, so that no direction is favoured.

    Random columns are made tight and of unit length in turn until they are both.

    Parameters
    ----------
    n_neurons : int
    n_interneurons : int, optional
        By default n (n + 1) / 2; at least `n_neurons`.
    rng : None, int, SeedSequence or Generator

    Returns
    -------
    array (n_neurons, n_interneurons)

    Raises
    ------
    ValueError
        If there are fewer interneurons than neurons.

    Examples
    --------
    >>> W = random_tight(3)
    >>> (W @ W.T).round(9) + 0.0
    array([[2., 0., 0.],
           [0., 2., 0.],
           [0., 0., 2.]])
    """
    frame: Floats = random(n_neurons, n_interneurons, rng=rng)
    n, k = frame.shape
    if k < n:
        raise ValueError(
            f"n_interneurons must be at least n_neurons, {n}, for a tight frame, got {k}; "
            "fewer columns cannot reach all directions equally"
        )
    for _ in range(_TIGHTENINGS):
        left, _, right = np.linalg.svd(frame, full_matrices=False)
        tight = np.sqrt(k / n) * left @ right  # the nearest tight frame
        lengths = np.linalg.norm(tight, axis=0)
        frame = tight / lengths
        if np.abs(lengths - 1).max() < _TIGHT:
            return frame
    raise ValueError(
        f"rng must lead to a tight frame within {_TIGHTENINGS} steps, but columns still change by "
        f"{np.abs(lengths - 1).max():.1g}; choose another seed, or more interneurons"
    )


def equiangular(n_neurons: int) -> Floats:
    """Return n (n + 1) / 2 lines at equal angles, the most there can be, where they are known.

    They exist for n = 2 (Mercedes-Benz), 3 (the diagonals of the icosahedron), 7 (28 lines) and 23
    (276 lines, which are not made here).

    Parameters
    ----------
    n_neurons : int
        2, 3 or 7.

    Returns
    -------
    array (n_neurons, n_neurons (n_neurons + 1) / 2)

    Raises
    ------
    ValueError
        If no such frame is known for this number of neurons.

    Examples
    --------
    >>> W = equiangular(3)
    >>> (np.abs(W.T @ W)[0] ** 2).round(9)
    array([1. , 0.2, 0.2, 0.2, 0.2, 0.2])
    """
    n = whole_number("n_neurons", n_neurons)
    if n == 2:
        return mercedes_benz()
    if n == 3:
        corners = np.array([[0.0, 1.0, s * _GOLDEN] for s in (1, -1)])
        turned = [np.roll(corners, shift, axis=1) for shift in range(3)]
        columns = np.concatenate(turned).T
    elif n == 7:
        # In the seven dimensions at right angles to (1, ..., 1): 3 in two places of eight, -1 in
        # the other six.
        pairs = [(i, j) for i in range(8) for j in range(i)]
        vectors = np.full((len(pairs), 8), -1.0)
        for row, pair in zip(vectors, pairs, strict=True):
            row[list(pair)] = 3.0
        along = np.linalg.qr(np.column_stack([np.ones(8), np.eye(8)[:, :7]]))[0][:, 1:]
        columns = (vectors @ along).T
    else:
        raise ValueError(
            f"n_neurons must be 2, 3 or 7 for n (n + 1) / 2 lines at equal angles, got {n}: there "
            "are no others below 23; take random_tight instead"
        )
    frame: Floats = columns / np.linalg.norm(columns, axis=0)
    return frame


def convolutional(shape: tuple[int, int], window: tuple[int, int]) -> Floats:
    """Return interneurons that each see one pixel, or the sum or difference of two near ones.

    The frame of an image: it is the same at every place, but for the border. Pairs of pixels have
    an interneuron if they lie within a window of each other. It whitens images of any covariance if
    the window is the whole image; if it is smaller, A is confined to such pairs.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image, whose pixels are the neurons, row by row.
    window : (int, int)
        Height and width of the window.

    Returns
    -------
    array (height * width, interneuron)
        One column per pixel, then one per pair.

    Raises
    ------
    ValueError
        If the window is larger than the image.

    Examples
    --------
    >>> convolutional((2, 2), (1, 2)).round(3)
    array([[1.   , 0.   , 0.   , 0.   , 0.707, 0.   ],
           [0.   , 1.   , 0.   , 0.   , 0.707, 0.   ],
           [0.   , 0.   , 1.   , 0.   , 0.   , 0.707],
           [0.   , 0.   , 0.   , 1.   , 0.   , 0.707]])
    """
    height, width = (whole_number("shape", side) for side in shape)
    rows, columns = (whole_number("window", side) for side in window)
    if rows > height or columns > width:
        raise ValueError(f"window must fit into the image, {shape}, got {window}")
    n = height * width
    pairs = [
        (a, b)
        for a in range(n)
        for b in range(a + 1, n)
        if b // width - a // width < rows and abs(b % width - a % width) < columns
    ]
    frame = np.zeros((n, n + len(pairs)))
    frame[:, :n] = np.eye(n)
    for place, (a, b) in enumerate(pairs, start=n):
        frame[[a, b], place] = 0.5**0.5
    return frame


def checked(name: str, value: npt.ArrayLike) -> Floats:
    """Return a frame given as an array, without columns of zeros."""
    frame = real_matrix(name, value)
    empty = np.flatnonzero(~frame.any(axis=0))
    if len(empty):
        raise ValueError(
            f"{name} must hold a synapse for every interneuron, but column {empty[0]} is zero; "
            "leave it out"
        )
    return frame


def rank(frame: npt.ArrayLike) -> int:
    """Return the number of dimensions of symmetric matrices that gains of a frame can reach.

    The rank of (W'W)^2, entry by entry: n (n + 1) / 2 if the frame can whiten inputs of every
    covariance.

    Examples
    --------
    >>> rank(mercedes_benz()), rank(np.eye(2))
    (3, 2)
    """
    W = checked("frame", frame)
    W = W / np.linalg.norm(W, axis=0)
    n = len(W)
    upper = np.triu_indices(n)
    products = W[upper[0]] * W[upper[1]] * np.where(upper[0] == upper[1], 1, np.sqrt(2))[:, None]
    return int(np.linalg.matrix_rank(products))


def what_it_can_do(frame: npt.ArrayLike) -> str:
    """Return in a sentence what the gains of a frame can do.

    Examples
    --------
    >>> what_it_can_do(np.eye(2))
    'rank 2 of 3: gains cannot whiten inputs of every covariance, but make the variance of outputs
    along each of the 2 columns 1'
    """
    W = checked("frame", frame)
    n, k = W.shape
    reached, needed = rank(W), n * (n + 1) // 2
    if reached == needed:
        return f"rank {reached} of {needed}: gains can whiten inputs of every covariance"
    return (
        f"rank {reached} of {needed}: gains cannot whiten inputs of every covariance, but make the "
        f"variance of outputs along each of the {k} columns 1"
    )
