"""
The same ruler for data
=======================

Of a population that was recorded only outputs are known. ``measure_responses`` turns them into a
run whose errors are those of second moments in a window. Here the outputs are those of a simulated
circuit, so that the true error is known as well: recorded in 40 trials, they tell when it is white
again.
"""

import numpy as np
from matplotlib import pyplot as plt

import adaptnet as an
from environments import SwitchingEnvironment

environment = SwitchingEnvironment([np.eye(3), np.diag([1, 4, 9])], block_length=3000)
circuit = an.DirectCircuit(learning_rate=2e-3)
run = an.simulate(
    {"the circuit": circuit},
    environment,
    9000,
    n_replicates=40,
    rng=0,
    record=["whitening_error", "outputs"],
    progress=False,
)
outputs = run["outputs"].isel(circuit=0, sample=slice(-1)).values  # (trial, sample, neuron)
measured = an.measure_responses(
    outputs,
    [3000, 6000],
    window=100,
    pool_trials=True,
    centre=False,
    scale=1.0,
    contexts=["even", "uneven", "even"],
    record_every=25,
    name="its outputs",
)

# %%
# Both on one axis. The outputs' error lags by the window. It falls below that of the single
# circuits, since pooling averages over what each of them has learned from chance; it cannot tell
# errors below its sampling floor.

figure, ax = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
an.plot_readaptation(run, 0.3, ax=ax)
samples = measured["sample"].values
ax.semilogy(samples, measured["whitening_error"].values[0, 0], color="k", label="its outputs")
floor = measured["whitening_error_sampling_floor"].values
ax.semilogy(samples[4:], floor[4:], ":", color="0.4", label="sampling floor")
ax.get_legend().remove()
figure.legend(loc="outside upper center", ncols=2, frameon=False)

# %%
# Readaptation times of both, at a threshold above the floor:

for found in (run, measured):
    print(an.readaptation_times(found, 0.3).adaptnet.summary()["median"].values)
