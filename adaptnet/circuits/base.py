"""What every circuit is made of: checked parameters, a state, and a kernel that advances it."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, Integers, positive_number
from adaptnet.circuits.dynamics import IntegratedDynamics
from adaptnet.kernels.dynamics import EXACT, FastDynamics
from adaptnet.kernels.status import Status

State: TypeAlias = Any  # a NamedTuple of arrays that only the circuit's own kernel reads

# What the status codes mean to a user, with the remedy.
FAILURES = {int(code): f"{code.sentence}; {code.remedy}" for code in Status if code != Status.OK}


_EXACT = ("equilibrium", "cholesky")


class Records(NamedTuple):
    """Buffers that a circuit fills, a row a recorded sample."""

    effective_weights: Floats  # (record, n, n)
    fast_steps: Integers  # (record,)

    def at(self, which: Any) -> "Records":
        """Return both indexed alike."""
        return Records(self.effective_weights[which], self.fast_steps[which])


class Outcome(NamedTuple):
    """How a block went: `failure` 0, or a key of ``FAILURES`` after `n_rows` whole samples."""

    failure: int
    n_rows: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Circuit(ABC):
    """A linear recurrent circuit with plastic synapses; immutable, any number of runs may share it.

    A subclass says what its state is and how a kernel advances it. Its effective weights are the
    matrix whose inverse maps an input to the primary neurons' fixed point.
    """

    initial_weights: float | npt.ArrayLike = 1.0
    learning_rate: float = 1e-3
    learning_rate_decay: float = 0.0
    dynamics: str | IntegratedDynamics = "equilibrium"

    largest_learning_rate: ClassVar[float] = float("inf")
    theory: ClassVar[str | None] = None
    """Name of what adaptnet.theory knows of the circuit, None for nothing."""
    few_neurons: ClassVar[int] = 0
    """Up to so many, replicates are advanced side by side."""

    def __post_init__(self) -> None:
        rate = positive_number(
            "learning_rate", self.learning_rate, below=self.largest_learning_rate
        )
        object.__setattr__(self, "learning_rate", rate)
        decay = positive_number("learning_rate_decay", self.learning_rate_decay, zero=True)
        object.__setattr__(self, "learning_rate_decay", decay)
        if not (isinstance(self.dynamics, IntegratedDynamics) or self.dynamics in _EXACT):
            raise ValueError(
                'dynamics must be "equilibrium", "cholesky" or an IntegratedDynamics(...), '
                f"got {self.dynamics!r}"
            )
        self._check_initial_weights()

    def _check_initial_weights(self) -> None:
        if np.ndim(self.initial_weights) == 0:
            scale = positive_number("initial_weights", self.initial_weights)
            object.__setattr__(self, "initial_weights", scale)
        else:
            weights = self._checked_weights(self.initial_weights)
            weights.setflags(write=False)
            object.__setattr__(self, "initial_weights", weights)

    def __repr__(self) -> str:
        def shown(value: object) -> str:
            return f"<array {value.shape}>" if isinstance(value, np.ndarray) else repr(value)

        given = (field.name for field in dataclasses.fields(self) if field.init)
        fields = (f"{name}={shown(getattr(self, name))}" for name in given)
        return f"{type(self).__name__}({', '.join(fields)})"

    @abstractmethod
    def _checked_weights(self, value: npt.ArrayLike) -> Floats:
        """Return a copy of an array of initial weights, or refuse it."""

    @abstractmethod
    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample."""

    @abstractmethod
    def effective_weights(self, state: State) -> Floats:
        """Return a copy of the effective weights (neuron, neuron)."""

    @abstractmethod
    def advance(
        self, state: State, inputs: Floats, n_processed: int, record_every: int, records: Records
    ) -> Outcome:
        """Take in a block of inputs (sample, neuron), changing `state` in place.

        After each sample whose count, from the run's start, is a multiple of `record_every`, the
        next row of `records` is filled.
        """

    def side_by_side(self, n_neurons: int) -> int:
        """Return how many replicates are worth advancing at once; never changes a result."""
        if self.dynamics != "equilibrium" or n_neurons > self.few_neurons:
            return 1
        from adaptnet.kernels.building_blocks.lanes import LANES

        return LANES

    def advance_side_by_side(
        self,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        record_every: int,
        records: Records,
    ) -> list[Outcome]:
        """Take in a block of some replicates that have got equally far.

        Inputs are (replicate, sample, neuron); buffers of records have a replicate axis first.
        """
        return [
            self.advance(state, inputs[r], n_processed, record_every, records.at(r))
            for r, state in enumerate(states)
        ]

    def _advance_by(
        self,
        way: ModuleType,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        record_every: int,
        records: Records,
    ) -> list[Outcome]:
        """Advance a group by one of the ways of computing."""
        samples = n_processed + np.arange(inputs.shape[1])
        rates = self.learning_rate / (1.0 + self.learning_rate_decay * samples)
        outcomes = way.advance(
            states,
            np.ascontiguousarray(inputs),
            np.tile(rates, (len(states), 1)),
            (samples + 1) % record_every == 0,
            records._asdict(),
            *(() if isinstance(self.dynamics, str) else (self._fast_dynamics(),)),
        )
        return [Outcome(int(code), n_rows) for code, n_rows in outcomes]

    def synaptic_time(self, samples: npt.ArrayLike) -> Floats:
        """Return t = eta * samples, or the integral of eta over samples where it decays."""
        n = np.asarray(samples, dtype=np.float64)
        gamma = self.learning_rate_decay
        rate = self.learning_rate or np.nan  # comparators do not learn
        time: Floats = rate * (np.log1p(gamma * n) / gamma if gamma else n)
        return time

    def _fast_dynamics(self) -> FastDynamics:
        """Return the dynamics as the kernels take them."""
        if isinstance(self.dynamics, str):
            return EXACT
        return FastDynamics(*dataclasses.astuple(self.dynamics))

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values, with the circuit's type."""
        values: dict[str, Any] = {"type": type(self).__name__}
        for field in dataclasses.fields(self):
            if not field.init:
                continue
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value = value.tolist()
            elif dataclasses.is_dataclass(value):
                value = dataclasses.asdict(value)  # type: ignore[arg-type]
            values[field.name] = value
        return values
