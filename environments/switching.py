"""A few covariances, one in force at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.base import Environment
from environments.checks import (
    Floats,
    Integers,
    cholesky,
    covariance_matrices,
    items,
)
from environments.paths.lines import ColouringLine, between
from environments.samples import CHUNK, ColouredRealization, Sources
from environments.samples.sources import checked_sources
from environments.samples.streams import CHOICE, checked_path_seed, path_generator
from environments.schedules import Blocks, Order, Schedule
from environments.schedules.timeline import Timeline
from environments.transitions import Gradual, Incremental, Transition


class SwitchingEnvironment(Environment):
    """Inputs whose covariance switches between contexts, at once or in transitions.

    Parameters
    ----------
    covariances : sequence of array (neuron, neuron)
        One per context, symmetric and positive definite.
    block_length : int, optional
        Samples between switches: short for ``schedule=Blocks(block_length, order)``.
    order : sequence of int, "independent" or "other", optional
        Contexts by block, as positions in `covariances`; the last then stays in force. By default
        the contexts are cycled through. See :class:`environments.schedules.Blocks`.
    schedule : Schedule, optional
        When contexts change, and into which, instead of `block_length` and `order`.
    transition : Gradual or Incremental, optional
        By default contexts change from one sample to the next.
    sources : Sources, optional
        Marginal distribution and memory of the inputs; by default independent and Gaussian.
    path_seed : int, optional
        If the schedule is random: the seed of the one path that all replicates then share. By
        default each replicate draws its own.
    context_names : sequence of str, optional
        One per context; by default context_0, context_1, ...

    Raises
    ------
    TypeError, ValueError
        If a covariance is not one of full rank, sizes differ, the schedule does not fit the
        contexts, a transition may be wider than a block, names are too few or too many, or
        `path_seed` is given although the path is not random.

    Examples
    --------
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> replicate = environment.realize(np.random.SeedSequence(0))
    >>> replicate.change_samples(350)
    array([100, 200, 300])

    A Poisson process of changes, each taking 50 samples:

    >>> from environments.schedules import HazardRate
    >>> environment = SwitchingEnvironment(
    ...     [np.eye(2), 4 * np.eye(2)],
    ...     schedule=HazardRate(1e-3, shortest=50),
    ...     transition=Incremental(50, metric="affine_invariant"),
    ... )
    """

    def __init__(
        self,
        covariances: Sequence[npt.ArrayLike],
        block_length: int | None = None,
        *,
        order: Order = None,
        schedule: Schedule | None = None,
        transition: Transition | None = None,
        sources: Sources | None = None,
        path_seed: int | None = None,
        context_names: Sequence[str] | None = None,
    ) -> None:
        self._covariances = np.stack(covariance_matrices("covariances", covariances))
        self._covariances.setflags(write=False)
        self._factors = cholesky(self._covariances)
        n_contexts = len(self._covariances)
        if (block_length is None) == (schedule is None):
            raise TypeError(
                "one of block_length and schedule must be given, "
                f"got block_length={block_length!r} and schedule={schedule!r}"
            )
        if schedule is None:
            self._schedule: Schedule = Blocks(block_length, order)  # type: ignore[arg-type]
        elif not isinstance(schedule, Schedule):
            raise TypeError(f"schedule must be a Schedule, got {schedule!r}")
        elif order is not None:
            raise TypeError(f"order must be given to the schedule, not beside it, got {order!r}")
        else:
            self._schedule = schedule
        self._schedule.check(n_contexts)
        self._transition = _fitting(transition, self._schedule)
        self._lines: dict[tuple[int, int], ColouringLine] = {}  # filled as replicates need them
        self._sources = checked_sources(sources)
        self._path_seed = checked_path_seed(path_seed, random=self._schedule.random)
        names = [f"context_{i}" for i in range(n_contexts)]
        if context_names is not None:
            names = [str(name) for name in items("context_names", context_names)]
        self._names = tuple(names)
        if len(self._names) != n_contexts:
            raise ValueError(
                f"context_names must hold a name for each of {n_contexts} contexts, "
                f"got {context_names!r}"
            )
        if len(set(names)) < n_contexts:
            raise ValueError(f"context_names must differ, got {context_names!r}")

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return len(self._covariances[0])

    @property
    def shared_path(self) -> bool:
        """Whether contexts are the same for every replicate."""
        return not self._schedule.random or self._path_seed is not None

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number."""
        return self._names

    def check_length(self, n_samples: int) -> None:
        """Raise a ValueError if a given change lies beyond a run of `n_samples`."""
        self._schedule.check_length(n_samples)

    def realize(self, seed: np.random.SeedSequence) -> _SwitchingRealization:
        """Return the replicate that `seed` draws."""
        timeline = self._schedule.timeline(
            len(self._covariances), path_generator(self._path_seed, seed)
        )
        return _SwitchingRealization(
            self._covariances,
            self._factors,
            timeline,
            self._transition,
            self._lines,
            self._sources,
            seed,
        )

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            "type": type(self).__name__,
            "covariances": self._covariances.tolist(),
            "schedule": self._schedule.parameters(),
            "transition": None if self._transition is None else self._transition.parameters(),
            "sources": self._sources.parameters(),
            "path_seed": self._path_seed,
            "context_names": list(self._names),
        }


