"""Circuits whose synapses learn at a rate: their schedule, fast dynamics and ways of computing."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Flags, Floats, Integers, positive_number, whole_number
from adaptnet.circuits.base import Circuit, Records, State
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.circuits.rates import Place, Rates, checked_rate, rates_at
from adaptnet.files.schema import FAST_STEPS, RESPONSE, Variable
from adaptnet.kernels.status import Outcome

Way: TypeAlias = ModuleType  # with the four names that adaptnet.kernels documents

_EXACT = ("equilibrium", "cholesky")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PlasticCircuit(Circuit):
    """A circuit whose synapses learn, sample by sample.

    A subclass says what its synapses are before the first sample (:meth:`initial_weights_of`) and
    which ways of computing it has (:attr:`ways`). ``"plain"`` is the one that every circuit has: a
    factorisation per sample, or Euler steps. ``"inverse"`` and ``"lanes"`` compute the same faster,
    for many neurons and for groups of replicates of few; ``"minibatch"`` learns from batches.
    """

    learning_rate: float | Rates = 1e-3
    learning_rate_decay: float = 0.0
    dynamics: str | IntegratedDynamics = "equilibrium"
    batch_size: int = 1

    constants: ClassVar[tuple[str, ...]] = (
        "batch_products",
        "batch_powers",
        "batch_rates",
        "batch_samples",
    )  # a run that starts from another one begins a batch
    takes_batches: ClassVar[bool] = False
    """Whether there is a way of computing in batches of several samples."""
    largest_learning_rate: ClassVar[float] = float("inf")
    few_neurons: ClassVar[int] = 0
    """Number of neurons up to which replicates are advanced in groups."""

    def __post_init__(self) -> None:
        rate = checked_rate("learning_rate", self.learning_rate, below=self.largest_learning_rate)
        self._set("learning_rate", rate)
        decay = positive_number("learning_rate_decay", self.learning_rate_decay, zero=True)
        if decay and isinstance(rate, Rates):
            raise ValueError(
                f"learning_rate_decay must be 0 if learning_rate is given as data, got {decay!r}"
            )
        self._set("learning_rate_decay", decay)
        if not (isinstance(self.dynamics, IntegratedDynamics) or self.dynamics in _EXACT):
            raise ValueError(
                'dynamics must be "equilibrium", "cholesky" or an IntegratedDynamics(...), '
                f"got {self.dynamics!r}"
            )
        size = whole_number("batch_size", self.batch_size)
        if size > 1 and not self.takes_batches:
            raise ValueError(f"batch_size must be 1 for a {type(self).__name__}, got {size}")
        self._set("batch_size", size)

    @property
    @abstractmethod
    def ways(self) -> dict[str, Way]:
        """The kernel modules that compute this circuit: plain, and perhaps inverse and lanes."""

    @abstractmethod
    def synapses(self, n_neurons: int) -> Floats:
        """Return the synaptic weights before the first sample, as the kernels take them."""

    def way(self, n_neurons: int) -> Way:
        """Return the fastest way of computing that the dynamics and the number of neurons allow."""
        ways = self.ways
        if self.batch_size > 1:
            return ways["minibatch"]
        if self.dynamics != "equilibrium":
            return ways["plain"]
        fastest = "lanes" if n_neurons <= self.few_neurons else "inverse"
        return ways.get(fastest, ways["plain"])

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""
        return self.way(n_neurons).initial_state(self.synapses(n_neurons))

    def effective_weights(self, state: State) -> Floats:
        """Return a copy of the effective weights (n, n)."""
        weights: Floats = self._way_of(state).weights(state)
        return weights

    def _way_of(self, state: State) -> Way:
        """Return the way of computing that a state belongs to."""
        return next(way for way in self.ways.values() if type(state) is way.State)

    def advance(
        self,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        recorded: Flags,
        records: Records,
        place: Place | None = None,
    ) -> list[Outcome]:
        """Process a block of samples per replicate; see :meth:`Circuit.advance`."""
        n_replicates, length, n_neurons = inputs.shape
        samples = np.arange(n_processed, n_processed + length)
        rates = rates_at(self.learning_rate, self.learning_rate_decay, samples, n_replicates, place)
        block = states, inputs, rates, recorded, records
        options = self.options(samples, n_replicates, place)
        outcomes: list[Outcome] = self.way(n_neurons).advance(*block, **options)
        return outcomes

    @property
    def follows_path(self) -> bool:
        """Whether learning rates depend on the path of contexts."""
        rates = (getattr(self, field.name) for field in dataclasses.fields(self))
        return any(isinstance(rate, Rates) and rate.follows_path for rate in rates)

    def options(self, samples: Integers, n_replicates: int, place: Place | None) -> dict[str, Any]:
        """Return what the way of computing takes besides, for a block."""
        options: dict[str, Any] = {}
        if isinstance(self.dynamics, IntegratedDynamics):
            options["dynamics"] = self.dynamics.constants()
        if self.batch_size > 1:
            options["batch_size"] = self.batch_size
        return options

    def group_size(self, n_neurons: int) -> int:
        """Return how many replicates are worth advancing at once; never changes a result."""
        lanes = self.ways.get("lanes")
        if lanes is None or self.way(n_neurons) is not lanes:
            return 1
        size: int = kernels.building_blocks.lanes.LANES
        return size

    def learning_rates(self, samples: npt.ArrayLike) -> Floats:
        """Return eta_t = eta_0 / (1 + gamma t) for samples t, counted from 0.

        Raises
        ------
        ValueError
            If they depend on the path of contexts.
        """
        if isinstance(self.learning_rate, Rates):
            at = np.asarray(samples)
            data: Floats = self.learning_rate.at(at.ravel().astype(np.int64), None)[0]
            return data.reshape(at.shape)
        decayed = 1.0 + self.learning_rate_decay * np.asarray(samples, dtype=np.float64)
        rates: Floats = self.learning_rate / decayed
        return rates

    def synaptic_time(self, samples: npt.ArrayLike) -> Floats:
        """Return the integral of the learning rate over `samples`, per sample of a batch.

        NaN if it depends on the path of contexts, which replicates need not share.
        """
        if isinstance(self.learning_rate, Rates):
            integral = _integral(self.learning_rate, np.asarray(samples, dtype=np.float64))
            return integral / self.batch_size
        n = np.asarray(samples, dtype=np.float64)
        gamma = self.learning_rate_decay
        rate = self.learning_rate / self.batch_size
        time: Floats = rate * (np.log1p(gamma * n) / gamma if gamma else n)
        return time

    def initial_records(self, state: State) -> dict[str, npt.NDArray[Any]]:
        """Return what is recorded before the first sample."""
        records = super().initial_records(state)
        if isinstance(self.dynamics, IntegratedDynamics):
            way = self._way_of(state)
            records["response"] = way.response(state, self.dynamics.constants())
        return records

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        integrated = isinstance(self.dynamics, IntegratedDynamics)
        response = {"response": RESPONSE} if integrated else {}
        return {**super().recordable(), "fast_steps": FAST_STEPS, **response}

    def recorded_by_default(self) -> tuple[str, ...]:
        """Return what is recorded, besides errors, if a run does not say."""
        return ("fast_steps",) if isinstance(self.dynamics, IntegratedDynamics) else ()

    @property
    def response(self) -> str:
        """Name of the record that outputs follow from."""
        integrated = isinstance(self.dynamics, IntegratedDynamics)
        return "response" if integrated else "effective_weights"


def _integral(rates: Rates, samples: Floats) -> Floats:
    if rates.follows_path:
        return np.full(samples.shape, np.nan)
    starts = np.array(rates.starts, np.float64)
    ends = np.append(starts[1:], np.inf)
    spent = np.clip(samples[..., None], starts, ends) - starts
    integral: Floats = spent @ np.array(rates.values)
    return integral
