"""The shape of an environment, as a simulation sees it."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from adaptnet._checks import Floats, Integers


@runtime_checkable
class Realization(Protocol):
    """One replicate's samples and their truth, each a pure function of the sample's index.

    Optional methods, without which changes count as abrupt and moments as unknown:

    ``change_ends(n_samples)``
        For each of ``change_samples(n_samples)``, the first sample at which the change is complete:
        its own sample if it is abrupt, at most the next change's. At `n_samples` or beyond if the
        run ends before the change does; covariances are defined there, too.
    ``product_variances(sample, rates=None)``
        v, (n, n), or None if unknown: ``sum over lags k of (1 - rates_ij)**abs(k) Cov(p(t), p(t +
        k))`` of the products p = y_i y_j, where y are the inputs whitened by the covariance in
        force at `sample` and turned into its eigenbasis (eigenvalues increasing). ``1 + (i == j)``
        for independent Gaussian samples. `rates` (n, n) are those per sample at which errors of the
        weights decay; None stands for 0.
    """

    def blocks(self, n_samples: int, block_size: int, start: int = 0) -> Iterator[Floats]:
        """Yield samples ``start`` to ``n_samples`` as arrays (at most `block_size`, neuron)."""

    def covariances(self, samples: Integers) -> Floats:
        """Return the covariance in force for each of `samples`, (len(samples), n, n)."""

    def contexts(self, samples: Integers) -> Integers:
        """Return the number of the context in force for each of `samples`."""

    def change_samples(self, n_samples: int) -> Integers:
        """Return the samples in [1, n_samples) at which the context changes."""


@runtime_checkable
class Environment(Protocol):
    """Where inputs come from: configuration only, realised once for each replicate.

    One whose replicates would all be the same, samples included, says so by an attribute
    ``deterministic`` that is true; only one replicate of it is then run. One that cannot give a run
    of every length has a method ``check_length(n_samples)`` that raises a ValueError.
    """

    @property
    def n_neurons(self) -> int:
        """Number of inputs, and so of primary neurons."""

    @property
    def truth(self) -> str:
        """``"exact"``, ``"empirical"`` (estimated from data), or ``"absent"``: no covariances."""

    @property
    def shared_path(self) -> bool:
        """Whether contexts and covariances are the same for every replicate."""

    @property
    def context_names(self) -> Sequence[str]:
        """A name for each context number."""

    def realize(self, seed: np.random.SeedSequence) -> Realization:
        """Return the replicate that `seed` draws."""

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
