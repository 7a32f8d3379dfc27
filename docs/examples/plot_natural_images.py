"""
Patches of pictures
===================

Contexts are pictures: the covariance of patches of one differs from that of another. The first call
reads the pictures from the ``images`` extra; none are downloaded.
"""

import scenarios
from adaptnet import plot_environment

kind = scenarios.find("natural-images")
scenario = kind.from_values(kind.preview)
run = scenario.run(n_replicates=4, rng=0, progress=False)
figure = scenario.plot(run)

# %%
# The statistics that change:

figure, axes = plot_environment(scenario.environment(), scenario.n_samples)
