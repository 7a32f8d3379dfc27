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
    {"direct": circuit},
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
)

# %%
# Both on one axis. The error of the responses, with its interval over trials, lags by the window,
# which is shaded where it reaches over a change. It falls below that of the single circuits, since
# pooling averages over what each of them has learned from chance; it cannot tell errors below its
# sampling floor.

figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
an.plot_readaptation(run, 0.3, ax=ax)
an.plot_readaptation(measured, 0.3, ax=ax)
legend = ax.get_legend()
texts = [text.get_text() for text in legend.get_texts()]
figure.legend(legend.legend_handles, texts, loc="outside upper center", ncols=4, frameon=False)
legend.remove()

# %%
# Readaptation times of both, at a threshold above the floor:

for found in (run, measured):
    print(an.readaptation_times(found, 0.3).adaptnet.summary()["median"].values)
