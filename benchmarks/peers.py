"""What a user might have written instead, each in the way its tool invites.

A peer takes a piece of work and returns a function that does it once and returns the effective
weights at the end. What can be prepared (compilation, copies to a device) is prepared before.
"""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adaptnet.circuits import Circuit, DirectCircuit, GainCircuit, InterneuronCircuit
from benchmarks.work import LEARNING_RATE, Floats, Work

Run = Callable[[], Floats]


class AbsentError(Exception):
    """A peer that cannot be had on this machine, with the reason."""


def circuit_of(work: Work) -> Circuit:
    """Return this package's circuit."""
    if work.gains is not None:
        return GainCircuit(frame=work.start, initial_gains=work.gains, learning_rate=LEARNING_RATE)
    kind = DirectCircuit if work.circuit == "direct" else InterneuronCircuit
    return kind(initial_weights=work.start, learning_rate=LEARNING_RATE)


def weights_after(circuit: Circuit, inputs: Floats) -> Floats:
    """Return the effective weights (replicate, n, n) after inputs (replicate, sample, n)."""
    n_replicates, length, n = inputs.shape
    states = [circuit.initial_state(n) for _ in range(n_replicates)]
    records = {"effective_weights": np.empty((n_replicates, 0, n, n))}
    outcomes = circuit.advance(states, inputs, 0, np.zeros(length, bool), records)
    assert not any(outcome.status for outcome in outcomes)
    return np.stack([circuit.effective_weights(state) for state in states])


def adaptnet(work: Work) -> Run:
    """Return this package's way, through the circuits' own interface."""
    circuit = circuit_of(work)
    return lambda: weights_after(circuit, work.inputs[None])[0]


def numpy_loop(work: Work) -> Run:
    """Return the loop of a notebook."""
    identity, eta = np.eye(work.n), LEARNING_RATE

    def direct() -> Floats:
        M = work.start.copy()
        for x in work.inputs:
            y = np.linalg.solve(M, x)
            M += eta * (np.outer(y, y) - identity)
        return M

    def interneuron() -> Floats:
        W = work.start.copy()
        for x in work.inputs:
            y = np.linalg.solve(W @ W.T, x)
            z = W.T @ y
            W += eta * (np.outer(y, z) - W)
        return W @ W.T

    def gain() -> Floats:
        W, g, norms = work.start, np.array(work.gains), (work.start**2).sum(axis=0)
        for x in work.inputs:
            z = W.T @ np.linalg.solve((W * g) @ W.T, x)
            g += eta * (z * z - norms)
        return (W * g) @ W.T

    return {"direct": direct, "interneuron": interneuron, "gain": gain}[work.circuit]


@functools.cache
def _numba_functions() -> dict[str, Callable[..., Floats]]:
    import numba

    @numba.njit
    def direct(start: Floats, inputs: Floats, eta: float) -> Floats:
        M = start.copy()
        identity = np.eye(len(M))
        for t in range(len(inputs)):
            y = np.linalg.solve(M, inputs[t])
            M += eta * (np.outer(y, y) - identity)
        return M

    @numba.njit
    def interneuron(start: Floats, inputs: Floats, eta: float) -> Floats:
        W = start.copy()
        for t in range(len(inputs)):
            y = np.linalg.solve(W @ W.T, inputs[t])
            z = W.T @ y
            W += eta * (np.outer(y, z) - W)
        return W @ W.T

    return {"direct": direct, "interneuron": interneuron}


def numba_loop(work: Work) -> Run:
    """Return the NumPy loop, compiled as it stands."""
    function = _numba_functions()[work.circuit]
    return lambda: function(work.start, work.inputs, LEARNING_RATE)


def jax_scan(work: Work) -> Run:
    """Return a compiled scan over samples, in double precision."""
    import_jax()
    import jax

    run = jax.jit(functools.partial(_scan, work.circuit))
    start, inputs = jax.device_put((work.start, work.inputs))
    return lambda: np.asarray(run(start, inputs))


def import_jax() -> None:
    """Import JAX for double precision on one thread, or say that it is absent."""
    import os

    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        import jax
    except ModuleNotFoundError:
        raise AbsentError('JAX is not installed (pip install "adaptnet[bench]")') from None
    jax.config.update("jax_enable_x64", True)


def jax_step(circuit: str) -> Callable:  # type: ignore[type-arg]
    """Return one sample's step, weights and input to new weights."""
    import jax.numpy as jnp
    import jax.scipy.linalg as jsl

    def direct(M, x):  # type: ignore[no-untyped-def]
        y = jsl.cho_solve(jsl.cho_factor(M, lower=True), x)
        return M + LEARNING_RATE * (jnp.outer(y, y) - jnp.eye(M.shape[0]))

    def interneuron(W, x):  # type: ignore[no-untyped-def]
        y = jsl.cho_solve(jsl.cho_factor(W @ W.T, lower=True), x)
        return W + LEARNING_RATE * (jnp.outer(y, W.T @ y) - W)

    return direct if circuit == "direct" else interneuron


def _scan(circuit, start, inputs):  # type: ignore[no-untyped-def]
    import jax

    step = jax_step(circuit)
    end, _ = jax.lax.scan(lambda weights, x: (step(weights, x), None), start, inputs)
    return end if circuit == "direct" else end @ end.T


@functools.cache
def _eigen_library() -> ctypes.CDLL:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise AbsentError("no C++ compiler (g++ or clang++) was found")
    includes = [Path(p) for p in ("/usr/include/eigen3", "/usr/local/include/eigen3")]
    found = [path for path in includes if (path / "Eigen").is_dir()]
    if not found:
        raise AbsentError("Eigen's headers were not found (Debian: libeigen3-dev)")
    folder = Path(tempfile.mkdtemp())
    library = folder / "eigen.so"
    source = Path(__file__).with_name("eigen.cpp")
    flags = ["-O3", "-march=native", "-DNDEBUG", "-shared", "-fPIC", f"-I{found[0]}"]
    subprocess.run([compiler, *flags, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def eigen(work: Work) -> Run:
    """Return C++ with Eigen that factorises once per sample."""
    function = getattr(_eigen_library(), work.circuit)
    pointer = ctypes.POINTER(ctypes.c_double)

    def run() -> Floats:
        weights = np.array(work.start, order="F")
        out = np.empty((work.n, work.n), order="F")
        function(
            ctypes.c_int(work.n),
            ctypes.c_int(weights.shape[1]),
            ctypes.c_int(len(work.inputs)),
            work.inputs.ctypes.data_as(pointer),
            weights.ctypes.data_as(pointer),
            ctypes.c_double(LEARNING_RATE),
            out.ctypes.data_as(pointer),
        )
        return out

    return run


PEERS: dict[str, Callable[[Work], Run]] = {
    "C++ Eigen": eigen,
    "JAX scan": jax_scan,
    "NumPy loop": numpy_loop,
    "Numba loop": numba_loop,
}
