"""What every circuit is: checked parameters, a state that samples change, and what it records."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Flags, Floats, positive_definite, positive_number
from adaptnet._words import html_table
from adaptnet.files.schema import EFFECTIVE_WEIGHTS, OUTPUTS, Variable
from adaptnet.kernels.status import Outcome

State: TypeAlias = Any  # a NamedTuple of arrays, which only the kernel that made it reads
Activities: TypeAlias = dict[str, Floats]
Records: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""What a circuit records of a block, by name: arrays (replicate, record, ...) to be filled."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Circuit(ABC):
    """A linear recurrent circuit: immutable parameters, which any number of runs may share.

    A circuit maps each input x to outputs y = A^-1 x, A being its effective weights, and may
    change A after each sample. A concrete subclass is a frozen dataclass whose fields are its
    parameters; it is found by its name when a run is read from a file.
    """

    theory: ClassVar[str | None] = None
    """Name of the circuit's law in :mod:`adaptnet.theory`; None if theory does not cover it."""

    is_rebuilt: ClassVar[bool] = True
    """Whether the circuit can be made again from its parameters, as a run stores them."""
    constants: ClassVar[tuple[str, ...]] = ()
    """Fields of the state that parameters say and nothing learns."""

    @abstractmethod
    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample.

        Raises
        ------
        ValueError
            If the parameters do not fit the number of primary neurons.
        """

    @abstractmethod
    def effective_weights(self, state: State) -> Floats:
        """Return a copy of the effective weights (n, n)."""

    @abstractmethod
    def advance(
        self,
        states: Sequence[State],
        inputs: Floats,
        n_processed: int,
        recorded: Flags,
        records: Records,
    ) -> list[Outcome]:
        """Process a block of samples for each replicate of a group, changing the states in place.

        Parameters
        ----------
        states : sequence of State
            One per replicate. A group of one is a group; no result depends on the grouping.
        inputs : array (replicate, sample, n)
        n_processed : int
            Samples that every replicate of the group has processed before.
        recorded : array (sample,) of bool
            Whether the state after a sample is recorded.
        records : mapping of str to array (replicate, record, ...)
            Buffers for what is recorded, by the names of :meth:`recordable`. The effective weights
            are always among them.

        Returns
        -------
        list of Outcome
            For each replicate its status, and the samples processed before a failure.
        """

    def initial_records(self, state: State) -> dict[str, npt.NDArray[Any]]:
        """Return what is recorded before the first sample: at least what errors follow from."""
        return {"effective_weights": self.effective_weights(state)}

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name.

        The dimensions of each variable begin with circuit, replicate and sample. Any other than
        neuron and neuron_2 has its size in :meth:`sizes`.
        """
        return {"effective_weights": EFFECTIVE_WEIGHTS, "outputs": OUTPUTS}

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the records that an activity, such as outputs, is computed from."""
        return (self.response,) if name == "outputs" else ()

    def activities(self, records: Mapping[str, npt.NDArray[Any]], inputs: Floats) -> Activities:
        """Return the activities that inputs (record, n) lead to, each under its record's weights.

        Parameters
        ----------
        records : mapping of str to array (record, ...)
            At least those that :meth:`sources` names.
        inputs : array (record, n)

        Returns
        -------
        dict of str to array (record, ...)
            ``outputs`` (record, n), and what else the circuit has.
        """
        response = np.ascontiguousarray(records[self.response])  # or bits depend on strides
        if self.response == "effective_weights":
            return {"outputs": np.linalg.solve(response, inputs[..., None])[..., 0]}
        return {"outputs": (response @ inputs[..., None])[..., 0]}

    def recorded_by_default(self) -> tuple[str, ...]:
        """Return what is recorded, besides errors, if a run does not say."""
        return ()

    def sizes(self, n_neurons: int) -> dict[str, int]:
        """Return the sizes of the dimensions that the circuit's own records add to a run."""
        return {}

    def group_size(self, n_neurons: int) -> int:
        """Return how many replicates are worth advancing at once; never changes a result."""
        return 1

    @property
    def follows_path(self) -> bool:
        """Whether :meth:`advance` also needs the contexts and segments of samples, as `place`."""
        return False

    @property
    def response(self) -> str:
        """Name of the record that outputs follow from: effective weights, or a response matrix."""
        return "effective_weights"

    def synaptic_time(self, samples: npt.ArrayLike) -> Floats:
        """Return the synaptic time after `samples`, NaN for a circuit without a learning rate."""
        return np.full(np.shape(samples), np.nan)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values, with the circuit's type."""
        return {"type": type(self).__name__, **{n: _plain(v) for n, v in self._fields().items()}}

    def __repr__(self) -> str:
        fields = (f"{name}={text}" for name, text in self._shown().items())
        return f"{type(self).__name__}({', '.join(fields)})"

    def _repr_html_(self) -> str:
        """Return the parameters as a table, which notebooks show."""
        return html_table(type(self).__name__, self._shown())

    def _shown(self) -> dict[str, str]:
        """Return the parameters as texts, arrays by their shape."""
        return {
            name: f"<array {value.shape}>" if isinstance(value, np.ndarray) else repr(value)
            for name, value in self._fields().items()
        }

    def _fields(self) -> dict[str, Any]:
        """Return the parameters as they are, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def _set(self, name: str, value: object) -> None:
        """Replace a parameter by its checked value; an array becomes read-only."""
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        object.__setattr__(self, name, value)


def copied(state: State) -> State:
    """Return a copy of a state with arrays of its own."""
    arrays = [array.copy() for array in state]
    return type(state)(*arrays) if hasattr(state, "_fields") else tuple(arrays)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]


def number_or_matrix(name: str, value: float | npt.ArrayLike) -> float | Floats:
    """Return effective weights given as a number a, for a I, or as a positive definite matrix."""
    return positive_number(name, value) if np.ndim(value) == 0 else positive_definite(name, value)


def square_weights(name: str, value: float | npt.ArrayLike, n_neurons: int) -> Floats:
    """Return effective weights (n, n) from what :func:`number_or_matrix` has checked."""
    weights = np.array(value, dtype=np.float64)
    if weights.ndim == 0:
        return weights * np.eye(n_neurons)
    if len(weights) != n_neurons:
        raise ValueError(
            f"{name} must be {n_neurons} x {n_neurons}, since the inputs have {n_neurons} neurons, "
            f"got shape {weights.shape}"
        )
    return weights


def concrete_subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    """Yield the subclasses of a class, at any depth, that can be instantiated."""
    for subclass in kind.__subclasses__():
        if not getattr(subclass, "__abstractmethods__", None):
            yield subclass
        yield from concrete_subclasses(subclass)
