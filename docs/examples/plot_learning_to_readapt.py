"""
Learning to readapt
===================

Gains adapt fast, synapses slowly. The more contexts that share an eigenbasis a circuit has seen,
the sooner it readapts to the next, since its synapses have learned what the contexts have in
common. A control with an eigenbasis for each context and a circuit with frozen synapses do not
improve. Diamonds are probes: contexts in which all synapses are frozen, before learning and after
it.
"""

import scenarios

kind = scenarios.find("learning-to-readapt")
scenario = kind(n_contexts=1000)
table = scenario.run(n_replicates=2, rng=0, progress=False)
figure = scenario.plot(table)
print(scenario.report(table))
