"""The states that circuits end a run in: stored with it, to start others from, and to respond."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import Floats, real_matrix
from adaptnet.circuits import from_parameters
from adaptnet.circuits.base import Circuit, State
from adaptnet.files.parameters import circuit_parameters

NAME = "final_state"
_WORD = 8  # bytes


def words(
    states: Sequence[Sequence[State]], failures: Sequence[Sequence[int]] | None = None
) -> npt.NDArray[np.int64]:
    """Return the states (replicate, circuit) as 64-bit words (circuit, replicate, word).

    A state is its arrays' bytes, one after the other; shorter ones end in zeros. That of a circuit
    that failed is the code of its failure, and zeros.
    """
    encoded = [[_bytes(state) for state in of_replicate] for of_replicate in states]
    length = max((len(one) for of_replicate in encoded for one in of_replicate), default=0)
    length = -(-length // _WORD) * _WORD
    table = np.zeros((len(encoded[0]), len(encoded), length // _WORD), np.int64)
    for r, of_replicate in enumerate(encoded):
        for c, one in enumerate(of_replicate):
            table[c, r] = np.frombuffer(one.ljust(length, b"\0"), np.int64)
            if failures is not None and failures[r][c]:
                table[c, r] = 0
                table[c, r, 0] = failures[r][c]
    return table


def digest(states: Sequence[Sequence[State]]) -> str:
    """Return the SHA-256 of states, which says what a run started from."""
    return hashlib.sha256(words(states).tobytes()).hexdigest()


def _bytes(state: State) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in state)


def bring(state: State, stored: npt.NDArray[np.int64]) -> None:
    """Bring a state to what :func:`words` has stored of one.

    Raises
    ------
    ValueError
        If it is of another size.
    """
    needed = sum(array.nbytes for array in state)
    rest = np.ascontiguousarray(stored, np.int64).tobytes()
    if len(rest) < needed or any(rest[needed:]):
        raise ValueError(f"a state of {needed} bytes was expected")
    for array in state:
        array[...] = np.frombuffer(rest[: array.nbytes], array.dtype).reshape(array.shape)
        rest = rest[array.nbytes :]


def final_states(
    run: xr.Dataset, circuit: str, like: Circuit | None = None
) -> tuple[Circuit, list[State]]:
    """Return a circuit of a run and its states at the end, one per replicate.

    A rule of one's own is not in the run; its states are those of the circuit `like`.

    Raises
    ------
    ValueError
        If the run has no such circuit, holds no states, or is damaged.
    """
    names = [str(name) for name in np.atleast_1d(run["circuit"].values)]
    if circuit not in names:
        raise ValueError(f"start must hold a circuit {circuit!r}, got {', '.join(names)}")
    if NAME not in run:
        raise ValueError(
            f"the run must hold the states that its circuits ended in ({NAME}); those of flows, "
            "offline learning and other software do not"
        )
    parameters = circuit_parameters(run).get(circuit)
    if parameters is None:
        raise ValueError(f"the run holds no parameters of circuit {circuit!r}; it was renamed")
    known = like is not None and not like.is_rebuilt and like.parameters() == parameters
    made = like if like is not None and known else from_parameters(parameters)
    states = []
    table = run[NAME].transpose("circuit", "replicate", ...)[names.index(circuit)].values
    diverged = run["diverged_sample"].transpose("circuit", "replicate")[names.index(circuit)]
    for stored, lost in zip(table, diverged.values >= 0, strict=True):
        state = made.initial_state(run.sizes["neuron"])
        try:
            if not lost:
                bring(state, stored)
        except ValueError as error:
            raise ValueError(f"{NAME} of circuit {circuit!r} is damaged: {error}") from error
        states.append(state)
    return made, states


def starting_states(
    start: xr.Dataset, circuits: Mapping[str, Circuit], n_neurons: int, n_replicates: int
) -> list[list[State]]:
    """Return the states (replicate, circuit) that a run ended in, for a new one to start from.

    A run of one replicate starts all; otherwise replicate r starts replicate r.

    Raises
    ------
    TypeError, ValueError
        If `start` is not a run, of another size, or has other circuits or numbers of replicates.
    """
    if not isinstance(start, xr.Dataset):
        raise TypeError(f"start must be a run, as simulate or load returns it, got {start!r:.50}")
    n_stored = start.sizes.get("replicate", 0)
    if n_stored not in (1, n_replicates):
        raise ValueError(
            f"start must have one replicate, for all, or n_replicates = {n_replicates}, got "
            f"{n_stored}; select with start.isel(replicate=[0])"
        )
    if start.sizes.get("neuron") != n_neurons:
        raise ValueError(
            f"start must be of {n_neurons} neurons, as the inputs, got {start.sizes.get('neuron')}"
        )
    by_circuit = []
    for name, circuit in circuits.items():
        before, states = final_states(start, name, circuit)
        _refuse_divergence(start, name)
        begun = [_started(name, circuit, before, state, n_neurons) for state in states]
        while len(begun) < n_replicates:
            begun.append(_started(name, circuit, before, states[0], n_neurons))
        by_circuit.append(begun)
    return [list(of_replicate) for of_replicate in zip(*by_circuit, strict=True)]


def _refuse_divergence(start: xr.Dataset, name: str) -> None:
    diverged = np.atleast_1d(start["diverged_sample"].sel(circuit=name).values)
    if (diverged >= 0).any():
        raise ValueError(
            f"circuit {name!r} of start diverged in replicate {int((diverged >= 0).argmax())}; "
            "select replicates that did not"
        )


def _started(name: str, circuit: Circuit, before: Circuit, state: State, n_neurons: int) -> State:
    """Return the state of a circuit that takes over what another one has learned."""
    fresh = circuit.initial_state(n_neurons)
    alike = type(fresh) is type(state) and all(
        one.shape == other.shape for one, other in zip(fresh, state, strict=True)
    )
    if type(circuit) is not type(before) or not alike:
        raise ValueError(
            f"circuit {name!r} must be of the kind, size, dynamics and batch_size that start "
            f"holds, {before!r}, got {circuit!r}"
        )
    names = getattr(fresh, "_fields", range(len(fresh)))  # a state may be a plain tuple
    for name_of_array, array, learned in zip(names, fresh, state, strict=True):
        if name_of_array not in circuit.constants:
            array[...] = learned
    return fresh


def respond(
    run: xr.Dataset, inputs: npt.ArrayLike, *, circuits: Sequence[str] | None = None
) -> xr.DataArray:
    """Return the outputs of a run's circuits for new inputs, their weights frozen as they ended.

    Parameters
    ----------
    run : Dataset
        A simulation, as :func:`simulate` or :func:`load` returns it.
    inputs : array (sample, neuron)
    circuits : sequence of str, optional
        Names of circuits; by default all.

    Returns
    -------
    DataArray
        Outputs y (circuit, replicate, sample, neuron), NaN for circuits that diverged.

    Raises
    ------
    TypeError, ValueError
        If inputs are not a matrix of as many neurons, or the run holds no such circuit or states.

    Examples
    --------
    >>> from adaptnet import DirectCircuit, simulate
    >>> run = simulate(DirectCircuit(initial_weights=2.0, learning_rate=1e-9), np.zeros((9, 2)))
    >>> respond(run, [[2.0, 4.0]]).values.round(2)
    array([[[[1., 2.]]]])
    """
    x = real_matrix("inputs", inputs)
    n = run.sizes.get("neuron")
    if x.shape[1] != n:
        raise ValueError(f"inputs must have {n} columns, a neuron each, got shape {x.shape}")
    names = [str(name) for name in run["circuit"].values] if circuits is None else list(circuits)
    outputs = np.array([_responses(run, name, x) for name in names])
    attrs: dict[str, Any] = {"long_name": "outputs of the weights at the end of the run"}
    return xr.DataArray(
        outputs,
        dims=("circuit", "replicate", "sample", "neuron"),
        coords={"circuit": names, "replicate": run["replicate"].values},
        name="outputs",
        attrs={**attrs, "units": "1"},
    )


def _responses(run: xr.Dataset, name: str, x: Floats) -> Floats:
    """Return the outputs (replicate, sample, neuron) of one circuit."""
    circuit, states = final_states(run, name)
    diverged = np.atleast_1d(run["diverged_sample"].sel(circuit=name).values) >= 0
    outputs = np.full((len(states), *x.shape), np.nan)
    for r, state in enumerate(states):
        if not diverged[r]:
            records = {
                key: np.broadcast_to(value, (len(x), *value.shape))
                for key, value in circuit.initial_records(state).items()
            }
            outputs[r] = circuit.activities(records, x)["outputs"]
    return outputs
