"""Transitions: changes of context that take time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.checks import Floats, one_of, whole_number
from environments.configuration import Configuration

__all__ = [
    "Gradual",
    "Incremental",
    "Transition",
]


def __dir__() -> list[str]:
    return __all__


SHAPES = ("linear", "sigmoid")
_STEEPNESS = 8.0  # of the logistic curve over the width: it is cut off at 2 % and at 98 %


class Transition(Configuration):
    """A change that takes `width` samples, beginning at the change's sample.

    ``change_samples`` gives the beginning, the first sample that may differ from what was before;
    from then on the new context counts as the one in force. ``change_ends`` gives the end, the
    first sample at which only the new context is left.

    Parameters
    ----------
    width : int
        Samples between the old statistics and the new.
    shape : str
        How the weight of the new context grows: ``"linear"``, or ``"sigmoid"``, a logistic curve
        cut off at both ends and rescaled to run from 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If `width` is not a positive whole number or `shape` is unknown.
    """

    def __init__(self, width: int, shape: str = "linear") -> None:
        self.width = whole_number("width", width)
        self._shape = one_of("shape", shape, SHAPES)

    def weights(self, age: npt.NDArray[np.int64]) -> Floats:
        """Return the weight of the new context `age` samples after the change, 1 from `width` on.

        Examples
        --------
        >>> Gradual(4).weights(np.array([0, 1, 3, 4]))
        array([0.2, 0.4, 0.8, 1. ])
        """
        share = np.minimum((age + 1) / (self.width + 1), 1.0)
        if self._shape == "linear":
            return share
        # tanh is the logistic curve, shifted and scaled.
        return np.asarray(
            0.5 + np.tanh(_STEEPNESS * (share - 0.5) / 2) / np.tanh(_STEEPNESS / 4) / 2
        )

    @property
    def step(self) -> float | None:
        """Growth of the weight per sample, or None if it varies."""
        return 1 / (self.width + 1) if self._shape == "linear" else None

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the transition as plain JSON values."""


class Gradual(Transition):
    """Samples of two contexts are mixed: each is of the new one with growing probability.

    This is *gradual drift* of the literature on concept drift (Gama et al. 2014, ACM Comput.
    Surv. 46:44; the sigmoid is that of Bifet et al. 2010, J. Mach. Learn. Res. 11, 1601-1604).
    Each replicate draws the context of each sample. The truth is the covariance of a sample over
    these draws, ``(1 - w) C_old + w C_new`` with the weight w. Samples are a mixture, with heavier
    tails than in either context.

    Parameters
    ----------
    width : int
        Samples between the old statistics and the new.
    shape : str
        How the probability grows: ``"linear"`` or ``"sigmoid"``.

    Examples
    --------
    >>> Gradual(500, "sigmoid")
    Gradual(width=500, shape='sigmoid')
    """

    def parameters(self) -> dict[str, Any]:
        """Return the transition as plain JSON values."""
        return {"type": "Gradual", "width": self.width, "shape": self._shape}


class Incremental(Transition):
    """The covariance itself moves: each sample comes from a distribution in between.

    This is *incremental drift* (Gama et al. 2014, ACM Comput. Surv. 46:44). The covariance follows
    a geodesic from the old to the new one, each sample its own point on it, exactly.

    Parameters
    ----------
    width : int
        Samples between the old statistics and the new.
    shape : str
        How the position on the geodesic grows: ``"linear"`` or ``"sigmoid"``.
    metric : str
        Geometry of the geodesic: ``"euclidean"``, ``"affine_invariant"`` or
        ``"bures_wasserstein"``. (A log-Euclidean one would need an eigendecomposition per sample.)

    Examples
    --------
    >>> Incremental(500, metric="affine_invariant")
    Incremental(width=500, shape='linear', metric='affine_invariant')
    """

    METRICS = ("euclidean", "affine_invariant", "bures_wasserstein")

    def __init__(self, width: int, shape: str = "linear", metric: str = "euclidean") -> None:
        super().__init__(width, shape)
        self.metric = one_of("metric", metric, self.METRICS)

    def parameters(self) -> dict[str, Any]:
        """Return the transition as plain JSON values."""
        return {
            "type": "Incremental",
            "width": self.width,
            "shape": self._shape,
            "metric": self.metric,
        }
