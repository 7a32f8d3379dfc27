"""States of laws as flat vectors of their free parameters, and back."""

import numpy as np

from adaptnet._checks import Floats


def coordinates(state: Floats, *, symmetric: bool) -> Floats:
    """Return the free parameters (m,) of a state: all entries, or the upper triangle.

    Examples
    --------
    >>> coordinates(np.array([[1.0, 2.0], [2.0, 3.0]]), symmetric=True)
    array([1., 2., 3.])
    """
    flat: Floats = state[np.triu_indices(len(state))] if symmetric else state.ravel()
    return flat


def from_coordinates(values: Floats, shape: tuple[int, ...], *, symmetric: bool) -> Floats:
    """Return the state (*shape) with the free parameters `values` (m,).

    Examples
    --------
    >>> from_coordinates(np.array([1.0, 2.0, 3.0]), (2, 2), symmetric=True)
    array([[1., 2.],
           [2., 3.]])
    """
    if not symmetric:
        return values.reshape(shape)
    state = np.empty(shape)
    upper = np.triu_indices(shape[0])
    state[upper] = values
    state.T[upper] = values
    return state
