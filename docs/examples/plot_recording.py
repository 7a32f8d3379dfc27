"""
Inputs of your own
==================

Here a table of firing rates with a time for each row, made up for the example: six seconds of rest,
then six of a task, sampled at 500 Hz. The statistics change when the task begins. The covariance of
each segment counts as the truth, so that whitening errors can be computed, and times are in
seconds.
"""

import numpy as np
import pandas as pd

import adaptnet as an
from environments import RecordedEnvironment

rng = np.random.default_rng(0)
mixing = rng.standard_normal((2, 4, 4))
rates = pd.DataFrame(
    20 + np.concatenate([rng.standard_normal((3_000, 4)) @ m for m in mixing]),
    columns=["A1", "A2", "B1", "B2"],
    index=pd.timedelta_range(0, periods=6_000, freq="2ms"),
)
recording = RecordedEnvironment(rates, changes=[3_000], contexts=["rest", "task"], centred=True)
circuits = {"direct": an.DirectCircuit(), "interneuron": an.InterneuronCircuit()}
run = an.simulate(circuits, recording, recording.n_samples, record_every=20, progress=False)
figure, axes = an.plot_readaptation(run, threshold=0.3)

# %%
# Means are subtracted segment by segment above, which no circuit could do while it listens. The
# running average of the last 500 samples or so can be taken online:

online = RecordedEnvironment(
    rates, changes=[3_000], contexts=["rest", "task"], centred="running", mean_samples=500
)
run = an.simulate(circuits, online, online.n_samples, record_every=20, progress=False)
times = an.readaptation_times(run, threshold=0.3)
seconds = times["samples"] / run.attrs["sampling_rate"]
print(seconds.rename("seconds").to_series())

# %%
# An array of shape (sample, neuron) is simulated as it is, without a truth to compare outputs with.

run = an.simulate(circuits["direct"], rates.to_numpy() - 20, record="effective_weights")
print(run["effective_weights"].isel(sample=-1).squeeze().values.round(2))
