"""
Learning to readapt
===================

Gains adapt fast, synapses slowly. The more contexts that share an eigenbasis a circuit has seen,
the sooner it readapts to the next, since its synapses have learned what the contexts have in
common. In a control each context has an eigenbasis of its own: less can be learned, and less is
kept. With frozen synapses the circuit never readapts while a context lasts. Diamonds are probes:
contexts in which all synapses are frozen, before learning and after it.
"""

import scenarios

kind = scenarios.find("learning-to-readapt")
scenario = kind(n_contexts=1000)
table = scenario.run(n_replicates=2, rng=0, progress=False)
figure = scenario.plot(table)
print(scenario.report(table))
