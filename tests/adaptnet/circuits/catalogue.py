"""An example or more of every circuit, which tests of all circuits take."""

import numpy as np

import adaptnet as an
from adaptnet.circuits.base import Circuit, concrete_subclasses
from tests import naive

START = naive.random_covariance(np.random.default_rng(100), 3)
SYNAPSES = np.random.default_rng(101).normal(size=(3, 5)) + np.eye(3, 5)

# Settings for three neurons, apart from each circuit's defaults.
EXAMPLES = {
    "DirectCircuit": [
        {"initial_weights": 2.0, "learning_rate": 0.01},
        {"initial_weights": START, "learning_rate": 0.01, "learning_rate_decay": 0.02},
        {"initial_weights": 2.0, "learning_rate": 0.01, "dynamics": "cholesky"},
    ],
    "InterneuronCircuit": [
        {"initial_weights": 2.0, "learning_rate": 0.01},
        {"initial_weights": SYNAPSES, "learning_rate": 0.01, "learning_rate_decay": 0.02},
        {"initial_effective_weights": START, "n_interneurons": 4, "learning_rate": 0.01},
        {"initial_weights": 2.0, "learning_rate": 0.01, "dynamics": "cholesky"},
    ],
    "StaticCircuit": [{"initial_weights": 2.0}, {"initial_weights": START}],
    "BatchEstimator": [{"window": 20}, {"window": 7, "initial_weights": START}],
}

INTEGRATED = an.IntegratedDynamics(step_size=0.1, tolerance=1e-4)


def kinds():
    """Return every circuit of the package that can be instantiated, by name."""
    found = concrete_subclasses(Circuit)
    return {kind.__name__: kind for kind in found if kind.__module__.startswith("adaptnet.")}


def examples():
    """Return circuits for three neurons, by a name for each."""
    return {
        f"{name}-{i}": kind(**settings)
        for name, kind in sorted(kinds().items())
        for i, settings in enumerate(EXAMPLES.get(name, [{}]))
    }
