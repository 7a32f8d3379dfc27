"""
An environment before any circuit
=================================

What changes, when and by how much is drawn from the truth that every environment knows.
"""

import scenarios
from adaptnet import plot_environment

kind = scenarios.find("drifting")
scenario = kind.from_values(kind.preview)
figure, axes = plot_environment(scenario.environment(), scenario.n_samples)
