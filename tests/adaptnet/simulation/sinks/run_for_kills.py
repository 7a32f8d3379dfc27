"""A run for tests that kill it: ``python run_for_kills.py TARGET [N_SAMPLES]``."""

import sys

import numpy as np

import adaptnet as an
from environments import SwitchingEnvironment


def run(path, n_samples):
    circuits = {
        "direct": an.DirectCircuit(learning_rate=1e-3),
        "interneuron": an.InterneuronCircuit(n_interneurons=3, learning_rate=1e-3),
    }
    environment = SwitchingEnvironment([np.diag([1.0, 2.0]), np.eye(2)], block_length=10_000)
    return an.simulate(
        circuits,
        environment,
        n_samples,
        n_replicates=4,
        rng=3,
        record_every=100,
        record=("whitening_error", "effective_weights"),
        path=path,
        checkpoint_seconds=0.02,
        n_threads=2,
    )


if __name__ == "__main__":
    both = {"direct": an.DirectCircuit(), "interneuron": an.InterneuronCircuit()}
    an.simulate(both, np.eye(2))  # imports and compiles
    print("ready", flush=True)
    run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
