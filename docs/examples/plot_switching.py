"""
Two circuits, three changes
===========================

Both circuits receive the same inputs, whose covariance rotates, shrinks and grows again.
"""

import adaptnet as an
import scenarios

kind = scenarios.find("switching")
scenario = kind.from_values(kind.preview)
run = scenario.run(n_replicates=6, rng=0, progress=False)
figure = scenario.plot(run)

# %%
# The table compares the circuits at equal learning rates and at equal noise floors.

print(scenario.report(run))

# %%
# The same numbers, as a labelled array: infinite if half of the replicates did not get there.

times = an.readaptation_times(run, scenario.threshold)
print(times.adaptnet.summary()["median"].to_pandas())
