"""
Time against the size of a change
=================================

A variance of 1 changes to 1.5, to 4, to 9 or to 16, and back each time. Triangles point up where
the total variance rises and down where it falls. Circuits readapt to a large rise sooner than to
the fall back, since large inputs drive the plasticity of both circuits.
"""

import numpy as np

import adaptnet as an
from adaptnet import plotting
from environments import SwitchingEnvironment
from environments.schedules import Blocks

variances = np.array([1.0, 1.5, 4.0, 9.0, 16.0])
environment = SwitchingEnvironment(
    variances[:, None, None] * np.eye(3),
    schedule=Blocks(4_000, order=[0, 1, 0, 2, 0, 3, 0, 4, 0]),
    context_names=[f"variance {variance:g}" for variance in variances],
)
circuits = {
    "direct": an.DirectCircuit(learning_rate=5e-4),
    "interneuron": an.InterneuronCircuit(learning_rate=5e-4),
}
run = an.simulate(
    circuits, environment, 36_000, n_replicates=10, rng=0, record_every=10, progress=False
)
times = an.readaptation_times(run, threshold=0.25)
figure, ax = plotting.plot_scaling(times)
