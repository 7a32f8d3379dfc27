"""Tests of the package adaptnet."""