def _fitting(transition: Transition | None, schedule: Schedule) -> Transition | None:
    """Return `transition` if it always ends before the next change."""
    if transition is None:
        return None
    if not isinstance(transition, Transition):
        raise TypeError(f"transition must be Gradual or Incremental, got {transition!r}")
    if transition.width > schedule.shortest:
        raise ValueError(
            f"transition takes {transition.width} samples, but {schedule!r} allows segments of "
            f"{schedule.shortest}, in which it would not end; narrow the transition or lengthen "
            "the shortest segment (HazardRate and TruncatedExponential take `shortest`)"
        )
    return transition


class _SwitchingRealization(ColouredRealization):
    def __init__(
        self,
        covariances: Floats,
        factors: Floats,
        timeline: Timeline,
        transition: Transition | None,
        lines: dict[tuple[int, int], ColouringLine],
        sources: Sources,
        seed: np.random.SeedSequence,
    ) -> None:
        super().__init__(covariances.shape[-1], sources, seed)
        self._covariances = covariances
        self._factors = factors
        self._timeline = timeline
        self._transition = transition
        self._lines = lines
        self._chances = -1, np.empty(0)

    def contexts(self, samples: Integers) -> Integers:
        return self._timeline.contexts(samples)

    def change_samples(self, n_samples: int) -> Integers:
        return self._timeline.change_samples(n_samples)

    def change_ends(self, n_samples: int) -> Integers:
        # No transition is wider than the shortest segment: none reaches into the next change.
        width = 0 if self._transition is None else self._transition.width
        return self._timeline.change_samples(n_samples) + width

    def covariances(self, samples: Integers) -> Floats:
        contexts, before, age = self._timeline.segment(samples)
        chosen: Floats = self._covariances[contexts]
        if self._transition is None:
            return chosen
        weights = self._transition.weights(age)
        moving = (weights < 1) & (before >= 0)
        for old, new in np.unique(np.stack([before[moving], contexts[moving]]), axis=1).T:
            rows = np.flatnonzero(moving & (before == old) & (contexts == new))
            if isinstance(self._transition, Incremental):
                chosen[rows] = self._line(old, new, self._transition).covariances(weights[rows])
            else:
                share = weights[rows, None, None]
                ends = self._covariances[[old, new]]
                chosen[rows] = (1 - share) * ends[0] + share * ends[1]
        return chosen

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        _, before, age = self._timeline.segment(np.array([sample]))
        mixed = isinstance(self._transition, Gradual) and age[0] < self._transition.width
        if mixed and before[0] >= 0:
            return None  # samples of two contexts: neither's moments
        return super().excess_variances(sample, whitening, rates)

    def _line(self, start: int, end: int, transition: Incremental) -> ColouringLine:
        """Return the geodesic between two contexts, computed once for all replicates."""
        pair = (int(start), int(end))
        if pair not in self._lines:
            ends = self._covariances[list(pair)]
            geodesic = between(ends[0], ends[1], transition.metric)
            assert isinstance(geodesic, ColouringLine)  # Incremental has no other metric
            self._lines[pair] = geodesic
        return self._lines[pair]

    def colour(self, start: int, white: Floats, inputs: Floats) -> None:
        width = 0 if self._transition is None else self._transition.width
        for context, before, age, rows in self._timeline.pieces(start, len(white)):
            settled = rows.start
            if before >= 0 and age < width:
                settled = min(rows.stop, settled + width - age)
                moving = slice(rows.start, settled)
                contexts = before, context
                self._pass(start + rows.start, contexts, age, white[moving], inputs[moving])
            rest = slice(settled, rows.stop)
            np.matmul(white[rest], self._factors[context].T, out=inputs[rest])

    def _pass(
        self, start: int, contexts: tuple[int, int], age: int, white: Floats, inputs: Floats
    ) -> None:
        """Colour samples from `start` on, which lie in a transition, from `age` on."""
        assert self._transition is not None
        step = self._transition.step
        if isinstance(self._transition, Incremental) and step is not None:
            line = self._line(*contexts, self._transition)
            begin = float(self._transition.weights(np.array([age]))[0])
            line.walk(begin, step, white, inputs)
            return
        weights = self._transition.weights(age + np.arange(len(white)))
        if isinstance(self._transition, Incremental):
            self._line(*contexts, self._transition).colour(weights, white, inputs)
            return
        index, row = divmod(start, CHUNK)
        if self._chances[0] != index:
            self._chances = index, self.generator(CHOICE, index).random(CHUNK)
        new = self._chances[1][row : row + len(white)] < weights
        # All are coloured for the context of most, and the others once more.
        usual = int(2 * np.count_nonzero(new) > len(new))
        np.matmul(white, self._factors[contexts[usual]].T, out=inputs)
        rest = np.flatnonzero(new != usual)
        inputs[rest] = white.take(rest, axis=0) @ self._factors[contexts[1 - usual]].T
