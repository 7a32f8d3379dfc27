"""Tests of adaptnet.sweeps."""
