"""Many replicates of one circuit: this package one after the other, JAX all at once."""

import numpy as np

from benchmarks.peers import Run, adaptnet, import_jax, jax_step
from benchmarks.work import Work

N_REPLICATES = 32


def ours(work: Work) -> Run:
    """Return the replicates in turn on one thread; samples are divided among them."""
    runs = [
        adaptnet(Work(work.circuit, work.n, inputs, work.start))
        for inputs in np.split(work.inputs, N_REPLICATES)
    ]
    return lambda: np.stack([run() for run in runs])


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
