"""Tests of adaptnet.plotting."""
