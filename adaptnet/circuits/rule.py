"""A circuit whose rule is a function of one's own."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adaptnet import kernels
from adaptnet._checks import Flags, Floats
from adaptnet.circuits.base import Records, State
from adaptnet.circuits.plastic import PlasticCircuit, Way
from adaptnet.circuits.rates import Place, rates_at
from adaptnet.files.schema import EFFECTIVE_WEIGHTS, OUTPUTS, Variable
from adaptnet.kernels.status import Outcome


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RuleCircuit(PlasticCircuit):
    """A circuit that processes each sample by a function of one's own.

    Environments, errors, readaptation, plots, reports, checkpoints and resuming work as for the
    circuits of the package. A stored run names the rule but does not hold it, so that it cannot be
    run again from its file alone.

    Parameters
    ----------
    step : callable
        ``step(state, x, eta)`` changes the arrays of the state in place, by the sample x (n,) at
        the learning rate eta, and returns the outputs y (n,). It is compiled by Numba, unless it
        has been. At eta = 0 it should leave the state as it is.
    state : NamedTuple of arrays, or callable
        Before the first sample, of float64 or int64; or a function of the number of neurons that
        returns it.
    weights : callable
        ``weights(state)`` returns the effective weights (n, n): the matrix whose inverse
        maps an input to the outputs. Compiled, too.
    learning_rate, learning_rate_decay
        As for :class:`DirectCircuit`.

    Raises
    ------
    TypeError, ValueError
        If the functions cannot be compiled, or return other shapes or types than they must.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> class Variances(NamedTuple):
    ...     s: np.ndarray
    >>> def step(state, x, eta):
    ...     y = x / state.s
    ...     state.s[:] += eta * (y * y - 1)
    ...     return y
    >>> def weights(state):
    ...     return np.diag(state.s)
    >>> circuit = RuleCircuit(step=step, state=Variances(np.ones(2)), weights=weights)
    >>> circuit.effective_weights(circuit.initial_state(2))
    array([[1., 0.],
           [0., 1.]])
    """

    step: Callable[..., Any]
    state: Any
    weights: Callable[..., Any]

    is_rebuilt = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dynamics != "equilibrium":
            raise ValueError(f"dynamics must be left to the rule, got {self.dynamics!r}")
        for name in ("step", "weights"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} must be a function, got {getattr(self, name)!r:.50}")

    @property
    def ways(self) -> dict[str, Way]:
        """The module with the loop around the rule."""
        return {"plain": kernels.rule}

    def synapses(self, n_neurons: int) -> Floats:
        """Return the effective weights before the first sample."""
        return self.effective_weights(self.initial_state(n_neurons))

    def initial_state(self, n_neurons: int) -> State:
        """Return the state before the first sample, having tried the rule on a copy of it."""
        start: Any = self.state(n_neurons) if callable(self.state) else self.state
        if not (hasattr(start, "_asdict") and isinstance(start, tuple) and start):
            raise TypeError(f"state must be a NamedTuple of arrays, got {start!r:.50}")
        for field, array in zip(start._fields, start, strict=True):  # type: ignore[attr-defined]
            if not (isinstance(array, np.ndarray) and array.dtype in (np.float64, np.int64)):
                kind = getattr(array, "dtype", type(array).__name__)
                raise TypeError(f"state.{field} must be an array of float64 or int64, got {kind}")
        self._try(_copy(start), n_neurons)
        return _copy(start)

    def _try(self, state: State, n_neurons: int) -> None:
        """Raise unless the rule takes a sample and returns what it must."""
        step, weights = self._compiled()
        y = _called("step", step, state, np.zeros(n_neurons), 0.0)
        _require("step", "outputs", y, (n_neurons,))
        A = _called("weights", weights, state)
        _require("weights", "effective weights", A, (n_neurons, n_neurons))

    def _compiled(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        if "_functions" not in self.__dict__:
            functions = kernels.rule.compiled(self.step), kernels.rule.compiled(self.weights)
            object.__setattr__(self, "_functions", functions)
        found: tuple[Callable[..., Any], Callable[..., Any]] = self.__dict__["_functions"]
        return found

    def effective_weights(self, state: State) -> Floats:
        """Return the effective weights (n, n)."""
        return np.array(self._compiled()[1](state), dtype=np.float64)

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
        n_replicates, length, _ = inputs.shape
        samples = np.arange(n_processed, n_processed + length)
        rates = rates_at(self.learning_rate, self.learning_rate_decay, samples, n_replicates, place)
        block = states, inputs, rates, recorded, records
        try:
            outcomes: list[Outcome] = kernels.rule.advance(*self._compiled(), *block)
        except kernels.rule.RuleError as error:
            cause = error.__cause__
            if cause is None:
                at = n_processed + error.sample
                raise ValueError(f"{error}; it did not at sample {at}") from None
            raise ValueError(
                f"step raised {type(cause).__name__}: {cause}, at sample "
                f"{n_processed + error.sample}; its traceback is above"
            ) from cause
        return outcomes

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        return {"effective_weights": EFFECTIVE_WEIGHTS, "outputs": OUTPUTS}

    def parameters(self) -> dict[str, Any]:
        """Return what identifies the rule, with its learning rate."""
        rate = self.learning_rate
        return {
            "type": type(self).__name__,
            "rule": f"{self.step.__module__}.{self.step.__qualname__}",
            "source_sha256": _source_digest(self.step, self.weights),
            "learning_rate": rate if isinstance(rate, float) else vars(rate),
            "learning_rate_decay": self.learning_rate_decay,
        }


def _copy(state: State) -> State:
    return type(state)(*(np.ascontiguousarray(array).copy() for array in state))


def _called(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a compiled function returns, or say that it could not be compiled or raised."""
    try:
        return function(*arguments)
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise TypeError(
            f"{name} must take {'a state' if name == 'weights' else 'a state, a sample of zeros '}"
            f"{'' if name == 'weights' else 'and a rate of 0'}, compiled by Numba, but raised "
            f"{type(error).__name__}: {' '.join(lines[:4]):.400}"
        ) from error


def _require(name: str, meaning: str, value: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.float64 or value.shape != shape:
        kind = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else repr(value)
        raise ValueError(f"{name} must return {meaning}, float64 {shape}, got {kind:.60}")


def _source_digest(*functions: Callable[..., Any]) -> str:
    """Return the SHA-256 of the functions' sources, or of their bytecode if there is no source."""
    digest = hashlib.sha256()
    for function in functions:
        plain = getattr(function, "py_func", function)
        try:
            digest.update(inspect.getsource(plain).encode())
        except (OSError, TypeError):
            digest.update(plain.__code__.co_code)
    return digest.hexdigest()
