"""An example or more of every circuit, which tests of all circuits take."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet.circuits import frames
from adaptnet.circuits.base import Circuit, concrete_subclasses
from tests import naive

START = naive.random_covariance(np.random.default_rng(100), 3)
FRAME = frames.equiangular(3)
SYNAPSES = np.random.default_rng(101).normal(size=(3, 5)) + np.eye(3, 5)

# Settings for three neurons, apart from each circuit's defaults.
EXAMPLES = {
    "DirectCircuit": [
        {"initial_weights": 2.0, "learning_rate": 0.01},
        {"initial_weights": START, "learning_rate": 0.01, "learning_rate_decay": 0.02},
        {"initial_weights": 2.0, "learning_rate": 0.01, "dynamics": "cholesky"},
        {"initial_weights": START, "learning_rate": 0.05, "batch_size": 7},
    ],
    "InterneuronCircuit": [
        {"initial_weights": 2.0, "learning_rate": 0.01},
        {"initial_weights": SYNAPSES, "learning_rate": 0.01, "learning_rate_decay": 0.02},
        {"initial_effective_weights": START, "n_interneurons": 4, "learning_rate": 0.01},
        {"initial_weights": 2.0, "learning_rate": 0.01, "dynamics": "cholesky"},
        {"initial_weights": SYNAPSES, "learning_rate": 0.05, "batch_size": 7},
    ],
    "LeakyInterneuronCircuit": [
        {"leak": 0.5, "n_interneurons": 2, "learning_rate": 0.01},
        {"leak": 0.0, "n_interneurons": 5, "learning_rate": 0.01, "learning_rate_decay": 0.02},
        {"leak": 0.2, "initial_weights": SYNAPSES, "n_interneurons": 5, "learning_rate": 0.01},
        {"leak": 0.2, "n_interneurons": 2, "learning_rate": 0.05, "batch_size": 7},
    ],
    "DecoupledInterneuronCircuit": [
        {
            "initial_outward_weights": SYNAPSES,
            "initial_inward_weights": SYNAPSES.T + 0.2 * np.eye(5, 3),
            "n_interneurons": 5,
            "learning_rate": 0.01,
        },
        {"leak": 0.3, "n_interneurons": 2, "initial_inward_weights": 0.5, "learning_rate": 0.01},
        {
            "leak": 0.3,
            "n_interneurons": 2,
            "initial_inward_weights": 0.5,
            "learning_rate": 0.05,
            "batch_size": 7,
        },
    ],
    "GainCircuit": [
        {"frame": FRAME, "learning_rate": 0.01},
        {"frame": 1.5 * FRAME, "leak": 0.4, "clip": True, "learning_rate": 0.02},
        {
            "frame": frames.random(3, 7),
            "initial_gains": np.linspace(0.5, 2, 7),
            "learning_rate": 0.003,
            "learning_rate_decay": 0.02,
        },
        {"frame": FRAME, "clip": True, "learning_rate": 0.05, "batch_size": 7},
    ],
    "GainPlasticCircuit": [
        {"frame": FRAME, "learning_rate": 0.01, "synaptic_rate": 0.001},
        {
            "frame": frames.random(3, 4),
            "leak": 0.5,
            "clip": True,
            "learning_rate": 0.02,
            "learning_rate_decay": 0.01,
            "synaptic_rate": 0.002,
            "restart_every": 70,
        },
        {
            "frame": frames.random(3, 4),
            "leak": 0.5,
            "clip": True,
            "learning_rate": 0.1,
            "learning_rate_decay": 0.01,
            "synaptic_rate": 0.01,
            "restart_every": 70,
            "batch_size": 7,
        },
    ],
    "StaticCircuit": [{"initial_weights": 2.0}, {"initial_weights": START}],
    "BatchEstimator": [{"window": 20}, {"window": 7, "initial_weights": START}],
}

# What circuits need besides their defaults, for n neurons.
NEEDED = {
    "BatchEstimator": lambda n: {"window": 2 * n},
    "LeakyInterneuronCircuit": lambda n: {"leak": 0.5, "n_interneurons": (n + 1) // 2},
    "GainCircuit": lambda n: {"frame": frames.random_tight(n)},
    "GainPlasticCircuit": lambda n: {"frame": frames.random_tight(n, n + 1), "synaptic_rate": 1e-4},
}


def default(name, n, **settings):
    """Return a circuit for n neurons that has its defaults but for what it needs."""
    return kinds()[name](**NEEDED.get(name, lambda n: {})(n), **settings)


INTEGRATED = an.IntegratedDynamics(step_size=0.1, tolerance=1e-4)


def kinds():
    """Return every circuit of the package that can be instantiated, by name."""
    found = concrete_subclasses(Circuit)
    own = (kind for kind in found if kind.__module__.startswith("adaptnet."))
    return {kind.__name__: kind for kind in own if kind.is_rebuilt}  # rules: test_rule.py


def examples():
    """Return circuits for three neurons, by a name for each."""
    return {
        f"{name}-{i}": kind(**settings)
        for name, kind in sorted(kinds().items())
        for i, settings in enumerate(EXAMPLES.get(name, [{}]))
    }


def by_kind(circuits):
    """Parametrize a test over circuits; all but the first example of each kind are slow."""
    return pytest.mark.parametrize(
        "circuit",
        [
            pytest.param(circuit, id=name, marks=() if name.endswith("-0") else pytest.mark.slow)
            for name, circuit in circuits.items()
        ],
    )
