"""Simulations, flows and offline learning: from circuits and an environment to a labelled run."""
