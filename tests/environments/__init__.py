"""Tests of the package environments."""
