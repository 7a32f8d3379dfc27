"""
Gains of fixed synapses
=======================

A gain circuit leaves its synapses as they are and changes the gains of its interneurons. Here it is
compared with plastic synapses, each circuit at the learning rate at which all are equally precise
in the first context. The runs are shorter than those of ``adaptnet run gains``, and their threshold
is higher.
"""

import scenarios

kind = scenarios.find("gains")
scenario = kind.from_values(kind.preview)
run = scenario.run(n_replicates=6, rng=0, progress=False)
figure = scenario.plot(run)

# %%
# Times, and how many times as fast as the direct circuit each of the others is.

print(scenario.report(run))
