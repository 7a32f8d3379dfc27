"""Contexts that share a frame and differ in few gains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, real_array
from environments.covariances._parts import symmetric
from environments.threads import one_blas_thread


@one_blas_thread()
def sparse_mixing(frame: npt.ArrayLike, gains: npt.ArrayLike) -> Floats:
    """Return the covariance (I + V diag(gains) V')^2.

    Contexts that share the columns of V and differ only in which few gains are nonzero have
    whitening matrices between which gain modulation can learn to switch (Duong et al. 2023,
    NeurIPS, arXiv 2308.13633).

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
    v, g = real_array("frame", frame), real_array("gains", gains)
    if v.ndim != 2 or g.shape != v.shape[1:]:
        raise ValueError(
            f"gains must be one for each column of frame, got shapes {g.shape} and {v.shape}"
        )
    if not np.allclose((v**2).sum(axis=0), 1.0):
        raise ValueError("frame must have columns of unit length; divide each by its norm")
    if not (np.isfinite(g).all() and (g >= 0).all()):
        raise ValueError(f"gains must be finite and at least 0, got {gains!r}")
    root = np.eye(len(v)) + (v * g) @ v.T
    return symmetric(root @ root)
