"""Tests of adaptnet.simulation.sinks."""
