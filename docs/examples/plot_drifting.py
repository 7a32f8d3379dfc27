"""
A covariance that drifts, then jumps
====================================

The covariance moves from one eigenbasis to another at constant speed, rests there, and jumps back.
While it moves (shaded), circuits lag behind it.
"""

import scenarios

kind = scenarios.find("drifting")
scenario = kind.from_values(kind.preview)
run = scenario.run(n_replicates=6, rng=0, progress=False)
figure = scenario.plot(run)

# %%
# The table says how far they lag, and how long they take when the covariance rests or has jumped.

print(scenario.report(run))
