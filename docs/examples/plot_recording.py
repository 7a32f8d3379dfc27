"""
Inputs of your own
==================

An array of shape (sample, neuron) is simulated as it is. As a recording, with the covariance of
segments as the truth, it has whitening errors as well.
"""

import numpy as np

import adaptnet as an
from environments import RecordedEnvironment

rng = np.random.default_rng(0)
mixing = rng.standard_normal((2, 4, 4))
data = np.concatenate([rng.standard_normal((6_000, 4)) @ m for m in mixing])

environment = RecordedEnvironment(data, changes=[6_000], contexts=["first", "second"])
circuits = {"interneuron": an.InterneuronCircuit(learning_rate=1e-3)}
run = an.simulate(circuits, environment, 12_000, rng=0, record_every=50, progress=False)
figure, axes = an.plot_readaptation(run, threshold=0.3)
