"""Tests of adaptnet.simulation."""
