"""
Who readapts faster, over a map of changes
==========================================

From each scale of the inputs to each other one: colours are theory, circles simulations. At equal
noise floors (right) the circuits are nearly as fast as each other where the inputs grow, and
interneurons lead where they shrink.
"""

import scenarios

kind = scenarios.find("readaptation-map")
scenario = kind.from_values(kind.preview)
table = scenario.run(n_replicates=4, rng=0, progress=False)
figure = scenario.plot(table)
print(scenario.report(table))
