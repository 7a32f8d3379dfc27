"""A few covariances, one in force at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments._checks import Floats, Integers, cholesky, covariance_matrices
from environments.base import Environment
from environments.schedules import Blocks, ScheduledRealization, runs


class SwitchingEnvironment(Environment):
    """Independent Gaussian inputs whose covariance switches between contexts.

    Parameters
    ----------
    covariances : sequence of array (neuron, neuron)
        One for each context, symmetric and positive definite.
    block_length : int
        Samples between switches.
    order : sequence of int, optional
        Contexts by block, as positions in `covariances`; the last then stays in force. By default
        the contexts are cycled through for ever.
    context_names : sequence of str, optional
        A name for each context; by default context_0, context_1, ...

    Raises
    ------
    TypeError, ValueError
        If a covariance is not one of full rank, sizes differ, `order` names no context, or names
        are too few or too many.

    Examples
    --------
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> replicate = environment.realize(np.random.SeedSequence(0))
    >>> replicate.change_samples(350)
    array([100, 200, 300])
    """

    def __init__(
        self,
        covariances: Sequence[npt.ArrayLike],
        block_length: int,
        *,
        order: Sequence[int] | None = None,
        context_names: Sequence[str] | None = None,
    ) -> None:
        self._covariances = np.stack(covariance_matrices("covariances", covariances))
        self._factors = cholesky(self._covariances)
        n_contexts = len(self._covariances)
        self._schedule = Blocks(n_contexts, block_length, order)
        names = [f"context_{i}" for i in range(n_contexts)]
        self._names = tuple(names if context_names is None else map(str, context_names))
        if len(self._names) != n_contexts:
            raise ValueError(
                f"context_names must hold a name for each of {n_contexts} contexts, "
                f"got {context_names!r}"
            )

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariances[0])

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return self._names

    def realize(self, seed: np.random.SeedSequence) -> "_SwitchingRealization":
        """Return the replicate that `seed` draws."""
        return _SwitchingRealization(self._covariances, self._factors, self._schedule, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            "type": type(self).__name__,
            "covariances": self._covariances.tolist(),
            **self._schedule.parameters(),
            "context_names": list(self._names),
        }


class _SwitchingRealization(ScheduledRealization):
    def __init__(
        self,
        covariances: Floats,
        factors: Floats,
        schedule: Blocks,
        seed: np.random.SeedSequence,
    ) -> None:
        super().__init__(covariances, schedule, seed)
        self._factors = factors

    def chunk(self, rng: np.random.Generator, samples: Integers) -> Floats:
        inputs = rng.standard_normal((len(samples), self.n_neurons))
        for context, rows in runs(self.contexts(samples)):
            inputs[rows] = inputs[rows] @ self._factors[context].T
        return inputs
