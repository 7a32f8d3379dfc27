"""All kernels compiled before they are needed, on a cluster's login node for example."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from adaptnet._checks import whole_number
from adaptnet.circuits import IntegratedDynamics, frames
from adaptnet.circuits.base import Circuit, concrete_subclasses
from adaptnet.circuits.plastic import PlasticCircuit
from adaptnet.kernels.building_blocks.cache import n_compiled
from adaptnet.metrics import response_errors, whitening_errors
from adaptnet.simulation.executors import computed
from adaptnet.simulation.simulate import simulate

_SIZES = (2, 40)  # few neurons and many: for these circuits choose different ways of computing
_NEEDED: dict[str, Callable[[int], Any]] = {"frame": frames.random_tight}


class Compiled(NamedTuple):
    """How long the kernels of a circuit took, and how many were compiled, not found."""

    circuit: str
    seconds: float
    n_kernels: int


def compile_kernels(n_processes: int = 1) -> Iterator[Compiled]:
    """Compile the kernels of all circuits, those found compiled already excepted.

    Each circuit is run for a few samples in each of its ways of computing. Rules of one's own are
    compiled when they are first run.

    Parameters
    ----------
    n_processes : int
        Circuits that are compiled at a time.

    Yields
    ------
    Compiled
        For each kind of circuit, as it is done.
    """
    number = whole_number("n_processes", n_processes)
    kinds = [kind for kind in concrete_subclasses(PlasticCircuit) if _example(kind, 2) is not None]
    executor = None if number == 1 else number
    for _, result in computed(_compile, None, [kind.__name__ for kind in kinds], executor):
        if isinstance(result, BaseException):
            raise result
        yield result


def _compile(job: None, name: str) -> Compiled:
    began, before = time.monotonic(), n_compiled()
    kind = next(kind for kind in concrete_subclasses(PlasticCircuit) if kind.__name__ == name)
    rng = np.random.default_rng(0)
    for n in _SIZES:
        inputs = rng.normal(size=(4 * n, n))
        for settings in _settings(kind):
            circuit = _example(kind, n, **settings)
            if circuit is not None:
                simulate(circuit, inputs, record_every=n, progress=False)
        one = np.eye(n)[None]
        whitening_errors(one, one)  # a run of an array, whose covariance is unknown, has none
        response_errors(one, one)
    return Compiled(name, time.monotonic() - began, n_compiled() - before)


def _settings(kind: type[PlasticCircuit]) -> Iterator[dict[str, Any]]:
    """Yield the settings that choose between ways of computing."""
    yield {}
    yield {"dynamics": "cholesky"}
    yield {"dynamics": IntegratedDynamics(step_size=0.05)}
    if kind.takes_batches:
        yield {"batch_size": 2}


def _example(kind: type[PlasticCircuit], n: int, **settings: Any) -> Circuit | None:
    """Return a circuit of a kind, or None if only a user can make one, or it has no such way."""
    fields = dataclasses.fields(kind)
    required = {f.name for f in fields if f.default is dataclasses.MISSING and f.init}
    if not required <= _NEEDED.keys() or not settings.keys() <= {f.name for f in fields}:
        return None
    needed = {name: _NEEDED[name](n) for name in required}
    try:
        circuit = kind(**needed, learning_rate=1e-6, **settings)
        circuit.initial_state(n)
    except (TypeError, ValueError):
        return None
    return circuit
