"""The base of environments: configurations that are realised once per replicate."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from environments.checks import Floats, seed_sequence, whole_number
from environments.configuration import Configuration
from environments.description import description
from environments.samples import Realization
from environments.threads import one_blas_thread


class Environment(Configuration):
    """Where inputs come from: an immutable configuration, realised once per replicate."""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):  # what it computes must not depend on the number of cores
            setattr(cls, "__init__", one_blas_thread()(vars(cls)["__init__"]))  # noqa: B010

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """Number of inputs, and so of primary neurons."""

    @property
    def truth(self) -> str:
        """``"exact"`` if covariances are known, ``"empirical"`` if estimated, or ``"absent"``."""
        return "exact"

    @property
    def shared_path(self) -> bool:
        """Whether contexts and covariances are the same for every replicate."""
        return True

    @property
    def deterministic(self) -> bool:
        """Whether all replicates are the same, samples included, so that one is enough."""
        return False

    @property
    def centred(self) -> bool:
        """Whether inputs have mean zero, so that their covariance is their second moment."""
        return True

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return ("only",)

    def _facts(self) -> dict[str, Any]:
        names = list(self.context_names)
        return {"n_neurons": self.n_neurons, "truth": self.truth, "contexts": names}

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if this environment cannot give a run of `n_samples`."""

    @abstractmethod
    def realize(self, seed: np.random.SeedSequence) -> Realization:
        """Return the replicate that `seed` draws."""

    @one_blas_thread()
    def sample(self, n_samples: int, seed: int | np.random.SeedSequence = 0) -> Floats:
        """Return the first `n_samples` inputs (sample, neuron) of the replicate of `seed`."""
        n_samples = whole_number("n_samples", n_samples)
        realization = self.realize(seed_sequence("seed", seed))
        return next(realization.blocks(n_samples, n_samples))

    @one_blas_thread()
    def describe(self, n_samples: int, seed: int | np.random.SeedSequence = 0) -> dict[str, Any]:
        """Describe what a replicate of `n_samples` draws, as plain JSON values.

        Parameters
        ----------
        n_samples : int
        seed : int or SeedSequence
            The replicate: for replicate r of a run, child r of the run's seed.

        Returns
        -------
        dict
            ``segments``, each with its ``start``, ``duration`` and ``context``; ``mean_duration``;
            ``time_in_context``, the share of samples per context; and, if the truth is known,
            ``distance_start_to_end`` and ``distance_covered``, affine-invariant and dimensionless,
            the latter summed over ``distance_points`` samples: every change, and 128 at equal
            spacing. A random path is rough: with more points the distance would be longer.

        Raises
        ------
        TypeError, ValueError
            If `n_samples` is not a positive whole number, or this environment cannot give a run of
            that length.
        """
        n_samples = whole_number("n_samples", n_samples)
        root = seed_sequence("seed", seed)
        return {
            "environment": type(self).__name__,
            "n_neurons": self.n_neurons,
            "truth": self.truth,
            "shared_path": self.shared_path,
            **description(self.realize(root), self.context_names, n_samples, self.truth),
        }
