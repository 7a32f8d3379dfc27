"""
Many changes, pooled
====================

Three contexts follow one another by a Markov chain, so that the next change cannot be predicted and
each transition happens several times. ``plot_aligned`` puts the beginnings of all changes of one
kind on top of each other: a panel for each transition, the median and the quartiles of replicates.
"""

import adaptnet as an
import scenarios
from adaptnet import plotting

kind = scenarios.find("markov")
short = {**kind.preview, "mean_duration": 2_000, "length": 60_000}
scenario = kind.from_values({**short, "equal_floors": False})
run = scenario.run(n_replicates=10, rng=0, progress=False)
figure, axes = plotting.plot_aligned(run, scenario.threshold)

# %%
# How long each transition takes, from the context left (row) to the context entered (column).
# Transitions that did not happen are blank.

times = an.readaptation_times(run, scenario.threshold)
figure, axes = plotting.plot_transition_matrix(times)

# %%
# The scenario's own picture, with both circuits at equal noise floors as well.

scenario = kind.from_values(short)
figure = scenario.plot(scenario.run(n_replicates=4, rng=0, progress=False))
