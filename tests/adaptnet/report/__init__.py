"""Tests of adaptnet.report."""
