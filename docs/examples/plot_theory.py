"""
Theory beside simulation
========================

The time to readapt grows with the scale of the start: linearly for direct connections, as a
logarithm for interneurons.
"""

import scenarios

kind = scenarios.find("initialization")
scenario = kind.from_values(kind.preview)
table = scenario.run(n_replicates=2, rng=0, progress=False)
figure = scenario.plot(table)

# %%
# At learning rates that leave the same noise, over eigenbases and conditions.

kind = scenarios.find("matched-noise")
scenario = kind.from_values(kind.preview)
table = scenario.run(n_replicates=2, rng=0, progress=False)
figure = scenario.plot(table)
print(scenario.report(table))
