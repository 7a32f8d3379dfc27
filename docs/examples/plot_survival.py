"""
Which share has readapted?
==========================

Times that were not reached while a context lasted are censored: Kaplan-Meier curves take account of
what is known of them.
"""

import adaptnet as an
import scenarios
from adaptnet import plotting

kind = scenarios.find("contrast")
scenario = kind.from_values({**kind.preview, "equal_floors": False})
run = scenario.run(n_replicates=10, rng=0, progress=False)
times = an.readaptation_times(run, scenario.threshold)
figure, axes = plotting.plot_survival(times)
