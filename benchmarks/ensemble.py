"""Many replicates of one circuit: this package as its runs have them, JAX all at once."""

import numpy as np

from benchmarks.peers import Run, circuit_of, import_jax, jax_step
from benchmarks.work import Floats, Work

N_REPLICATES = 32


def ours(work: Work) -> Run:
    """Return the replicates on one thread; samples are divided among them."""
    from adaptnet.circuits.base import Records

    circuit = circuit_of(work)
    inputs = work.inputs.reshape(N_REPLICATES, -1, work.n)
    many = circuit.side_by_side(work.n)
    groups = np.array_split(inputs, -(-N_REPLICATES // many))

    def run() -> Floats:
        ends = []
        for group in groups:
            states = [circuit.initial_state(work.n) for _ in group]
            records = Records(
                np.empty((len(group), 0, work.n, work.n)), np.empty((len(group), 0), np.int64)
            )
            every = 2 * inputs.shape[1]
            outcomes = circuit.advance(states, group, 0, every, records)
            assert not any(outcome.failure for outcome in outcomes)
            ends += [circuit.effective_weights(state) for state in states]
        return np.stack(ends)

    return run


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
