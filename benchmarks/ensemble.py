"""Many replicates of one circuit: this package as its runs have them, JAX all at once."""

import dataclasses

import numpy as np

from benchmarks import peers
from benchmarks.peers import Run, circuit_of, import_jax, jax_step, weights_after
from benchmarks.work import Work

N_REPLICATES = 32


def ours(work: Work) -> Run:
    """Return the replicates on one thread; samples are divided among them."""
    circuit = circuit_of(work)
    inputs = work.inputs.reshape(N_REPLICATES, -1, work.n)
    n_groups = -(-N_REPLICATES // circuit.group_size(work.n))
    groups = np.array_split(inputs, n_groups)
    return lambda: np.concatenate([weights_after(circuit, group) for group in groups])


def numpy_loop(work: Work) -> Run:
    """Return the replicates one after the other, each by the loop of a notebook."""
    parts = np.split(work.inputs, N_REPLICATES)
    loops = [peers.numpy_loop(dataclasses.replace(work, inputs=part)) for part in parts]
    return lambda: np.stack([loop() for loop in loops])


def jax_vmap(work: Work) -> Run:
    """Return a scan over samples, vectorised over replicates, compiled."""
    import_jax()
    import jax

    step = jax_step(work.circuit)

    def one(start, inputs):  # type: ignore[no-untyped-def]
        end, _ = jax.lax.scan(lambda weights, x: (step(weights, x), None), start, inputs)
        return end if work.circuit == "direct" else end @ end.T

    run = jax.jit(jax.vmap(one, in_axes=(None, 0)))
    start = jax.device_put(work.start)
    inputs = jax.device_put(work.inputs.reshape(N_REPLICATES, -1, work.n))
    return lambda: np.asarray(run(start, inputs))
