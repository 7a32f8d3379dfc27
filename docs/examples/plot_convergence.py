"""
How long does it take from the start?
=====================================

The beginning of a run is a change as well: from the initial weights to the first context. The
farther weights begin from those that whiten, the longer a direct circuit takes, in proportion to
their scale; with interneurons the time grows as its logarithm. That is the central result of the
theory, and three lines have it from simulations: how many times as long the direct circuit takes,
with an interval.
"""

import numpy as np

import adaptnet as an
from environments import StationaryEnvironment


def started(scale):
    circuits = {
        "direct": an.DirectCircuit(initial_weights=scale, learning_rate=5e-4),
        "interneuron": an.InterneuronCircuit(initial_weights=scale, learning_rate=5e-4),
    }
    return an.Simulation(circuits, StationaryEnvironment(np.eye(3)), 50_000, record_every=20)


run = an.simulate(*started(10.0)[:3], n_replicates=20, rng=0, record_every=20, progress=False)
times = an.readaptation.convergence_times(run)
ratio = an.readaptation.paired_bootstrap(times).squeeze()
print(f"{ratio['ratio']:.2f} ({ratio['ratio_low']:.2f} to {ratio['ratio_high']:.2f})")

# %%
# In theory, from the closed forms of all scales at once. Ten times the scale is ten times the time,
# or a constant more.

scales = np.array([10.0, 100.0, 1000.0])
starts = scales[:, None, None] * np.eye(3)
for name in ("direct", "interneuron"):
    print(name, an.theory.convergence_time(name, np.eye(3), starts).round(2))

# %%
# Over a range of scales: medians with their intervals, and the synaptic flow. From the largest
# scale the direct circuit is not there when the run ends. Such times are censored: the open marker
# says how long they are at least.

times = an.sweep(
    started,
    {"scale": [2, 4, 8, 16, 32]},
    keep="convergence_times",
    n_replicates=20,
    with_flow=True,
    progress=False,
)
figure, axes = an.plotting.plot_sweep(times)
