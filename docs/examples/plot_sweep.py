"""
How does the time to readapt depend on the learning rate?
=========================================================

A sweep runs a function of its parameters at all combinations of values. Here circuits readapt to a
variance that rises fourfold. Dashed lines are the synaptic flow, which is learning without noise:
where medians leave it, the noise of learning decides.
"""

import numpy as np

import adaptnet as an
from environments import SwitchingEnvironment


def rise(learning_rate):
    environment = SwitchingEnvironment([np.eye(3), 4 * np.eye(3)], block_length=4000)
    circuits = {
        "direct": an.DirectCircuit(learning_rate=learning_rate),
        "interneuron": an.InterneuronCircuit(n_interneurons=3, learning_rate=learning_rate),
    }
    return an.Simulation(circuits, environment, 8000, record_every=10)


rates = np.geomspace(2e-4, 3e-3, 6)
times = an.sweep(rise, {"learning_rate": rates}, n_replicates=12, with_flow=True, progress=False)
figure, axes = an.plotting.plot_sweep(times)
